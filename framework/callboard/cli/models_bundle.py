"""``callboard models bundle``: puts packs into one file, to be carried to a machine without a network."""

from __future__ import annotations

from pathlib import Path

import click

from callboard.cli.models import chosen, known_packs
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, print_json
from callboard.cli.transfer import Transfer
from callboard.packs.bundle import write_bundle


@click.command("bundle")
@click.argument("names", nargs=-1, required=True)
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write, a .tar."
)
@json_flag
def command(names: tuple[str, ...], out: Path, as_json: bool) -> int:
    """Put the packs NAMES into one file. On the other machine: callboard models unbundle FILE."""
    packs = chosen(names, known_packs())
    with Transfer(quiet=as_json) as bar:
        bar.begin(out.name)
        size = write_bundle(packs, out, bar.told)
    if as_json:
        print_json({"bundle": str(out.absolute()), "bytes": size, "models": [pack.name for pack in packs]})
    else:
        console().print(f"{cell(str(out))}: {count(len(packs), 'model')}, {size / 1e6:.1f} MB")
        console().print(f"[dim]On the other machine: callboard models unbundle {cell(out.name)}[/dim]")
    return 0


__all__ = ["command"]
