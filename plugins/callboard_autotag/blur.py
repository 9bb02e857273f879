"""How blurred a picture is, whatever it shows: blurring a blurred picture again changes little."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, Any]

_WIDTH = 9  # pixels of the second blur, as in the paper


def measure_blur(grey: Array) -> float:
    """Measure the blur effect of Crété, Dolmiere, Ladret and Nicolas, "The blur effect", SPIE 6492 (2007).

    Args:
        grey: uint8, height x width, at least 10 pixels a side.

    Returns:
        0, sharp, to 1, blurred, along the direction in which it is worse.
    """
    sharp = grey.astype(np.float32)
    worst = 0.0
    for axis, size in ((0, (1, _WIDTH)), (1, (_WIDTH, 1))):
        blurred = cv2.blur(sharp, size)
        before = np.abs(np.diff(sharp, axis=axis))
        lost = np.maximum(before - np.abs(np.diff(blurred, axis=axis)), 0.0)
        whole = float(before.sum())
        if whole > 0:
            worst = max(worst, (whole - float(lost.sum())) / whole)
    return worst


__all__ = ["measure_blur"]
