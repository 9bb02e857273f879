"""``callboard placeholder list``: the shots that something stands in for, and how far each is."""

from __future__ import annotations

from collections import Counter

import click
from callboard_schemas import Proposal

from callboard.catalog import placeholders
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, print_json, print_table, table
from callboard.cli.project import catalog, here

_WORDS = {"proposed": "waiting", "accepted": "standing in", "rejected": "rejected", "superseded": "given way"}


@click.command("list")
@json_flag
def command(as_json: bool) -> int:
    """List the shots that placeholders were made for."""
    with catalog(here()) as opened:
        made = opened.read(placeholders.every)
    if as_json:
        print_json({"placeholders": made})
        return 0
    if not made:
        console().print(
            "No placeholder was made here yet. "
            "[dim]'callboard coverage TIMELINE' shows what is missing; --request asks for it.[/dim]"
        )
        return 0
    shots: dict[str, list[Proposal]] = {}
    for one in made:
        shots.setdefault(placeholders.body(one).shot, []).append(one)
    shown = table("shot", "frames", "rate", "engines", "versions", whole=("frames", "rate"))
    for shot, some in sorted(shots.items()):
        last = placeholders.body(some[-1])
        engines = ", ".join(dict.fromkeys(placeholders.body(one).generator for one in some))
        shown.add_row(cell(shot), str(last.frames), last.rate, cell(engines), _states(some))
    print_table(shown)
    console().print(f"[dim]{count(len(shots), 'shot')}; 'callboard placeholder show SHOT' compares its versions[/dim]")
    return 0


def _states(some: list[Proposal]) -> str:
    found = Counter(_WORDS.get(one.state, one.state) for one in some)
    return ", ".join(f"{number} {word}" for word, number in found.items())


__all__ = ["command"]
