"""``callboard captions correct``: a person's version of a result takes the place of the machine's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import click
from callboard_schemas import Captions, Translation

from callboard.cli.captions_export import of_path
from callboard.cli.onward import carry_on
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json
from callboard.cli.project import catalog, here_or_default, me
from callboard.cli.reporting import show_jobs
from callboard.cli.review import decide
from callboard.config import Project
from callboard.control import Order
from callboard.corrections import correct, edited, hand_in, wrote
from callboard.desk import Decided, Desk, one_of
from callboard.errors import UsageError


@click.command("correct")
@click.argument("what", metavar="PATH|ID")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--language", help="Which one of the media at PATH, where there are several; BCP 47.")
@json_flag
def command(what: str, file: Path | None, language: str | None, as_json: bool) -> int:
    """Take FILE, a corrected subtitle file, as your own captions of the media at PATH, or in place of proposal ID.

    They are accepted; what the machine made is kept. Without FILE, the sidecar is taken as you have edited it.
    """
    project = here_or_default()
    document = hand_in(file.absolute()) if file is not None else None
    proposal = _meant(project, what, language or (document.language if document is not None else "") or "")
    path = (file or _edited(project, proposal)).absolute()
    document = document or hand_in(path)

    def alone(desk: Desk, conn: sqlite3.Connection) -> Decided:
        return correct(desk, conn, proposal, document, me(), path.name)

    decided = decide(project, "correct", Order(ids=(proposal,), path=str(path), by=me()), alone)
    further = carry_on(project, decided.run, quiet=as_json)
    if as_json:
        print_json(decided)
        return 0
    out = console()
    out.print(f"{cell(path.name)} is your version now, as {decided.changed[0]}.")
    if further is not None:
        show_jobs(further)
    out.print("[dim]See whether its names belong in the glossary: callboard glossary suggest[/dim]")
    out.print(f"[dim]Take it back with: callboard undo {decided.run}[/dim]")
    return 0


def _meant(project: Project, what: str, language: str) -> str:
    """Find the captions or the translation that stand for a path, or else wait; anything else is taken for an id."""
    with catalog(project) as opened:
        found = opened.read(lambda conn: of_path(project, conn, what))
    if found is None:
        return what
    standing = {
        one.body.language: one.id
        for state in ("proposed", "accepted")
        for one in found
        if one.state == state and isinstance(one.body, Captions | Translation) and one.body.cues
    }
    meant = {tag: ident for tag, ident in standing.items() if not language or _main(tag) == _main(language)}
    meant = {language: meant[language]} if language in meant else meant
    if not standing:
        raise UsageError(f"{what} has no captions that are accepted or wait", f"'callboard explain {what}' says why.")
    if not meant:
        raise UsageError(f"{what} has no captions in {language!r}", f"There are {', '.join(sorted(standing))}.")
    if len(meant) > 1:
        raise UsageError(f"{what} has captions in {', '.join(sorted(meant))}", "Say which with --language.")
    return next(iter(meant.values()))


def _main(language: str) -> str:
    return language.partition("-")[0].lower()


def _edited(project: Project, proposal: str) -> Path:
    """Find the file that a person edited among those that were written for a proposal."""
    with catalog(project) as opened:
        ident = opened.read(lambda conn: one_of(conn, proposal))
        files = opened.read(wrote)
    found = [one.file for one in edited([one for one in files if one.made.id == ident])]
    if len(found) != 1:
        told = f"several files written for {ident} were edited: {', '.join(found)}"
        raise UsageError(
            told if found else f"no file written for {ident} was edited",
            f"Say which file to take: callboard captions correct {proposal} FILE",
        )
    return Path(found[0])


__all__ = ["command"]
