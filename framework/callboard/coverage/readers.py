"""Finds what reads a cut, by the entry points ``callboard.cuts`` and the file's ending."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from callboard.coverage.cut import Cut, Look
from callboard.discovery import OURS, entries
from callboard.errors import JobError, MissingExtra, TimelineError

CUTS: Final = "callboard.cuts"


def read_cut(path: Path, look: Look) -> Cut:
    """Read a timeline or a project.

    Args:
        path: What a person named.
        look: Where to look for media.

    Raises:
        TimelineError: it is not there, nothing here reads such files, or it cannot be read.
        MissingExtra: what reads it is not installed.
    """
    readers = _readers()
    if not path.exists():
        raise TimelineError(str(path), "is not there", "Check the path; it counts from the current folder.")
    if not (path.is_file() or path.is_dir()):
        raise TimelineError(str(path), "is a pipe or a device, and no file", "Give a file.")
    reader = readers.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(sorted((*readers, ".csv", ".toml")))
        what = f"{path.suffix.lower()} files" if path.suffix else "files without an ending"
        raise TimelineError(str(path), f"nothing here reads {what}", f"Known are {known}.")
    if isinstance(reader, Exception):
        raise reader
    cut: Cut = reader.read(path, look)
    return cut


def _readers() -> dict[str, Any]:
    """Give what reads each ending: a module, or the error that its import was; ours before others."""
    found: dict[str, Any] = {}
    for entry, dist in sorted(entries(CUTS), key=lambda one: one[1].metadata["Name"] != OURS):
        try:
            module = entry.load()
            endings = [str(one).lower() for one in module.suffixes]
        except ModuleNotFoundError as error:
            module = MissingExtra(f"reading {entry.name} files", error.name or str(error), entry.name, dist.name)
            endings = [f".{entry.name}"]
        except Exception as error:  # noqa: BLE001 - somebody else's package; its fault hides no other
            module = JobError(f"{entry.value} of {dist.name} cannot be used: {type(error).__name__}: {error}")
            endings = [f".{entry.name}"]
        for ending in endings:
            found.setdefault(ending, module)
    return found


__all__ = ["CUTS", "read_cut"]
