"""``callboard schema``: the JSON Schemas and the AsyncAPI document of every message."""

from __future__ import annotations

from pathlib import Path

import callboard_schemas
import click

from callboard.cli.output import cell, console
from callboard.schema_export import differences, export

_FOLDER = Path(callboard_schemas.__file__).parent / "json"


@click.group("schema")
def command() -> None:
    """Export or check the message schemas."""


@command.command("export")
@click.argument("folder", default=_FOLDER, type=click.Path(path_type=Path, file_okay=False))
def export_(folder: Path) -> int:
    """Write the JSON Schema of each message and asyncapi.json into FOLDER."""
    written = export(folder)
    console().print(f"Wrote {len(written)} files into {cell(str(folder))}.")
    return 0


@command.command()
@click.argument("folder", default=_FOLDER, type=click.Path(path_type=Path, file_okay=False))
def check(folder: Path) -> int:
    """Compare FOLDER with the messages of this version. Exit code 1 when they differ."""
    found = differences(folder)
    for line in found:
        console().print(cell(line))
    if not found:
        console().print("The schemas are what the messages are.")
    return 1 if found else 0


__all__ = ["command"]
