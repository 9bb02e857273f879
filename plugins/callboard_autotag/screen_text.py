"""Text in the picture: chosen pictures are read, and what they say becomes tags and the fields of slates."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from callboard_schemas import Evidence, Tag
from msgspec import Struct

from callboard_autotag.analyser import Found, Picture
from callboard_autotag.reader import Line, Reader
from callboard_autotag.slate import read_slate

Array = np.ndarray[Any, Any]

METHOD = "pp-ocr"
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
    """Reads pictures, unless they look the same as the last; a ``callboard_autotag.analyser.Looker``."""

    def __init__(self, reader: Reader, most: int = 60, model: str = "") -> None:
        """Make a finder.

        Args:
            reader: That reads them.
            most: Pictures that are read at most.
            model: Digest of the pack that reads.
        """
        self._reader, self._most, self._model = reader, most, model
        self._thumbnail: Array | None = None
        self._texts: dict[str, _Seen] = {}
        self._slates: dict[tuple[str, str], Evidence] = {}
        self.read = 0
        """Pictures read so far."""

    def look(self, picture: Picture) -> None:
        """Read one more picture.

        Raises:
            ModelMissing: a model is not installed.
        """
        if self.read >= self._most:
            return
        thumbnail = _thumbnail(picture.pixels)
        if self._thumbnail is not None and np.abs(thumbnail - self._thumbnail).mean() < _SAME_PICTURE:
            return
        self._thumbnail = thumbnail
        self.read += 1
        lines = [line for line in self._reader.read(picture.pixels) if line.score >= LEAST_SCORE]
        for line in lines:
            if _worth(line):
                self._note(line, picture.time, picture.index)
        for field, (value, line) in read_slate(lines).items():
            start = round(max(picture.time, 0.0), 3)
            seen = Evidence(start=start, frame=picture.index, box=line.box, text=line.text, value=line.score)
            self._slates.setdefault((field, value), seen)

    def finish(self) -> Found:
        """Say what was read."""
        return self.tags(), {"pictures_read": self.read}

    def tags(self) -> list[Tag]:
        """Give the tags: slates first, then other texts, those seen longest first."""
        found = [
            Tag(
                label=f"{field} {value}",
                score=round(seen.value or 0.0, 3),
                method=METHOD,
                group=("text", "slate"),
                evidence=(seen,),
                threshold=LEAST_SCORE,
                model=self._model,
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
                    threshold=LEAST_SCORE,
                    model=self._model,
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
