"""Where ``callboard captions check --fix`` writes: a new file, or the file itself with what it was kept beside it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from callboard.errors import UsageError
from callboard.replacing import replacing
from callboard.timedtext.document import Document
from callboard.timedtext.files import FORMATS, format_of, write

_LOSE = {"ass": "styles", "ttml": "regions and styles", "stl": "everything, since none writes EBU STL"}
"""Formats of which a rewritten file would lack what cues do not hold."""


class Target(Struct, frozen=True):
    """What was asked for: *output*, in place, or neither."""

    output: Path | None = None
    in_place: bool = False


def target_of(files: Sequence[Path], *, mend: bool, output: Path | None, in_place: bool) -> Target:
    """Check what was asked for, before anything is read.

    Raises:
        UsageError: it cannot be done.
    """
    if not mend and (output is not None or in_place):
        raise UsageError("-o and --in-place write what --fix mends", "Add --fix.")
    if output is not None and in_place:
        raise UsageError("-o and --in-place are two different things", "Give one of them.")
    if output is not None and len(files) > 1:
        raise UsageError("-o names one file for several", "Mend one at a time, or use --in-place.")
    if output is not None and output.exists():
        raise UsageError(f"{output} is there already", "Give another name, or use --in-place.")
    if output is not None and not _writable(output):
        known = ", ".join(one.endings[0] for one in FORMATS.values() if one.writes)
        raise UsageError(f"{output.name} names no format that is written", f"Name it {known}.")
    for path in files if in_place else ():
        if lost := _LOSE.get(format_of(path.name)):
            raise UsageError(f"{path}: writing it anew would lose {lost}", "Write another file: -o FILE.srt")
    return Target(output, in_place)


def _writable(path: Path) -> bool:
    return any(path.suffix.lower() in one.endings and one.writes for one in FORMATS.values())


def write_fixed(path: Path, document: Document, target: Target) -> str:
    """Write a mended document as asked, and give the path; an empty string where it is not to be written.

    Raises:
        UsageError: the file would lose what its cues do not hold, and its name did not say so.
    """
    if target.output is not None:
        ending = target.output.suffix.lower()
        format_ = next(one.name for one in FORMATS.values() if ending in one.endings and one.writes)
        _put(target.output, write(document, format_))
        return str(target.output)
    if not target.in_place:
        return ""
    if lost := _LOSE.get(document.format):
        raise UsageError(f"{path}: writing it anew would lose {lost}", "Write another file: -o FILE.srt")
    body = write(document, document.format or format_of(path.name))
    shutil.copy2(path, _backup(path))
    _put(path, body)
    return str(path)


def _put(path: Path, body: bytes) -> None:
    with replacing(path, durable=True, shared=True) as file:
        file.write(body)


def _backup(path: Path) -> Path:
    """Give a name beside *path* that no file has."""
    number = 0
    while (made := path.with_name(f"{path.name}.bak{number or ''}")).exists():
        number += 1
    return made


__all__ = ["Target", "target_of", "write_fixed"]
