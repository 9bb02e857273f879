"""``callboard timeline``: what a timeline lacks, what goes there, its markers, and other formats."""

from __future__ import annotations

import click
from callboard.cli.options import Group

_LATER = {name: f"callboard_otio.cli_{name}" for name in ("inspect", "fill", "swap", "markers", "convert")}


@click.group("timeline", cls=Group, later=_LATER)
def command() -> None:
    """Find what a timeline lacks, fill it, mark it, and convert it.

    Reads .otio, .otioz, .otiod, EDL, Final Cut Pro 7 XML, FCPXML, AAF and ALE.
    """


__all__ = ["command"]
