"""``callboard undo``: take back what a run wrote."""

from __future__ import annotations

import click

from callboard.cli.options import json_flag
from callboard.cli.output import console, count, print_json
from callboard.cli.project import here_or_default, me
from callboard.cli.review import decide
from callboard.control import Order


@click.command("undo")
@click.argument("run")
@json_flag
def command(run: str, as_json: bool) -> int:
    """Take back everything that RUN had accepted: its sidecars go, what you changed in them stays.

    The proposals are kept and wait in the inbox.
    """
    order = Order(run=run, by=me())
    decided = decide(here_or_default(), "undo", order, lambda desk, conn: desk.undo(conn, run, order.by))
    if as_json:
        print_json(decided)
    else:
        took = count(len(decided.changed), "proposal")
        console().print(
            f"Took back {took} of run {run}; see 'callboard inbox'."
            if decided.changed
            else f"Run {run} has nothing accepted to take back."
        )
    return 0


__all__ = ["command"]
