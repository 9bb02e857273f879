"""The timeline formats that are read and written, told by a file's name and, for XML, by its root."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from callboard.errors import TimelineError


class Format(NamedTuple):
    """A timeline format."""

    name: str
    suffix: str
    title: str
    writes: bool = True


FORMATS = {
    one.name: one
    for one in (
        Format("otio", ".otio", "OpenTimelineIO"),
        Format("otioz", ".otioz", "OpenTimelineIO with its media in one file"),
        Format("otiod", ".otiod", "OpenTimelineIO with its media in a folder"),
        Format("edl", ".edl", "CMX 3600 EDL"),
        Format("fcp7", ".xml", "Final Cut Pro 7 XML"),
        Format("fcpxml", ".fcpxml", "Final Cut Pro X XML"),
        Format("aaf", ".aaf", "AAF"),
        Format("ale", ".ale", "Avid Log Exchange", writes=False),
    )
}
WRITTEN = tuple(one.name for one in FORMATS.values() if one.writes)
_HEAD = 4096


def format_of(path: Path) -> str:
    """Tell the format of a file that is there, or that is to be written.

    Raises:
        TimelineError: its name says no format that is known here.
    """
    suffix = path.suffix.lower()
    if suffix == ".fcpxmld":
        return "fcpxml"
    for one in FORMATS.values():
        if suffix == one.suffix:
            return "fcpxml" if one.name == "fcp7" and _is_fcpxml(path) else one.name
    known = ", ".join(one.suffix for one in FORMATS.values())
    raise TimelineError(
        str(path),
        f"{suffix or 'a name without an ending'} is no timeline format that is known here",
        f"Known are {known}; a .prproj, .drp or .kdenlive is exported to one of them by its application.",
    )


def _is_fcpxml(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b"<fcpxml" in file.read(_HEAD)
    except OSError:
        return False


__all__ = ["FORMATS", "WRITTEN", "Format", "format_of"]
