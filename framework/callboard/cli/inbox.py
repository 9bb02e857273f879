"""``callboard inbox``: what waits for a person."""

from __future__ import annotations

import sqlite3
import sys

import click
from callboard_schemas import Proposal

from callboard.catalog import journal, proposals
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, file_cell, print_json, print_table, table
from callboard.cli.project import catalog, here_or_default
from callboard.cli.summary import summary


@click.command("inbox")
@json_flag
def command(as_json: bool) -> int:
    """List the proposals that wait for you, oldest first."""
    project = here_or_default()
    with catalog(project) as opened:
        waiting = opened.read(_waiting)
    if as_json:
        print_json({"proposals": [proposal for proposal, _ in waiting]})
        return 0
    if not waiting:
        console().print("Nothing waits for you.")
        return 0
    shown = table("id", "file", "plugin", "sure", "proposal", whole=("id", "plugin", "sure"))
    for proposal, path in waiting:
        shown.add_row(
            proposal.id,
            file_cell(path, base=sys.stdout.isatty()),
            proposal.provenance.plugin,
            f"{proposal.confidence:.0%}",
            cell(summary(proposal.body)),
        )
    print_table(shown)
    console().print("[dim]callboard accept ID… or callboard reject ID…; --all takes every one[/dim]")
    return 0


def waiting_ids(conn: sqlite3.Connection) -> tuple[str, ...]:
    """Give the ids of every proposal that waits."""
    return tuple(proposal.id for proposal, _ in proposals.waiting(conn))


def _waiting(conn: sqlite3.Connection) -> list[tuple[Proposal, str]]:
    found = []
    for proposal, digest in proposals.waiting(conn):
        places = journal.places_of(conn, digest)
        found.append((proposal, places[0][1].asset(places[0][0]).place.path if places else digest[:19]))
    return found


__all__ = ["command", "waiting_ids"]
