"""``callboard models pull``: fetches packs from where they are offered, checks them and stores them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from callboard.cli.models import chosen, known_packs, size_of
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json
from callboard.cli.transfer import Transfer
from callboard.errors import CallboardError, ModelMissing, UsageError
from callboard.packs import Pack, download_size, status
from callboard.packs.pull import Pulled, drop_downloads, pull
from callboard.packs.terms import permissive


@click.command("pull")
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every pack that needs a pull and is not here.")
@click.option(
    "--from",
    "carried",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take it from a bundle (.tar) or from the pack's wheel (.whl), without a network.",
)
@click.option("--accept-licence", is_flag=True, help="Agree to licences that are not permissive, without being asked.")
@json_flag
def command(names: tuple[str, ...], everything: bool, carried: Path | None, accept_licence: bool, as_json: bool) -> int:
    """Fetch the packs NAMES, check every byte, and store them.

    A download that was broken off goes on where it stopped. Nothing is ever half there.
    """
    if carried is not None and carried.suffix != ".whl":
        from callboard.cli.models_unbundle import take_in

        return take_in(carried, names, accept_licence=accept_licence, as_json=as_json)
    packs = _which(names, everything=everything, wheel=carried)
    done: list[Pulled] = []
    problems: dict[str, CallboardError] = {}
    with Transfer(quiet=as_json) as bar:
        for pack in packs:
            try:
                done.append(_one(pack, bar, carried, accept_licence=accept_licence, as_json=as_json))
            except CallboardError as error:
                problems[pack.name] = error
    drop_downloads([pack for pack in packs if pack.name not in problems])
    if as_json:
        said = {name: {"code": one.code, "message": one.message, "hint": one.hint} for name, one in problems.items()}
        print_json({"pulled": done, "problems": said})
        return 1 if problems else 0
    if len(problems) == 1 and len(packs) == 1:
        raise next(iter(problems.values()))
    if not packs:
        console().print("Nothing to pull: every pack that comes from an index or a hub is here.")
    for told in problems.values():
        console().print(f"[red]{cell(told.message)}[/red] [dim]{cell(told.hint)}[/dim]")
    return 1 if problems else 0


def _which(names: tuple[str, ...], *, everything: bool, wheel: Path | None) -> list[Pack]:
    packs = known_packs()
    if everything:
        return [pack for pack in packs.values() if download_size(pack) and status(pack).state in ("missing", "altered")]
    if not names:
        raise click.UsageError("Which packs? Give their names, or --all.")
    if wheel is not None and len(names) != 1:
        raise click.UsageError("A wheel is given for one pack; name that one.")
    return chosen(names, packs)


def _one(pack: Pack, bar: Transfer, wheel: Path | None, *, accept_licence: bool, as_json: bool) -> Pulled:
    one = status(pack)
    size = download_size(pack)
    if size and one.state in ("missing", "altered"):
        if not as_json:
            console(stderr=True).print(
                f"{cell(pack.name)} {cell(pack.version)}: {size / 1e6:.1f} MB from {cell(place_of(pack))}, "
                f"licence {cell(pack.license)}"
            )
        agree(pack, accept_licence=accept_licence, ask=not as_json)
    elif one.state not in ("ready", "bad", "refused"):
        raise ModelMissing(pack.name, f"{one.problem}; it is not pulled", one.hint)
    bar.begin(pack.name)
    pulled = pull(pack, bar.told, wheel, None if as_json else lambda: _waits(pack))
    if not as_json:
        what = "is whole already" if pulled.state == "ready" else f"pulled, {size_of(pulled.bytes)}, every byte checked"
        console().print(f"{cell(pack.name)}: {what} ({cell(pulled.folder)})")
    return pulled


def _waits(pack: Pack) -> None:
    console(stderr=True).print(f"{cell(pack.name)}: another process pulls it too; waiting for that one")


def place_of(pack: Pack) -> str:
    """Say in words where a pack comes from."""
    source = pack.source
    distribution = getattr(source, "distribution", "")
    if distribution:
        kind = "the wheel" if download_size(pack) else "the installed package"
        return f"{kind} {distribution} {getattr(source, 'version', '')}"
    repository = getattr(source, "repository", "")
    return f"{repository} at {getattr(source, 'revision', '')[:12]}" if repository else "a folder"


def agree(pack: Pack, *, accept_licence: bool, ask: bool, how: str = "") -> None:
    """Have the user agree to a licence that is not known to be permissive; *how* is the command in the hint.

    Raises:
        UsageError: they did not, or nobody is there to be asked.
    """
    if accept_licence or permissive(pack.license):
        return
    hint = f"Read it, then: {how or f'callboard models pull {pack.name}'} --accept-licence"
    what = f"model {pack.name!r}: its licence, {pack.license}, is not one that permits every use"
    if not ask or not sys.stdin.isatty():
        raise UsageError(what, hint)
    if not click.confirm(f"{what}. Have you read it, and do you agree to it?", default=False, err=True):
        raise UsageError(f"{what}; not agreed to", hint)


__all__ = ["agree", "command", "place_of"]
