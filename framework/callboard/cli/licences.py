"""``callboard licences``: the licence of every dependency and of every model pack."""

from __future__ import annotations

import click

from callboard.cli.options import json_flag
from callboard.cli.output import cell, print_json, print_table, table
from callboard.licences import dependencies, models


@click.command("licences")
@json_flag
def command(as_json: bool) -> int:
    """List the licence of every dependency and of every model pack, and which extra needs it."""
    found, packs = dependencies(), models()
    if as_json:
        print_json({"dependencies": found, "models": packs})
        return 0
    shown = table("package", "version", "licence", "needed by")
    for one in found:
        shown.add_row(cell(one.name), one.version, cell(one.licence), ", ".join(one.needed_by))
    print_table(shown)
    shown = table("model", "licence", "from")
    for pack in packs:
        shown.add_row(cell(pack.name), cell(pack.licence), cell(pack.origin))
    print_table(shown)
    return 0


__all__ = ["command"]
