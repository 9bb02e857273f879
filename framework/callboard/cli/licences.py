"""``callboard licences``: the licence of every dependency and of every model pack."""

from __future__ import annotations

import click

from callboard.cli.output import cell, console, print_json, table
from callboard.licences import dependencies, models


@click.command("licences")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> int:
    """List the licence of every dependency and of every model pack, and which extra needs it."""
    found, packs = dependencies(), models()
    if as_json:
        print_json({"dependencies": found, "models": packs})
        return 0
    shown = table("package", "version", "licence", "needed by")
    for one in found:
        shown.add_row(cell(one.name), one.version, cell(one.licence), ", ".join(one.needed_by))
    console().print(shown)
    shown = table("model", "licence", "from")
    for pack in packs:
        shown.add_row(cell(pack.name), cell(pack.licence), cell(pack.origin))
    console().print(shown)
    return 0


__all__ = ["command"]
