"""``callboard accept``: decide on proposals by their ids."""

from __future__ import annotations

import click

from callboard.cli.output import console, print_json
from callboard.cli.project import here_or_default, me
from callboard.cli.review import decide
from callboard.control import Order


@click.command("accept")
@click.argument("ids", nargs=-1, required=True)
@click.option("--reason", default="", help="Why; kept with the decision.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(ids: tuple[str, ...], reason: str, as_json: bool) -> int:
    """Accept the proposals IDS, as 'callboard inbox' shows them; the start of an id is enough."""
    order = Order(ids=ids, by=me(), reason=reason)
    decided = decide(
        here_or_default(), "accept", order, lambda desk, conn: desk.decide_many(conn, ids, "accept", order.by, reason)
    )
    if as_json:
        print_json(decided)
    else:
        console().print(
            f"Accepted {len(decided.changed)} of {len(ids)}; take it back with: callboard undo {decided.run}"
        )
    return 0


__all__ = ["command"]
