"""``callboard models``: which packs are here, whether they are whole, and how to get the others."""

from __future__ import annotations

import click

from callboard.cli.options import Group, json_flag, unknown
from callboard.cli.output import cell, console, print_json, print_table, table
from callboard.cli.project import here_or_default
from callboard.errors import ModelMissing
from callboard.packs import Pack, PackStatus, packs_of, status, verify

_LATER = {
    name: f"callboard.cli.models_{name}" for name in ("bundle", "export", "info", "pull", "remove", "unbundle", "warm")
} | {"add-hub": "callboard.cli.models_add"}


@click.group("models", cls=Group, later=_LATER, plain="list")
@json_flag
def command(as_json: bool) -> None:
    """List, pull, verify, carry and remove model packs."""


def known_packs() -> dict[str, Pack]:
    """Find every pack that the current project, or the user's own, knows."""
    return packs_of(here_or_default().settings.runtime)


def chosen(names: tuple[str, ...], packs: dict[str, Pack]) -> list[Pack]:
    """Give the packs of these names, each once.

    Raises:
        click.UsageError: one is not there; the message says which was probably meant.
    """
    strange = [name for name in names if name not in packs]
    if strange:
        raise unknown("model", strange[0], packs, click.get_current_context(), _hint(strange[0]))
    return [packs[name] for name in dict.fromkeys(names)]


def _hint(name: str) -> str:
    if "clip" in name.lower() or name.endswith(("-image", "-text")):
        return "No package carries a CLIP: 'callboard models add-hub --recommended' lists some to be added."
    return "'callboard models list' shows those that are known."


def size_of(size: int) -> str:
    """Write a size: in kB below a tenth of a MB, else in MB."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{max(size / 1e3, 0.1):.1f} kB"


def _state(one: PackStatus) -> str:
    """Say how a pack stands; of one that is not here the command is enough, ``models info`` says the rest."""
    if one.state == "ready":
        return one.state
    if one.state != "missing":
        return f"[red]{one.state}[/red]: {cell(one.problem)} [dim]{cell(one.hint)}[/dim]"
    command = one.hint if one.hint.startswith(("callboard ", "pip ")) else f"callboard models info {one.name}"
    return f"[red]missing[/red] [dim]{cell(command)}[/dim]"


@command.command("list")
@json_flag
def list_(as_json: bool) -> int:
    """List every pack with its task, licence and state."""
    found = [status(pack) for pack in known_packs().values()]
    if as_json:
        print_json({"models": found})
        return 0
    shown = table("model", "task", "engine", "licence", "size", "state")
    for one in found:
        size = size_of(one.bytes) if one.bytes else ""
        shown.add_row(cell(one.name), cell(one.task), one.engine, cell(one.license), size, _state(one))
    print_table(shown)
    return 0


@command.command("verify")
@click.argument("names", nargs=-1)
@json_flag
def verify_(names: tuple[str, ...], as_json: bool) -> int:
    """Read every file of the packs NAMES (all when none is given) and compare its digest."""
    packs = known_packs()
    asked = chosen(names or tuple(packs), packs)
    problems: dict[str, str] = {}
    for pack in asked:
        try:
            verify(pack, fresh=True)
        except ModelMissing as error:
            problems[pack.name] = str(error)
    if as_json:
        print_json({"verified": [pack.name for pack in asked if pack.name not in problems], "problems": problems})
    else:
        for name in (pack.name for pack in asked):
            console().print(f"{cell(name)}: " + (f"[red]{cell(problems[name])}[/red]" if name in problems else "whole"))
    return 1 if problems else 0


__all__ = ["chosen", "command", "known_packs", "size_of"]
