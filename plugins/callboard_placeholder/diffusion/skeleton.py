"""A figure as OpenPose draws it, for ControlNets that were taught on such pictures: eighteen joints, seventeen limbs.

Which joint is joined to which, the ring of hues, and limbs at six tenths of a joint's brightness are what the field
agreed on (Cao et al., *OpenPose*, 2019, the COCO model; Zhang et al., *ControlNet*, 2023).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from callboard_placeholder.engine import Array

Joint = tuple[float, float] | None
"""x and y, 0 to 1 from the left and from above; nothing where it is not seen."""
JOINTS: Final = (
    "nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow", "left wrist",
    "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle",
    "right eye", "left eye", "right ear", "left ear",
)  # fmt: skip
"""In the order in which they come; right and left are the figure's own."""
LIMBS: Final = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
"""Places of the joints at both ends; the colour of a limb is that of the joint of its own place."""
_RADIUS: Final = 4.0
"""Pixels of a joint's circle, and half of a limb's breadth, in a picture of 512 x 512."""
_SIDE: Final = 512
_DIM: Final = 0.6
_ROUND: Final = 48
"""Corners of a limb's ellipse."""
_RAMP: Final = (0, 85, 170, 255)


def _ring() -> tuple[tuple[int, int, int], ...]:
    """Give a colour for each joint: once round the hues from red by yellow, green and blue, in steps of 85."""
    up, down = _RAMP[:3], tuple(reversed(_RAMP[1:]))
    ring = [
        *((255, value, 0) for value in up),
        *((value, 255, 0) for value in down),
        *((0, 255, value) for value in up),
        *((0, value, 255) for value in down),
        *((value, 0, 255) for value in up),
        *((255, 0, value) for value in down),
    ]
    return tuple(ring)


COLOURS: Final = _ring()
"""RGB of each joint."""


def skeleton(figures: Sequence[Sequence[Joint]], width: int, height: int) -> Array:
    """Draw figures on black, the first farthest.

    Args:
        figures: Eighteen joints each.
        width: Pixels.
        height: Pixels.

    Returns:
        height x width x 3, uint8, RGB.
    """
    picture = Image.new("RGB", (width, height))
    pen = ImageDraw.Draw(picture)
    radius = max(_RADIUS * math.sqrt(width * height) / _SIDE, 1.0)
    for figure in figures:
        at = [None if joint is None else (joint[0] * width, joint[1] * height) for joint in figure]
        for colour, (one, other) in zip(COLOURS, LIMBS, strict=False):
            start, end = at[one], at[other]
            if start is not None and end is not None:
                pen.polygon(_ellipse(start, end, radius), fill=tuple(int(part * _DIM) for part in colour))
        for colour, joint in zip(COLOURS, at, strict=True):
            if joint is not None:
                x, y = joint
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return np.asarray(picture, np.uint8)


def _ellipse(start: tuple[float, float], end: tuple[float, float], half: float) -> list[tuple[float, float]]:
    """Give the corners of an ellipse from one point to another, *half* as broad to each side."""
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    along = math.dist(start, end) / 2
    turn = math.atan2(end[1] - start[1], end[0] - start[0])
    cosine, sine = math.cos(turn), math.sin(turn)
    points = []
    for step in range(_ROUND):
        far, wide = along * math.cos(math.tau * step / _ROUND), half * math.sin(math.tau * step / _ROUND)
        points.append((x + far * cosine - wide * sine, y + far * sine + wide * cosine))
    return points


__all__ = ["COLOURS", "JOINTS", "LIMBS", "Joint", "skeleton"]
