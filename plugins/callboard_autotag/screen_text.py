"""Which pictures are read for text, and the tags that come of it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from callboard_schemas import Evidence, Tag
from msgspec import Struct

from callboard_autotag.reader import Line, Reader
from callboard_autotag.slate import read_slate

Array = np.ndarray[Any, Any]

METHOD = "pp-ocr"
SIDE = 1280
"""Pixels: longest side of the pictures that are read."""
LEAST_SCORE = 0.8
"""Mean chance of its characters below which a line is not believed."""
_SAME_PICTURE = 4.0  # mean difference of thumbnails, 0 to 255
_SHORT_SCORE = 0.93  # of three letters or fewer more is asked
_TALLEST = 0.6  # share of the picture's height
_MOST_TAGS = 40


class _Seen(Struct):
    """One text, wherever it was seen."""

    text: str
    score: float
    box: tuple[float, float, float, float]
    start: float
    end: float
    frame: int
    times: int = 1


class TextFinder:
    """Reads representative pictures: the first of each shot, and one every ten seconds, unless it looks the same."""

    def __init__(self, reader: Reader, cuts: list[float], every: float = 10.0, most: int = 60) -> None:
        """Make a finder.

        Args:
            reader: That reads them.
            cuts: Seconds at which shots begin, the first one left out.
            every: Seconds after which a long shot is read again.
            most: Pictures that are read at most.
        """
        self._reader, self._cuts, self._every, self._most = reader, cuts, every, most
        self._shot, self._last = -1, float("-inf")
        self._thumbnail: Array | None = None
        self._texts: dict[str, _Seen] = {}
        self._slates: dict[tuple[str, str], Evidence] = {}
        self.read = 0
        """Pictures read so far."""

    def add(self, time: float, index: int, pixels: Array) -> None:
        """Look at a frame: uint8, height x width x 3, RGB; it is read only when it stands for something new."""
        shot = sum(cut <= time + 0.001 for cut in self._cuts)
        if self.read >= self._most or (shot == self._shot and time - self._last < self._every):
            return
        self._shot, self._last = shot, time
        thumbnail = _thumbnail(pixels)
        if self._thumbnail is not None and np.abs(thumbnail - self._thumbnail).mean() < _SAME_PICTURE:
            return
        self._thumbnail = thumbnail
        self.read += 1
        lines = [line for line in self._reader.read(pixels) if line.score >= LEAST_SCORE]
        for line in lines:
            if _worth(line):
                self._note(line, time, index)
        for field, (value, line) in read_slate(lines).items():
            seen = Evidence(start=round(time, 3), frame=index, box=line.box, text=line.text, value=line.score)
            self._slates.setdefault((field, value), seen)

    def tags(self) -> list[Tag]:
        """Give the tags: slates first, then other texts, those seen longest first."""
        found = [
            Tag(
                label=f"{field} {value}",
                score=round(seen.value or 0.0, 3),
                method=METHOD,
                group=("text", "slate"),
                evidence=(seen,),
            )
            for (field, value), seen in self._slates.items()
        ]
        on_slates = {_key(seen.text or "") for seen in self._slates.values()}
        texts = [seen for key, seen in self._texts.items() if key not in on_slates]
        ranked = sorted(texts, key=lambda seen: (-seen.times, seen.start, seen.box[1]))
        for seen in ranked[:_MOST_TAGS]:
            evidence = Evidence(
                start=round(seen.start, 3), end=round(seen.end, 3), frame=seen.frame, box=seen.box, text=seen.text
            )
            found.append(
                Tag(
                    label=f"text: {seen.text}"[:200],
                    score=round(seen.score, 3),
                    method=METHOD,
                    group=("text",),
                    evidence=(evidence,),
                )
            )
        return found

    def _note(self, line: Line, time: float, index: int) -> None:
        key = _key(line.text)
        seen = self._texts.get(key)
        if seen is None:
            self._texts[key] = _Seen(line.text, line.score, line.box, max(time, 0.0), max(time, 0.0), index)
            return
        seen.end, seen.times = max(time, seen.end), seen.times + 1
        if line.score > seen.score:
            seen.text, seen.score, seen.box, seen.frame = line.text, line.score, line.box, index


def _key(text: str) -> str:
    """Reduce a text to what makes it the same text."""
    return re.sub(r"\W", "", text).lower()


def _worth(line: Line) -> bool:
    """Leave out what texture looks like to a reader of text: single letters, strokes, short scraps, huge shapes."""
    letters = re.sub(r"[\W_]", "", line.text)
    if len(letters) < 2 or (len(set(letters.lower())) < 2 and not letters.isdigit()) or line.box[3] > _TALLEST:
        return False
    return len(letters) > 3 or line.score >= _SHORT_SCORE


def _thumbnail(pixels: Array) -> Array:
    rows = np.linspace(0, pixels.shape[0] - 1, 27).astype(int)
    columns = np.linspace(0, pixels.shape[1] - 1, 48).astype(int)
    picked: Array = pixels[rows][:, columns].astype(np.float32)
    return picked
