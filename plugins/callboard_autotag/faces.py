"""Shot size and how many people are seen, from faces; without a face nothing is said of either."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from callboard_schemas import Evidence, Tag
from msgspec import Struct

from callboard_autotag.mtcnn import Face, FaceFinder
from callboard_autotag.picture import frame_bars, thin

if TYPE_CHECKING:
    from callboard.context import Runtime

    from callboard_autotag.analyser import Found, Picture

Array = np.ndarray[Any, Any]
Box = tuple[float, float, float, float]

METHOD: Final = "mtcnn"
SIDES = (540, 960)
"""Pixels: the shorter and the longer side at most of the pictures that are searched. Shot size goes by the height, so
that is what counts, not the shape: a face of 20 pixels is 4 % of a 16:9 or 4:3 picture's height."""
LEAST = 0.9
"""Score below which a face is not believed: what the cascade takes for one in fur or foliage stays below."""
HEAD = 1.3
"""Heads to a face. From the chin to the roots of the hair is a tenth of the body, to the crown an eighth (Vitruvius, De
architectura III, 1), which makes 1.25; hair stands above the crown. The networks' boxes reach from the forehead to the
chin, as those of WIDER FACE do that they were trained on."""
SIZES: Final = (
    ("extreme close-up", 1.0),
    ("close-up", 2.0),
    ("medium close-up", 2.85),
    ("medium shot", 4.5),
    ("medium long shot", 7.3),
    ("wide shot", 16.0),
    ("extreme wide shot", math.inf),
)
"""Name, and below how many heads to the picture's height. A body is eight heads (Loomis 1943): the chest is two down,
the waist three, the thigh five, the knee six. Film schools frame a close-up to the shoulders, a medium close-up to the
chest, a medium shot to the waist, a medium long (American, cowboy) shot to thigh or knee, a wide shot to the feet
(Arijon 1976; en.wikipedia.org/wiki/Shot_(filmmaking)): with air above, 1.7, 2.3, 3.5, 5.9 and 9 heads. The limits lie
between, as geometric means; an extreme close-up has no room for a head, and in an extreme wide shot a person stands
less than half as high as the picture."""
_UNSURE = 0.7  # what is left of a face's score where the size is just between two names
_OPEN = 0.2  # logarithm beyond the last limit from which nearest and farthest are sure
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
        self._finder, self._model = FaceFinder(runtime), model
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
        scale = min(SIDES[0] / min(height, width), SIDES[1] / max(height, width), 1.0)
        if scale < 1.0:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            inner = cv2.resize(inner, size, interpolation=cv2.INTER_AREA)
        found = self._finder.find(np.ascontiguousarray(inner))
        grown = [Face(_times(face.box, scale), face.points, face.score) for face in found if believable(face)]
        return grown, (height, width), (down, right)


def believable(face: Face) -> bool:
    """Say whether a face is sure enough, of a face's shape, and has its eyes above its mouth and inside its box."""
    left, top, right, bottom = face.box
    wide, high = right - left, bottom - top
    if face.score < LEAST or not 0.45 <= wide / max(high, 1.0) <= 1.4:
        return False
    eyes, mouth = (sum(face.points[at][1] for at in pair) / 2 for pair in ((0, 1), (3, 4)))
    return top < eyes < mouth < bottom + 0.1 * high


def size_of(face: float, height: float) -> tuple[str, float, float]:
    """Name the size of a shot.

    Args:
        face: Height of its largest face, from forehead to chin.
        height: Of the picture without black bars, in the same unit.

    Returns:
        The name; the face's share of the picture's height; and how far from the next name it is, 0 to 1.
    """
    heads = height / (face * HEAD)
    place = next(place for place, (_, most) in enumerate(SIZES) if heads < most)
    limits = [SIZES[at][1] for at in (place - 1, place) if at >= 0 and math.isfinite(SIZES[at][1])]
    near = min(abs(math.log(heads / limit)) for limit in limits)
    half = math.log(max(limits) / min(limits)) / 2 if len(limits) == 2 else _OPEN
    return SIZES[place][0], round(face / height, 4), min(near / half, 1.0)


def count_names(faces: list[Face]) -> list[str]:
    """Name how many people are seen, by their faces, largest first."""
    if len(faces) == 1:
        return ["one person"]
    if len(faces) == 2:
        alike = faces[1].height >= _ALIKE * faces[0].height
        return ["two people", "two-shot"] if alike else ["two people"]
    return ["group of people"]


def _times(box: Box, scale: float) -> Box:
    left, top, right, bottom = (value / scale for value in box)
    return left, top, right, bottom


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


__all__ = ["HEAD", "LEAST", "METHOD", "SIDES", "SIZES", "Faces", "believable", "count_names", "size_of"]
