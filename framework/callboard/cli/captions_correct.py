"""``callboard captions correct``: a person's version of a result takes the place of the machine's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import click

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
@click.argument("proposal", metavar="PROPOSAL")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_flag
def command(proposal: str, file: Path | None, as_json: bool) -> int:
    """Take FILE, a corrected subtitle file, as your own version of PROPOSAL and accept it.

    Without FILE, the sidecar that was written for the proposal is taken as you have edited it.
    """
    project = here_or_default()
    path = (file or _edited(project, proposal)).absolute()
    document = hand_in(path)

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
