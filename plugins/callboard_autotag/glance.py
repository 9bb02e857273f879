"""Where a closer look for text is worth its price: regions of a picture in which a small look saw a trace of any.

Detection takes nearly three times the processor time at 960 pixels that it takes at 576, and most pictures show no
text. What it marks is the core of a line, thinner than its letters, so regions reach well beyond the marks.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

Array = np.ndarray[Any, Any]
Region = tuple[int, int, int, int]

SIDE: Final = 576
"""Pixels: longest side of the small look. Of 24 lines with letters of 1.2 to 2 % of a 16:9 picture's height, 4 to 6.5
pixels there, 22 are read after it, and 23 where all of the picture is looked at closely; at 480 pixels it is 19."""
_TRACE = 0.1  # chance at which a mark ends; the close look wants 0.3
_PEAK = 0.3  # chance that a mark must reach; with 0.2 and 0.5 instead one line in twenty-four fewer is read
_AROUND = 2.0  # times the shorter side of a mark, above and below: a line is 2.6 times as high as its core
_LEAST_AROUND = 12  # pixels at the small size
_WHOLE = 0.7  # share of the picture from which one look at all of it is cheaper than at the regions


def find_regions(chances: Array, width: int, height: int) -> list[Region]:
    """Say where to look closer.

    Args:
        chances: float32, rows x columns, 0 to 1: what a small look saw.
        width: Of the picture in pixels; regions are scaled to it.
        height: Of the picture in pixels.

    Returns:
        Left, top, right and bottom in pixels of the picture, none touching another; one region, the whole picture,
        where they would be most of it.
    """
    rows, columns = chances.shape
    rectangles = [_grown(mark, columns, rows) for mark in _marks(chances)]
    before = -1
    while len(rectangles) != before:  # rectangles that came to touch become one
        before = len(rectangles)
        mask = np.zeros(chances.shape, np.uint8)
        for left, top, right, bottom in rectangles:
            mask[top:bottom, left:right] = 1
        stats = cv2.connectedComponentsWithStats(mask)[2][1:, :4].tolist()
        rectangles = [(x, y, x + wide, y + high) for x, y, wide, high in stats]
    across, down = width / columns, height / rows
    regions = [
        (int(left * across), int(top * down), min(width, round(right * across)), min(height, round(bottom * down)))
        for left, top, right, bottom in rectangles
    ]
    area = sum((right - left) * (bottom - top) for left, top, right, bottom in regions)
    return [(0, 0, width, height)] if area > _WHOLE * width * height else regions


def _marks(chances: Array) -> list[Region]:
    """Find what was marked surely enough: x, y, width and height at the small size."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((chances > _TRACE).astype(np.uint8))
    peaks = np.zeros(count, np.float32)
    np.maximum.at(peaks, labels.ravel().astype(np.intp), chances.ravel())
    return [(x, y, wide, high) for x, y, wide, high in stats[1:, :4][peaks[1:] >= _PEAK].tolist()]


def _grown(mark: Region, columns: int, rows: int) -> Region:
    x, y, wide, high = mark
    around = round(max(_LEAST_AROUND, _AROUND * min(wide, high)))
    beside = 2 * around  # the ends of a line are fainter than its middle
    return max(0, x - beside), max(0, y - around), min(columns, x + wide + beside), min(rows, y + high + around)


__all__ = ["SIDE", "Region", "find_regions"]
