"""Which numbered files of a sequence are there: each folder is listed once, however long the sequence says it is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import Final

from callboard.coverage.cut import Frames

MAX_FILES: Final = 500_000
"""Files of a folder that are looked at."""
_MOST_RUNS: Final = 1000
_PATTERN: Final = re.compile(r"%0?(\d*)d|(#+)|(@+)|\[(\d+)-(\d+)\]")

Run = tuple[int, int]


class Folders:
    """Remembers which numbers each sequence has; empty files do not count."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, int]] = {}
        self._numbers: dict[tuple[str, str, str], list[int]] = {}

    def numbers(self, frames: Frames) -> list[int]:
        """Give the numbers that are there, in order."""
        key = (frames.folder, frames.prefix, frames.suffix)
        if key not in self._numbers:
            begin, end = len(frames.prefix), len(frames.suffix)
            fits = (
                name[begin : len(name) - end]
                for name, size in self._list(frames.folder).items()
                if size and name.startswith(frames.prefix) and name.endswith(frames.suffix) and len(name) > begin + end
            )
            self._numbers[key] = sorted({int(digits) for digits in fits if digits.isascii() and digits.isdigit()})
        return self._numbers[key]

    def _list(self, folder: str) -> dict[str, int]:
        if folder not in self._names:
            self._names[folder] = dict(_listed(folder))
        return self._names[folder]


def _listed(folder: str) -> Iterator[tuple[str, int]]:
    try:
        with os.scandir(folder) as listing:
            for count, entry in enumerate(listing):
                if count >= MAX_FILES:
                    return
                try:
                    if entry.is_file():
                        yield entry.name, entry.stat().st_size
                except OSError:
                    continue
    except (OSError, ValueError):
        return


def lacking(there: Sequence[int], frames: Frames) -> tuple[tuple[Run, ...], int]:
    """Give the runs of numbers that are not there, and how many numbers those are.

    Work grows with the files that are there, not with what a cut claims that there should be.
    """
    if frames.step > 1:
        return _stepped(set(there), frames)
    runs: list[Run] = []
    count, at = 0, frames.first
    for number in (*(one for one in there if frames.first <= one <= frames.last), frames.last + 1):
        if number > at:
            count += number - at
            if len(runs) < _MOST_RUNS:
                runs.append((at, number - 1))
        at = number + 1
    return tuple(runs), count


def _stepped(there: set[int], frames: Frames) -> tuple[tuple[Run, ...], int]:
    expected = range(frames.first, frames.last + 1, frames.step)
    count = len(expected) - sum(one in expected for one in there)
    listed = [one for one in expected[:MAX_FILES] if one not in there][:_MOST_RUNS]
    return tuple((one, one) for one in listed), count


def around(there: Sequence[int], frames: Frames) -> tuple[int, int]:
    """Count the files without a hole before the first that is shown, and behind the last."""
    known = set(there)
    head = tail = 0
    while frames.first - frames.step * (head + 1) in known:
        head += 1
    while frames.last + frames.step * (tail + 1) in known:
        tail += 1
    return head, tail


def said(runs: Sequence[Run], count: int, padding: int = 0) -> str:
    """Write runs of numbers for people: ``7 frames are not there: 1003-1008, 1010``."""
    first = [f"{a:0{padding}d}" if a == b else f"{a:0{padding}d}-{b:0{padding}d}" for a, b in runs[:4]]
    more = ", …" if len(runs) > len(first) else ""
    which = "frame is" if count == 1 else "frames are"
    return f"{count} {which} not there: {', '.join(first)}{more}"


def pattern_of(path: str) -> tuple[str, str, str, int] | None:
    """Split a path with ``%04d``, ``####`` or ``[0001-0100]`` in its name: folder, prefix, suffix and padding."""
    folder, name = os.path.split(path)
    found = _PATTERN.search(name)
    if found is None:
        return None
    padding = len(found[4]) if found[4] else len(found[2] or found[3] or "") or int(found[1] or 1)
    return folder, name[: found.start()], name[found.end() :], min(padding, 32)


__all__ = ["Folders", "around", "lacking", "pattern_of", "said"]
