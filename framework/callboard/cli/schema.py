"""``callboard schema``: the JSON Schemas and the AsyncAPI document of every message."""

from __future__ import annotations

from pathlib import Path

import callboard_schemas
import click

from callboard.cli.options import Group, json_flag
from callboard.cli.output import cell, console, print_json
from callboard.schema_export import differences, export

_FOLDER = Path(callboard_schemas.__file__).parent / "json"


@click.group("schema", cls=Group)
@json_flag
def command(as_json: bool) -> None:
    """Export or check the message schemas."""


@command.command("export")
@click.argument("folder", default=_FOLDER, type=click.Path(path_type=Path, file_okay=False))
@json_flag
def export_(folder: Path, as_json: bool) -> int:
    """Write the JSON Schema of each message and asyncapi.json into FOLDER."""
    written = export(folder)
    if as_json:
        print_json({"written": [str(path) for path in written]})
        return 0
    console().print(f"Wrote {len(written)} files into {cell(str(folder))}.")
    return 0


@command.command()
@click.argument("folder", default=_FOLDER, type=click.Path(path_type=Path, file_okay=False))
@json_flag
def check(folder: Path, as_json: bool) -> int:
    """Compare FOLDER with the messages of this version. Exit code 1 when they differ."""
    found = differences(folder)
    if as_json:
        print_json({"differences": found})
        return 1 if found else 0
    for line in found:
        console().print(cell(line))
    if not found:
        console().print("The schemas are what the messages are.")
    return 1 if found else 0


__all__ = ["command"]
