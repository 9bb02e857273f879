"""``callboard timeline swap``: the real shots that were accepted, where their placeholders are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json, print_table, table
from callboard.errors import UsageError

from callboard_otio.cli_shared import (
    as_dict,
    file_argument,
    output_options,
    project,
    rate_option,
    read_in,
    save,
    target,
    tell_notes,
    tell_written,
)

if TYPE_CHECKING:
    from callboard_otio.swapping import Swapped


@click.command("swap")
@file_argument
@output_options
@rate_option
@json_flag
def command(
    file: Path, output: Path | None, in_place: bool, force: bool, flavour: str, rate: str, as_json: bool
) -> int:
    """Put each real shot that was accepted where its placeholder is; no edit moves by a frame.

    Handles are kept, and markers stay on their frames. A swap that was undone since gives its placeholder back. Each
    clip keeps a trail of who approved what, when, and in place of what. Exit code 1 if a shot did not fit.
    """
    out = target(file, output, in_place=in_place)
    here = project()
    if here is None:
        raise UsageError("this folder is in no project", "Real shots are accepted in one: 'callboard init' makes it.")
    found = read_in(file, rate)
    from callboard_otio.accepted import shots
    from callboard_otio.swapping import swap

    done = swap(found.timeline, shots(here), rate=found.rate)
    written = save(found, out, in_place=in_place, force=force, flavour=flavour)
    refused = any(one.state == "refused" for one in done)
    if as_json:
        print_json({**as_dict(written), "places": done})
        return int(refused)
    tell_notes(found.notes)
    _show(done)
    tell_written(written)
    return int(refused)


def _show(done: list[Swapped]) -> None:
    if not done:
        console().print("No shot was accepted for a placeholder that is in it.")
        return
    shown = table("at", "timecode", "frames", "name", "", "now", "from", "handles", "why", whole=("at", "timecode"))
    for one in done:
        spot = one.spot
        handles = f"{one.handles[0]} + {one.handles[1]}" if one.handles else ""
        row = (spot.ref, spot.timecode, str(spot.frames), cell(spot.name), one.state, cell(one.now), one.source)
        shown.add_row(*row, handles, cell(one.why))
    print_table(shown)


__all__ = ["command"]
