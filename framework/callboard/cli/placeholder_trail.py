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
from callboard.shots.trail import trail

_WORDS = {"accept": "accepted", "reject": "rejected", "reopen": "taken back"}


@click.command("trail")
@click.argument("shot")
@json_flag
def command(shot: str, as_json: bool) -> int:
    """Show every decision on SHOT: what stood in for it, what took whose place, who decided so, and why."""
    with catalog(here()) as opened:
        steps = opened.read(lambda conn: trail(conn, shot))
        known = opened.read(placeholders.shots)
    if not steps:
        listed = ", ".join(known[:6])
        raise UsageError(f"nothing was decided on {shot!r} yet", f"Something was made for: {listed}." if known else "")
    if as_json:
        print_json({"shot": shot, "steps": steps})
        return 0
    shown = table("when", "", "by", "file", "in place of", "why", whole=("when",))
    for step in steps:
        when = datetime.fromtimestamp(step.at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        done = _WORDS.get(step.decision, step.decision)
        shown.add_row(when, done, cell(step.by), _name(step.file), _name(step.was), cell(step.reason))
    print_table(shown)
    return 0


def _name(file: str) -> str:
    return cell(PurePosixPath(file).name)


__all__ = ["command"]
