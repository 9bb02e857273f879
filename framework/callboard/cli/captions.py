"""``callboard captions``: subtitle files and accepted captions; each subcommand is a module of its own."""

from __future__ import annotations

import click

from callboard.cli.options import Group

_LATER = {
    name: f"callboard.cli.captions_{name}"
    for name in ("check", "convert", "correct", "corrections", "export", "profiles")
}


@click.group("captions", cls=Group, later=_LATER)
def command() -> None:
    """Check, convert, correct and export subtitles."""


__all__ = ["command"]
