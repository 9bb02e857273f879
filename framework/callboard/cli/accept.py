"""``callboard accept``: decide on proposals by their ids."""

from __future__ import annotations

import click

from callboard.cli.options import json_flag
from callboard.cli.review import decide_on


@click.command("accept")
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every proposal that waits.")
@click.option("--without", "tags", multiple=True, metavar="TAG", help="Leave this tag out; may be given again.")
@click.option("--without-cue", "cues", multiple=True, metavar="N,M-K", help="Leave these cues out.")
@click.option("--reason", default="", help="Why; kept with the decision.")
@json_flag
def command(
    ids: tuple[str, ...], everything: bool, tags: tuple[str, ...], cues: tuple[str, ...], reason: str, as_json: bool
) -> int:
    """Accept the proposals IDS, as 'callboard inbox' shows them; the start of an id is enough."""
    return decide_on("accept", ids, everything=everything, reason=reason, as_json=as_json, tags=tags, cues=cues)


__all__ = ["command"]
