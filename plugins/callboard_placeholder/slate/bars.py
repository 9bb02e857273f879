"""Colour bars for Rec. 709, as they are to be seen: full-range R'G'B', which encoding brings to its own range.

``smpte`` is SMPTE RP 219-1 (75 % bars above two rows for the monitor's set-up and a row with steps around black),
``ebu`` the full-height 100/0/75/0 bars in the nomenclature of ITU-R BT.471.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np

from callboard_placeholder.engine import Array

_WHITE, _YELLOW, _CYAN, _GREEN, _MAGENTA, _RED, _BLUE, _BLACK = (
    (1, 1, 1),
    (1, 1, 0),
    (0, 1, 1),
    (0, 1, 0),
    (1, 0, 1),
    (1, 0, 0),
    (0, 0, 1),
    (0, 0, 0),
)
_ORDER: Final = (_WHITE, _YELLOW, _CYAN, _GREEN, _MAGENTA, _RED, _BLUE)
Level = tuple[Fraction, Fraction, Fraction]
"""R', G', B', 0 to 1."""


def _of(colour: tuple[int, int, int], percent: int) -> Level:
    red, green, blue = (Fraction(part * percent, 100) for part in colour)
    return red, green, blue


def smpte(width: int, height: int, shape: Fraction) -> Array:
    """Draw SMPTE RP 219-1.

    The step of -2 % below black is black here: full-range numbers have nothing below it. Where the standard leaves a
    choice, the second row begins with 75 % white and the third with black.

    Args:
        width: Pixels.
        height: Pixels.
        shape: Width to height of the picture as it is seen. The seven bars are 4:3 in themselves, with a pillar at
            each side in wider pictures.
    """
    side = max((shape - Fraction(4, 3)) / 2 / shape, Fraction(0))
    bar = (1 - 2 * side) / 7
    grey = [(side, _of(_WHITE, 40))]
    top = [*grey, *((bar, _of(colour, 75)) for colour in _ORDER), *grey]
    second = [(side, _of(_CYAN, 100)), (bar * 7, _of(_WHITE, 75)), (side, _of(_BLUE, 100))]
    black = _of(_BLACK, 0)
    low = [
        (side, _of(_WHITE, 15)),
        (bar * Fraction(3, 2), black),
        (bar * 2, _of(_WHITE, 100)),
        (bar * Fraction(5, 6), black),
        *((bar / 3, _of(_WHITE, step)) for step in (0, 0, 2, 0, 4)),
        (bar, black),
        (side, _of(_WHITE, 15)),
    ]
    rows = [(Fraction(7, 12), _row(top, width)), (Fraction(1, 12), _row(second, width))]
    rows += [(Fraction(1, 12), _ramp(side, bar, width)), (Fraction(3, 12), _row(low, width))]
    edges = _edges([share for share, _ in rows], height)
    return np.concatenate([np.tile(row, (edges[i + 1] - edges[i], 1, 1)) for i, (_, row) in enumerate(rows)])


def ebu(width: int, height: int) -> Array:
    """Draw 100/0/75/0 bars: white at 100 %, six colours at 75 %, black."""
    bars = [(Fraction(1, 8), _of(colour, 100 if colour == _WHITE else 75)) for colour in (*_ORDER, _BLACK)]
    return np.tile(_row(bars, width), (height, 1, 1))


def _row(parts: Sequence[tuple[Fraction, Level]], width: int) -> Array:
    row = np.zeros((1, width, 3), np.uint8)
    edges = _edges([share for share, _ in parts], width)
    for index, (_, level) in enumerate(parts):
        row[:, edges[index] : edges[index + 1]] = [round(part * 255) for part in level]
    return row


def _ramp(side: Fraction, bar: Fraction, width: int) -> Array:
    """Draw the third row: yellow, black, a ramp from black to white over five bars, white, red."""
    parts = [(side, _of(_YELLOW, 100)), (bar * 6, _of(_BLACK, 0)), (bar, _of(_WHITE, 100)), (side, _of(_RED, 100))]
    row = _row(parts, width)
    first, last = round((side + bar) * width), round((side + 6 * bar) * width)
    row[0, first:last] = np.linspace(0, 255, max(last - first, 1)).round().astype(np.uint8)[: last - first, None]
    return row


def _edges(shares: Sequence[Fraction], length: int) -> list[int]:
    return [round(sum(shares[:index], Fraction(0)) * length) for index in range(len(shares) + 1)]


__all__ = ["ebu", "smpte"]
