"""``callboard hosts bridge``: the client for scripts inside any application, as one file."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click

from callboard import __version__
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json
from callboard.errors import UsageError

_MODULE = "callboard_bridge.onefile"
"""Named, not imported above: it is no part of the engine, and the engine none of it."""
_OURS = "Made by Callboard"


@click.command("bridge")
@click.option(
    "-o",
    "--output",
    default="callboard_bridge.py",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where it goes; a script there imports it by this name. One that ends in .lua is for LuaJIT.",
)
@json_flag
def command(output: Path, as_json: bool) -> int:
    """Write the bridge for your own scripts, as one file.

    It needs Python 3.7 or newer and nothing else. An older one that Callboard made is replaced, any other file is not.
    """
    text = _text(lua=output.suffix == ".lua")
    if output.exists() and _OURS not in output.read_text("utf-8", "replace")[:2000]:
        raise UsageError(f"{output} is there, and not made by Callboard", "Name another file with -o.")
    output.write_text(text, "utf-8")
    size = len(text.encode())
    if as_json:
        print_json({"file": str(output.absolute()), "bytes": size})
    else:
        console().print(f"Wrote {cell(str(output))} ({size / 1000:.0f} kB). To take it away again, delete it.")
    return 0


def _text(*, lua: bool) -> str:
    module: Any = importlib.import_module(_MODULE)
    if lua:
        return f"-- {_OURS} {__version__}; changes are lost when it is made again.\n{module.build_lua()}"
    return str(module.build())


__all__ = ["command"]
