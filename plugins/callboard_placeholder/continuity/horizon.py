"""Where the horizon is in a picture: the one long, nearly level line at which everything above differs from below."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct

from callboard_placeholder.continuity.view import COLUMNS, ROWS, View
from callboard_placeholder.engine import Array

_BAND: Final = 5
"""Rows above and below a line that are compared: a treetop on the horizon does not move it."""
_FINE: Final = 2
"""The same, by which a line must prove straight: hills keep to the wider band, and not to this."""
_TILTS: Final = tuple(range(-12, 13))
"""Degrees that are looked at; a picture tilted further is tilted on purpose, and the line is no longer a horizon."""
_STEP: Final = 8.0
"""Delta E*ab from above to below at least: fog, or a wall of one colour, has no horizon."""
_AGREE: Final = 0.85
"""Share of the columns that change at least half as much, the same way: a skyline of hills does not, a boat may stand
in between."""
_ALONE: Final = 0.75
"""What any other line, further off than an eighth of the height, may have of its strength."""
_NEAR_HEIGHT: Final = 0.15
"""Share of the height at which the score is 1/e: half a third, from one line of the rule of thirds to the middle."""
_NEAR_TILT: Final = 5.0
"""Degrees, likewise."""


class Horizon(Struct, frozen=True):
    """A line across a picture."""

    height: float
    """From the top, as a share of the picture's height, in its middle."""
    tilt: float
    """Degrees; positive where the right end is lower."""


def find_horizon(picture: View) -> Horizon | None:
    """Find the horizon; ``None`` where there is no line that stands out, or two that do, or it is not straight."""
    change = _change(picture.lab, _BAND)
    strengths = np.stack([_strength(change, tilt, _BAND) for tilt in _TILTS])
    at, row = (int(index) for index in np.unravel_index(strengths.argmax(), strengths.shape))
    others = np.abs(np.arange(ROWS) - row) > ROWS / 8
    steepest = at in (0, len(_TILTS) - 1)  # a line tilted further is there, and this is a part of it
    if strengths[at, row] < _STEP or steepest or strengths[:, others].max() > _ALONE * strengths[at, row]:
        return None
    found = _straight(picture.lab, at, row)
    return None if found is None else _shown(picture, *found)


def _straight(lab: Array, at: int, row: int) -> tuple[int, int] | None:
    """Find the same line in a narrow band: its tilt and its row; ``None`` where it is not straight."""
    change = _change(lab, _FINE)
    tilts, rows = range(max(at - 2, 0), min(at + 3, len(_TILTS))), slice(max(row - _FINE, 0), row + _FINE + 1)
    near = np.stack([_strength(change, _TILTS[tilt], _FINE)[rows] for tilt in tilts])
    if near.max() < _STEP / 2:
        return None
    tilt, offset = (int(index) for index in np.unravel_index(near.argmax(), near.shape))
    return _TILTS[tilts[tilt]], rows.start + offset


def _shown(picture: View, tilt: int, row: int) -> Horizon:
    """Turn a line of the grid into one of the picture: a row and a column of the grid are not as long as each other."""
    high, wide = picture.whole.shape[0] / ROWS, picture.whole.shape[1] / COLUMNS
    slope = math.tan(math.radians(tilt)) * high / wide
    return Horizon(height=row / ROWS, tilt=math.degrees(math.atan(slope)))


def _change(lab: Array, band: int) -> Array:
    """Give at each place how the rows below differ from those above: rows x columns x 3."""
    sums = np.concatenate([np.zeros((1, *lab.shape[1:])), lab.astype(np.float64).cumsum(axis=0)])
    change = np.zeros(lab.shape)
    inner = np.arange(band, ROWS - band)
    change[inner] = (sums[inner + band] + sums[inner - band] - 2 * sums[inner]) / band
    return change


def _strength(change: Array, tilt: int, band: int) -> Array:
    """Give for the line through each row's middle its mean change, where most of its columns agree; else 0."""
    columns = np.arange(COLUMNS)
    shift = np.rint((columns - COLUMNS / 2) * math.tan(math.radians(tilt))).astype(int)
    rows = np.arange(ROWS)[:, None] + shift[None]
    inside = ((rows >= band) & (rows < ROWS - band)).all(axis=1)
    along = change[np.clip(rows, 0, ROWS - 1), columns[None]]
    mean = along.mean(axis=1)
    size = np.linalg.norm(mean, axis=1)
    same = np.einsum("rck,rk->rc", along, mean / np.maximum(size, 1e-9)[:, None]) > 0.5 * size[:, None]
    strength: Array = np.where(inside & (same.mean(axis=1) >= _AGREE), size, 0.0)
    return strength


def horizons(ours: Horizon, theirs: Horizon) -> tuple[float, str]:
    """Compare two; a score from 0 to 1, and in words what was measured."""
    higher, turned = theirs.height - ours.height, ours.tilt - theirs.tilt
    score = math.exp(-abs(higher) / _NEAR_HEIGHT - abs(turned) / _NEAR_TILT)
    words = f"horizon {abs(higher):.0%} of the height {'higher' if higher > 0 else 'lower'} than in"
    if abs(higher) < 0.01:
        words = "horizon as high as in"
    return score, f"tilted {abs(turned):.0f} degrees against it; {words}" if abs(turned) >= 1.5 else words


__all__ = ["Horizon", "find_horizon", "horizons"]
