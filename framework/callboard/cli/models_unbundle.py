"""``callboard models unbundle``: takes packs out of a bundle, after checking every name, size and digest in it."""

from __future__ import annotations

from pathlib import Path

import click

from callboard.cli.models import chosen, known_packs, size_of
from callboard.cli.models_pull import agree
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json
from callboard.cli.project import here_or_default
from callboard.cli.transfer import Transfer
from callboard.packs.bundle import read_bundle, take_bundle
from callboard.packs.store import store_folder


@click.command("unbundle")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("names", nargs=-1)
@click.option("--accept-licence", is_flag=True, help="Agree to licences that are not permissive, without being asked.")
@json_flag
def command(file: Path, names: tuple[str, ...], accept_licence: bool, as_json: bool) -> int:
    """Take the packs NAMES (all when none is given) out of the bundle FILE into the store, without a network."""
    return take_in(file, names, accept_licence=accept_licence, as_json=as_json)


def take_in(file: Path, names: tuple[str, ...], *, accept_licence: bool, as_json: bool) -> int:
    """Store the packs *names* of the bundle *file*, or all; gives the exit code."""
    inside = {pack.name: pack for pack in read_bundle(file)}
    packs = chosen(names or tuple(inside), inside)
    for pack in packs:
        agree(pack, accept_licence=accept_licence, ask=not as_json, how=f"callboard models unbundle {file}")
    store = store_folder(here_or_default().settings.runtime.store)
    with Transfer(quiet=as_json) as bar:
        bar.begin(file.name)
        carried = take_bundle(file, packs, store, known_packs(), bar.told)
    if as_json:
        print_json({"stored": carried})
        return 0
    for one in carried:
        what = "was there already, whole" if one.already else f"{size_of(one.bytes)} stored, every byte checked"
        console().print(f"{cell(one.name)} {cell(one.version)} ({cell(one.license)}): {what} ({cell(one.folder)})")
    return 0


__all__ = ["command", "take_in"]
