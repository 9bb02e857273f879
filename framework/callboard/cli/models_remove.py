"""``callboard models remove``: takes packs out of the store."""

from __future__ import annotations

from pathlib import Path

import click

from callboard.cli.models import chosen, known_packs, size_of
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json
from callboard.cli.project import here_or_default
from callboard.discovery import discover
from callboard.packs import mend_command
from callboard.packs.removal import remove


@click.command("remove")
@click.argument("names", nargs=-1, required=True)
@json_flag
def command(names: tuple[str, ...], as_json: bool) -> int:
    """Remove the packs NAMES from the store, and say how many bytes that freed.

    Packs that a package or a folder of your own holds stay where they are.
    """
    packs = chosen(names, known_packs())
    done = [remove(pack.name, Path(pack.store)) for pack in packs]
    users = {pack.name: users_of(pack.name) for pack in packs}
    if as_json:
        print_json({"removed": done, "used_by": users, "freed": sum(one.freed for one in done)})
        return 0
    out = console()
    left = known_packs()
    for one in done:
        if not one.folders:
            out.print(f"{cell(one.name)}: nothing of it is in the store")
            continue
        out.print(f"{cell(one.name)}: {size_of(one.freed)} freed")
        if users[one.name]:
            back = f" To have it again: {mend_command(left[one.name])}" if one.name in left else ""
            out.print(f"[dim]It is used by {cell(', '.join(users[one.name]))}.{cell(back)}[/dim]")
    return 0


def users_of(name: str) -> list[str]:
    """Name the plugins that use the pack *name*, whether they must or may."""
    return [
        one.id
        for one in discover(here_or_default().settings.allow_plugins)
        if one.manifest is not None and name in (*one.manifest.models, *one.manifest.optional_models)
    ]


__all__ = ["command", "users_of"]
