"""``callboard placeholder``: stand-ins for missing shots; each subcommand is a module of its own."""

from __future__ import annotations

import click

from callboard.cli.options import Group

_LATER = {
    name: f"callboard.cli.placeholder_{name}"
    for name in ("again", "audit", "clean", "list", "request", "show", "trail")
}


@click.group("placeholder", cls=Group, later=_LATER)
def command() -> None:
    """Ask for stand-ins, compare their versions, and make one again."""


__all__ = ["command"]
