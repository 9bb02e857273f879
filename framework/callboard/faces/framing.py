"""Shot size from the faces in a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from callboard.faces.cascade import Face, FaceFinder

if TYPE_CHECKING:
    from callboard.context import Runtime

Array = np.ndarray[Any, Any]
Box = tuple[float, float, float, float]

SIDES = (540, 960)
"""Pixels: the shorter and the longer side at most of the pictures that are searched. Shot size goes by the height, so
that is what counts, not the shape: a face of 20 pixels is 4 % of a 16:9 or 4:3 picture's height."""
LEAST = 0.9
"""Score below which a face is not believed: what the cascade takes for one in fur or foliage stays below."""
HEAD = 1.3
"""Heads to a face. From the chin to the roots of the hair is a tenth of the body, to the crown an eighth (Vitruvius, De
architectura III, 1), which makes 1.25; hair stands above the crown. The networks' boxes reach from the forehead to the
chin, as those of WIDER FACE do that they were trained on."""
SIZES: Final[tuple[tuple[str, float], ...]] = (
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
_OPEN = 0.2  # logarithm beyond the last limit from which nearest and farthest are sure


class Searcher:
    """Finds the faces in pictures of any size that can be believed."""

    def __init__(self, runtime: Runtime) -> None:
        self._finder = FaceFinder(runtime)

    def find(self, pixels: Array) -> list[Face]:
        """Find the faces in a picture without black bars: uint8, height x width x 3, RGB.

        Returns:
            From the largest to the smallest, in pixels of that picture.

        Raises:
            ModelMissing: a network's pack is not here.
            RuntimeGone: the runtime died during the call.
            JobError: a network gave something that is no number.
        """
        height, width = pixels.shape[:2]
        scale = min(SIDES[0] / min(height, width), SIDES[1] / max(height, width), 1.0)
        if scale < 1.0:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        found = self._finder.find(np.ascontiguousarray(pixels))
        return [_grown(face, scale) for face in found if believable(face)]


def _grown(face: Face, scale: float) -> Face:
    left, top, right, bottom = (value / scale for value in face.box)
    return Face((left, top, right, bottom), tuple((x / scale, y / scale) for x, y in face.points), face.score)


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


__all__ = ["HEAD", "LEAST", "SIDES", "SIZES", "Searcher", "believable", "size_of"]
