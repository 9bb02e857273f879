"""``callboard placeholder trail``: what stood in for a shot, what took its place, who decided so and why."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath

import click

from callboard.catalog import placeholders
from callboard.cli.options import json_flag
from callboard.cli.output import cell, print_json, print_table, table
from callboard.cli.project import catalog, here
from callboard.errors import UsageError

_WORDS = {"accept": "accepted", "reject": "rejected", "reopen": "taken back"}


@click.command("trail")
@click.argument("shot")
@json_flag
def command(shot: str, as_json: bool) -> int:
    """Show all that happened to SHOT: what was made, what arrived, and every decision."""
    with catalog(here()) as opened:
        steps = opened.read(lambda conn: placeholders.trail(conn, shot))
        known = opened.read(placeholders.shots)
    if not steps:
        listed = ", ".join(known[:6])
        raise UsageError(f"nothing was made for {shot!r}", f"There is something for: {listed}." if known else "")
    if as_json:
        print_json({"shot": shot, "steps": [step._asdict() for step in steps]})
        return 0
    shown = table("when", "", "by", "id", "file", "why", whole=("when", "id"))
    for step in steps:
        when = datetime.fromtimestamp(step.at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        file, done = cell(PurePosixPath(step.file).name), _WORDS.get(step.what, step.what)
        shown.add_row(when, done, cell(step.by), step.proposal, file, cell(step.reason))
    print_table(shown)
    return 0


__all__ = ["command"]
