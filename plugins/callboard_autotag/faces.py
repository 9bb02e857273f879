"""Shot size and how many people are seen, from faces; without a face nothing is said of either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from callboard.faces.cascade import Face
from callboard.faces.framing import LEAST, SIZES, Searcher, size_of
from callboard.media.bars import frame_bars
from callboard_schemas import Evidence, Tag
from msgspec import Struct

from callboard_autotag.picture import thin

if TYPE_CHECKING:
    from callboard.context import Runtime

    from callboard_autotag.analyser import Found, Picture

Array = np.ndarray[Any, Any]
Box = tuple[float, float, float, float]

METHOD: Final = "mtcnn"
_UNSURE = 0.7  # what is left of a face's score where the size is just between two names
_ALIKE = 0.5  # height of the smaller face to the larger from which two people share a shot
_BARS_SIDE = 180
_MOST_EVIDENCE = 200


class _Seen(Struct, frozen=True):
    score: float
    evidence: Evidence


class Faces:
    """Looks for faces; a ``callboard_autotag.analyser.Looker``."""

    def __init__(self, runtime: Runtime, model: str = "") -> None:
        """Make a looker.

        Args:
            runtime: That has the three networks.
            model: Digest of the pack of the last one, for the tags.
        """
        self._searcher, self._model = Searcher(runtime), model
        self._sizes: dict[str, list[_Seen]] = {}
        self._people: dict[str, list[_Seen]] = {}
        self._pictures = self._with = self._most = 0

    def look(self, picture: Picture) -> None:
        """Look at one more picture.

        Raises:
            ModelMissing: a network's pack is not here.
        """
        self._pictures += 1
        faces, shape, corner = self._find(picture.pixels)
        if not faces:
            return
        self._with += 1
        self._most = max(self._most, len(faces))
        boxes = [_share(face.box, corner, picture.pixels.shape) for face in faces]
        name, share, sureness = size_of(faces[0].height, shape[0])
        seen = _evidence(picture, boxes[0], share)
        self._sizes.setdefault(name, []).append(_Seen(faces[0].score * (_UNSURE + (1 - _UNSURE) * sureness), seen))
        for name in count_names(faces):
            rows = self._people.setdefault(name, [])
            rows += [_Seen(face.score, _evidence(picture, box)) for face, box in zip(faces, boxes, strict=True)]

    def finish(self) -> Found:
        """Give the tags: sizes from near to far, then people; nothing where no face was seen."""
        if not self._with:
            return [], {"pictures_with_faces": 0} if self._pictures else {}
        tags = [
            self._tag(name, ("framing", "shot size"), self._sizes[name], LEAST * _UNSURE)
            for name, _ in SIZES
            if name in self._sizes
        ]
        for name, rows in self._people.items():
            group = ("framing",) if name == "two-shot" else ("people",)
            # People who turn their backs have no face to be counted by.
            tags.append(self._tag(name, group, rows, LEAST, guess=name != "two-shot"))
        return tags, {"pictures_with_faces": self._with, "most_faces": self._most}

    def _tag(
        self, name: str, group: tuple[str, ...], rows: list[_Seen], threshold: float, *, guess: bool = False
    ) -> Tag:
        return Tag(
            label=name,
            score=round(min(float(np.mean([row.score for row in rows])), 1.0), 3),
            method=METHOD,
            group=group,
            evidence=tuple(row.evidence for row in rows[:_MOST_EVIDENCE]),
            guess=guess,
            threshold=round(threshold, 3),
            model=self._model,
        )

    def _find(self, pixels: Array) -> tuple[list[Face], tuple[int, int], tuple[int, int]]:
        """Find the faces that can be believed inside black bars.

        Returns:
            Faces, in pixels of the whole picture below and right of its bars; height and width without the bars; the
            bars' height and width.
        """
        small = thin(pixels, _BARS_SIDE)
        step = max(1, max(pixels.shape[:2]) // _BARS_SIDE)
        down, right = (bar * step for bar in frame_bars(small))
        inner = pixels[down : pixels.shape[0] - down, right : pixels.shape[1] - right]
        height, width = inner.shape[:2]
        return self._searcher.find(inner), (height, width), (down, right)


def count_names(faces: list[Face]) -> list[str]:
    """Name how many people are seen, by their faces, largest first."""
    if len(faces) == 1:
        return ["one person"]
    if len(faces) == 2:
        alike = faces[1].height >= _ALIKE * faces[0].height
        return ["two people", "two-shot"] if alike else ["two people"]
    return ["group of people"]


def _share(box: Box, corner: tuple[int, int], shape: tuple[int, ...]) -> Box:
    """Give x, y, width and height as shares of the whole picture, cut off at its edges."""
    down, right = corner
    high, wide = shape[:2]
    x0, y0, x1, y1 = (
        min(max(value, 0.0), 1.0)
        for value in ((box[0] + right) / wide, (box[1] + down) / high, (box[2] + right) / wide, (box[3] + down) / high)
    )
    return round(x0, 4), round(y0, 4), round(x1 - x0, 4), round(y1 - y0, 4)


def _evidence(picture: Picture, box: Box, value: float | None = None) -> Evidence:
    shot = picture.shot
    start = shot.start if shot else max(picture.time, 0.0)
    return Evidence(
        start=round(start, 3), end=round(shot.end, 3) if shot else None, frame=picture.index, box=box, value=value
    )


__all__ = ["METHOD", "Faces", "count_names"]
