"""``callboard undo``: take back what a run wrote."""

from __future__ import annotations

import click

from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, print_json
from callboard.cli.project import here_or_default, me
from callboard.cli.review import decide
from callboard.control import Order


@click.command("undo")
@click.argument("run")
@json_flag
def command(run: str, as_json: bool) -> int:
    """Take back everything that RUN had accepted: its sidecars go, what you changed in them stays.

    The proposals are kept and wait in the inbox. What somebody decided on since stays.
    """
    order = Order(run=run, by=me())
    decided = decide(here_or_default(), "undo", order, lambda desk, conn: desk.undo(conn, run, order.by))
    if as_json:
        print_json(decided)
        return 0
    out, took = console(), count(len(decided.changed), "proposal")
    if decided.changed:
        out.print(f"Took back {took} of run {run}; see 'callboard inbox'.")
    elif decided.stays:
        out.print(f"Took back nothing of run {run}.")
    else:
        out.print(f"Run {run} has nothing accepted to take back.")
    for who in dict.fromkeys(one.by for one in decided.stays):
        ids = [one.id for one in decided.stays if one.by == who]
        verb = "stays" if len(ids) == 1 else "stay"
        by_hand = f"reject {'it' if len(ids) == 1 else 'them'} by hand: callboard reject {' '.join(ids)}"
        out.print(f"{len(ids)} {verb} as {cell(who)} decided since; {by_hand}")
    return 0


__all__ = ["command"]
