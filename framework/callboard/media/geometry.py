"""Turning pictures upright and to size. Runs in the decoder only."""

from __future__ import annotations

import math
import struct
from typing import Any, NamedTuple

import numpy as np


class Turn(NamedTuple):
    """How a stored picture becomes upright: mirrored first, then turned clockwise."""

    degrees: int = 0
    mirrored: bool = False

    @property
    def swaps(self) -> bool:
        """Whether width and height change places."""
        return self.degrees in (90, 270)


def turn_of_matrix(data: bytes) -> Turn:
    """Read a display matrix: nine 32-bit integers, of which the upper left four turn and mirror.

    The layout is that of the movie header matrix in ISO/IEC 14496-12, 16.16 fixed point, y downwards.
    """
    if len(data) < 36:
        return Turn()
    a, b, _, c, d = struct.unpack("=9i", data[:36])[:5]
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    if a == 0 and b == 0:
        return Turn()
    return Turn(round(math.degrees(math.atan2(b, a)) / 90) * 90 % 360, mirrored)


def upright(pixels: np.ndarray[Any, Any], turn: Turn) -> np.ndarray[Any, Any]:
    """Return *pixels* (height x width x 3) turned upright, in C order."""
    if turn.mirrored:
        pixels = pixels[:, ::-1]
    if turn.degrees:
        pixels = np.rot90(pixels, -turn.degrees // 90)
    return np.ascontiguousarray(pixels)


def display_size(width: int, height: int, aspect: float) -> tuple[int, int]:
    """Return the size in square pixels; *aspect* is one pixel's width over its height.

    Aspects past 8:1 are taken for nonsense: anamorphic lenses and broadcast formats stay under 2.2:1.
    """
    if not 0.125 <= aspect <= 8.0:
        return width, height
    return max(1, round(width * aspect)), height


def fit(width: int, height: int, max_side: int) -> tuple[int, int]:
    """Scale a size down until its longest side is *max_side*; 0 keeps it."""
    longest = max(width, height)
    if not max_side or longest <= max_side:
        return width, height
    return max(1, round(width * max_side / longest)), max(1, round(height * max_side / longest))


__all__ = ["Turn", "display_size", "fit", "turn_of_matrix", "upright"]
