"""In which line of a file a cue stands, so that an editor can go there."""

from __future__ import annotations

import re
from bisect import bisect_left
from pathlib import Path

from callboard.timedtext.document import Document

_TIMING = re.compile(rb"(?:(\d+):)?(\d{1,3}):(\d{1,2})[.,:](\d{1,3})\s*-->")
_LARGEST = 64 * 1024 * 1024


def cue_lines(path: Path, document: Document) -> list[int]:
    """Give the line of each cue's times, from 1; 0 where the format has none or it is not to be told.

    SubRip and WebVTT put the times of a cue on a line of their own, by which it is found.
    """
    if document.format not in ("srt", "vtt"):
        return [0] * len(document.cues)
    with path.open("rb") as file:
        rows = file.read(_LARGEST).replace(b"\0", b"").splitlines()
    places = sorted((_milliseconds(found), line) for line, row in enumerate(rows, 1) if (found := _TIMING.search(row)))
    lines: list[int] = []
    used: set[int] = set()
    for cue in document.cues:
        at = bisect_left(places, (round(cue.start * 1000) - 20, 0))
        near = [place for place in places[at : at + 64] if place[0] <= cue.start * 1000 + 20 and place[1] not in used]
        best = min(near, key=lambda place: (abs(place[0] - cue.start * 1000) > 1.5, place[1]), default=(0, 0))
        used.add(best[1])
        lines.append(best[1])
    return lines


def _milliseconds(found: re.Match[bytes]) -> int:
    hours, minutes, seconds, rest = found[1] or b"0", found[2], found[3], found[4]
    return (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1000 + int(rest.ljust(3, b"0"))


__all__ = ["cue_lines"]
