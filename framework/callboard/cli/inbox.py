"""``callboard inbox``: what waits for a person."""

from __future__ import annotations

import sqlite3

import click
from callboard_schemas import Proposal

from callboard.catalog import journal, proposals
from callboard.cli.output import cell, console, print_json, table
from callboard.cli.project import catalog, here_or_default
from callboard.cli.summary import summary


@click.command("inbox")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
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
    shown = table("id", "file", "plugin", "sure", "proposal")
    for proposal, path in waiting:
        shown.add_row(
            proposal.id,
            cell(path),
            proposal.provenance.plugin,
            f"{proposal.confidence:.0%}",
            cell(summary(proposal.body)),
        )
    console().print(shown)
    console().print("[dim]callboard accept ID… or callboard reject ID…[/dim]")
    return 0


def _waiting(conn: sqlite3.Connection) -> list[tuple[Proposal, str]]:
    found = []
    for proposal, digest in proposals.waiting(conn):
        places = journal.places_of(conn, digest)
        found.append((proposal, places[0][1].asset(places[0][0]).place.path if places else digest[:19]))
    return found


__all__ = ["command"]
