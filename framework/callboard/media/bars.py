"""Black bars around a picture: letterboxes and pillarboxes."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_BLACK = 24  # of 255: video black is 16, and compression adds a little


def frame_bars(pixels: Array) -> tuple[int, int]:
    """Measure black bars of equal size: rows at the top and at the bottom, columns at the left and at the right.

    Args:
        pixels: uint8, height x width x 3; a small picture is enough.
    """
    light = pixels.max(axis=2)
    if light.max() < 2 * _BLACK:
        return 0, 0
    found = []
    for axis in (1, 0):
        lit = np.flatnonzero(np.percentile(light, 95, axis=axis) > _BLACK)
        before, after = (int(lit[0]), light.shape[1 - axis] - 1 - int(lit[-1])) if len(lit) else (0, 0)
        even = abs(before - after) <= 1 and 2 * before < 0.6 * light.shape[1 - axis]
        found.append(min(before, after) if even else 0)
    return found[0], found[1]


__all__ = ["frame_bars"]
