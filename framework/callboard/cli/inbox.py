"""``callboard inbox``: what waits for a person, and the single tags or cues of a proposal."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Mapping
from typing import NamedTuple

import click
from callboard_schemas import Captions, Evidence, Placeholder, Proposal, Swap, Tag, Tags, Translation, encode_path

from callboard.beside import theirs
from callboard.board import roots_of
from callboard.catalog import journal, proposals
from callboard.catalog.ledger import is_ours
from callboard.cli.cues import show_cues
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, file_cell, place_path, print_json, print_table, table
from callboard.cli.project import catalog, here_or_default
from callboard.cli.summary import summary
from callboard.cli.went import routes
from callboard.config import Project
from callboard.desk import one_of
from callboard.exchanging import source_texts
from callboard.following import Following
from callboard.shots.words import details


@click.command("inbox")
@click.argument("ident", metavar="[ID]", default="")
@json_flag
def command(ident: str, as_json: bool) -> int:
    """List the proposals that wait for you, oldest first; with ID, the tags or cues of one proposal."""
    project = here_or_default()
    with catalog(project) as opened:
        if ident:
            made = opened.read(lambda conn: proposals.get(conn, one_of(conn, ident)))
            source = opened.read(lambda conn: _source(conn, project, made)) if made is not None else {}
            return _show_one(made, source, as_json=as_json)
        waiting = opened.read(lambda conn: _waiting(conn, project))
    if as_json:
        goes = {one.proposal.id: one.goes for one in waiting if one.goes}
        beside = {one.proposal.id: one.beside for one in waiting if one.beside}
        print_json({"proposals": [one.proposal for one in waiting], "routes": goes, "beside": beside})
        return 0
    if not waiting:
        console().print("Nothing waits for you.")
        return 0
    somewhere = ["goes into"] if any(one.goes for one in waiting) else []
    shown = table("id", "file", "plugin", "sure", "proposal", *somewhere, whole=("id", "plugin", "sure"))
    for one in waiting:
        why = f"; {one.beside} is not ours" if one.beside else ""
        shown.add_row(
            one.proposal.id,
            file_cell(one.path, base=sys.stdout.isatty()),
            one.proposal.provenance.plugin,
            f"{one.proposal.confidence:.0%}",
            cell(summary(one.proposal.body, one.proposal.without) + why),
            *([cell(", ".join(one.goes))] if somewhere else []),
        )
    print_table(shown)
    console().print("[dim]callboard accept ID… or callboard reject ID…; --all takes every one[/dim]")
    return 0


def waiting_ids(conn: sqlite3.Connection) -> tuple[str, ...]:
    """Give the ids of every proposal that waits."""
    return tuple(proposal.id for proposal, _ in proposals.waiting(conn))


class _Waits(NamedTuple):
    proposal: Proposal
    path: str
    goes: list[str]
    """Into which applications it goes when it is accepted."""
    beside: str
    """The subtitle file in its language that somebody keeps beside the media: a policy accepts nothing beside that."""


def _waiting(conn: sqlite3.Connection, project: Project) -> list[_Waits]:
    following = Following(roots_of(project))
    found = []
    for proposal, digest in proposals.waiting(conn):
        root, seen = next(iter(journal.places_of(conn, digest)), ("", None))
        path = place_path(root, encode_path(seen.path)) if seen else _own_path(proposal) or digest[:19]
        media = following.media(root, seen.path) if seen else None
        goes = routes(conn, project.settings.sidecars, proposal, digest)
        found.append(_Waits(proposal, path, goes, _beside(conn, proposal, media)))
    return found


def _own_path(proposal: Proposal) -> str:
    """Give the path of what a plugin made; it is about no media of the project."""
    return proposal.body.file if isinstance(proposal.body, Placeholder) else ""


def _beside(conn: sqlite3.Connection, proposal: Proposal, media: bytes | None) -> str:
    if media is None or not isinstance(proposal.body, Captions | Translation):
        return ""
    other = theirs(media, proposal.body.language, lambda name: is_ours(conn, name))
    return encode_path(os.path.basename(other)) if other else ""


def _source(conn: sqlite3.Connection, project: Project, made: Proposal) -> Mapping[int, str]:
    """Give what the cues of a translation were made of, by cue id."""
    return source_texts(conn, Following(roots_of(project)), made)


def _show_one(made: Proposal | None, source: Mapping[int, str], *, as_json: bool) -> int:
    if as_json:
        print_json(made)
        return 0
    if made is not None and isinstance(made.body, Captions | Translation):
        console().print(f"{made.id} {made.state}: {cell(summary(made.body, made.without))}")
        show_cues(made, source)
        return 0
    out = console()
    if made is not None and isinstance(made.body, Placeholder | Swap):
        return _show_shot(made, made.body)
    if made is None or not isinstance(made.body, Tags):
        out.print(f"{made.id} {made.state}: {cell(summary(made.body))}" if made else "It is gone.")
        return 0
    shown = table("tag", "path", "sure", "from", "method", "where", whole=("sure", "from", "method"))
    for tag in made.body.items:
        left_out = "[dim](left out)[/dim] " if tag.label in made.without else ""
        shown.add_row(
            f"{left_out}{cell(tag.label)}{' (a guess)' if tag.guess else ''}",
            cell(" / ".join(tag.group)),
            f"{tag.score:.2f}",
            "" if tag.threshold is None else f"{tag.threshold:.2f}",
            cell(tag.method),
            cell(_where(tag)),
        )
    print_table(shown)
    verb = f"callboard reject {made.id} --tag" if made.state == "accepted" else f"callboard accept {made.id} --without"
    out.print(f"[dim]{made.state}; {verb} TAG leaves one out[/dim]")
    return 0


def _show_shot(made: Proposal, body: Placeholder | Swap) -> int:
    out = console()
    out.print(f"{made.id} {made.state}{f', {cell(made.reason)}' if made.reason else ''}")
    shown = table("", "", whole=("",))
    for name, text in details(body):
        shown.add_row(name, cell(text))
    print_table(shown)
    out.print(f"[dim]callboard accept {made.id} --reason WHY keeps why you chose it[/dim]")
    return 0


def _where(tag: Tag) -> str:
    """Say where a tag was seen or heard first, and how often more."""
    first = next(iter(tag.evidence), None)
    more = f" +{len(tag.evidence) - 1}" if len(tag.evidence) > 1 else ""
    return "" if first is None else _spot(first) + more


def _spot(seen: Evidence) -> str:
    if seen.start is not None and seen.end is not None and seen.end > seen.start:
        return f"{seen.start:.1f}-{seen.end:.1f} s"
    if seen.start is not None:
        return f"{seen.start:.1f} s"
    return f"frame {seen.frame}" if seen.frame is not None else ""


__all__ = ["command", "waiting_ids"]
