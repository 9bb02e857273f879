"""Where one shot ends and the next begins: hard cuts, by colour and structure, with flashes left out.

Each frame is compared with the five before it. A cut is a frame that differs from its predecessor much more than
neighbours do from theirs, and after which the old picture does not come back: a flash comes back, a pan or a fade
changes every frame a little.
"""

from __future__ import annotations

from collections import deque
from functools import cache
from typing import Any

import numpy as np
from msgspec import Struct

Array = np.ndarray[Any, Any]

SIDE = 64
"""Pixels, longest side of the frames that the thresholds were set for."""
GRID = (18, 32)
"""Rows and columns that a frame is averaged to for the comparison of structure."""
LAGS = 5
"""Frames back that are compared: the longest flash left out is one shorter."""
_BINS = 8
_NEIGHBOURS = 12  # frames each side whose differences are the measure of ordinary motion
_LEAST = 0.18  # difference below which nothing is a cut
_STANDS_OUT = 3.0  # times the ordinary difference
_COMES_BACK = 0.55  # share of the difference below which the old picture has come back
_SHARP = 0.4  # what a sharp change counts that is not sharp enough for a cut
_SHORTEST = 3  # frames: two cuts closer than this are one
# Half stays in its bin, a quarter goes to each neighbour; at the ends it stays.
_BLUR = (0.5 * np.eye(_BINS) + 0.25 * np.eye(_BINS, k=1) + 0.25 * np.eye(_BINS, k=-1)).astype(np.float32)
_BLUR[0, 0] = _BLUR[-1, -1] = 0.75


class Cut(Struct, frozen=True):
    """The first frame of a new shot."""

    index: int
    time: float
    """Seconds."""
    strength: float
    """How far it stands out, 0.5 to 1."""


class _Print(Struct, frozen=True):
    """What is kept of a frame to compare it."""

    histogram: Array
    grid: Array


class CutFinder:
    """Takes every frame in order, finds the cuts. Holds five frames' prints and five numbers a frame."""

    def __init__(self) -> None:
        self._recent: deque[_Print] = deque(maxlen=LAGS)
        self._steps: list[Array] = []
        self._times: list[float] = []
        self._indices: list[int] = []
        self._watched = 0

    def add(self, time: float, index: int, pixels: Array) -> None:
        """Take the next frame: uint8, height x width x 3, RGB; small frames are enough."""
        current = _print_of(pixels)
        row = np.full(LAGS, np.nan, np.float32)
        if self._recent:
            row[0] = difference(current, self._recent[-1])
            self._watched = LAGS if row[0] >= _LEAST else self._watched - 1
        if self._watched > 0:  # only near a possible cut does it matter whether the old picture comes back
            for lag in range(1, len(self._recent)):
                row[lag] = difference(current, self._recent[-1 - lag])
        self._recent.append(current)
        self._steps.append(row)
        self._times.append(time)
        self._indices.append(index)

    @property
    def frames(self) -> int:
        """Frames taken."""
        return len(self._times)

    def settle(self, place: int) -> tuple[int, float]:
        """Say on which frame a cut is that another method sees near *place*, and how much speaks for it here.

        Args:
            place: How many frames were taken before the first of the new shot.

        Returns:
            The place of the sharpest change within two frames, and its weight: 0 where nothing is sharp (*place* stays
            as it is), 0.4 where something is.
        """
        low, high = max(place - 2, 1), min(place + 3, len(self._steps))
        changes = [float(np.nan_to_num(self._steps[at][0])) for at in range(low, high)]
        if not changes or max(changes) < _LEAST:
            return place, 0.0
        return low + int(np.argmax(changes)), _SHARP

    def places(self) -> list[tuple[int, Cut]]:
        """Give the cuts with how many frames were taken before each."""
        return [(self._place(cut), cut) for cut in self.cuts()]

    def cuts(self) -> list[Cut]:
        """Find the cuts among the frames so far."""
        if len(self._steps) < 2:
            return []
        steps = np.vstack(self._steps)
        changes = np.nan_to_num(steps[:, 0])
        found: list[Cut] = []
        for at in np.flatnonzero(changes >= _LEAST).tolist():
            ratio = changes[at] / max(_ordinary(changes, at), 0.03)
            if ratio < _STANDS_OUT or changes[at] < changes[max(at - 2, 0) : at + 3].max() or _comes_back(steps, at):
                continue
            strength = round(0.5 + 0.5 * min(float(ratio - _STANDS_OUT) / (2 * _STANDS_OUT), 1.0), 3)
            if found and at - self._place(found[-1]) < _SHORTEST:
                continue
            found.append(Cut(self._indices[at], self._times[at], strength))
        return found

    def _place(self, cut: Cut) -> int:
        return int(np.searchsorted(self._indices, cut.index))


def difference(one: _Print, other: _Print) -> float:
    """Say how much two frames differ, 0 to 1: in colour, and in structure however the camera moved a little."""
    colour = 0.5 * float(np.abs(one.histogram - other.histogram).sum())
    structure = _structure(one.grid, other.grid)
    # Light that is switched changes every colour and no outline.
    return 0.5 * min(colour, 3.0 * structure) + 0.5 * structure


def _structure(one: Array, other: Array) -> float:
    """Compare grids shifted against each other by up to two cells, and take the best match."""
    rows, columns = one.shape
    best = float(np.abs(one - other).mean())
    if best * 1.5 < _LEAST / 2:  # too little for any cut, with or without a shift
        return best * 1.5
    for down in (-1, 0, 1):
        for right in (-2, -1, 0, 1, 2):
            a = one[max(down, 0) : rows + min(down, 0), max(right, 0) : columns + min(right, 0)]
            b = other[max(-down, 0) : rows + min(-down, 0), max(-right, 0) : columns + min(-right, 0)]
            best = min(best, float(np.abs(a - b).mean()))
    return min(best * 1.5, 1.0)


def _print_of(pixels: Array) -> _Print:
    codes = pixels >> 5
    flat = (codes[..., 0].astype(np.int32) * _BINS + codes[..., 1]) * _BINS + codes[..., 2]
    histogram = np.bincount(flat.ravel(), minlength=_BINS**3).astype(np.float32)
    for _ in range(3):  # a grain of noise at the edge of a bin must not look like another colour
        histogram = (_BLUR @ histogram.reshape(_BINS, -1)).reshape(_BINS, _BINS, _BINS).transpose(1, 2, 0)
    luma = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    grid = _shrink(luma)
    # Without its mean and spread the grid is the same before and after the light changes.
    grid = (grid - grid.mean()) / max(4.0 * float(grid.std()), 24.0) + 0.5
    return _Print(histogram / max(float(histogram.sum()), 1.0), grid)


def _shrink(luma: Array) -> Array:
    rows, columns = _edges(luma.shape[0], GRID[0]), _edges(luma.shape[1], GRID[1])
    if luma.shape[0] < GRID[0] or luma.shape[1] < GRID[1]:  # smaller than the grid: repeat what there is
        picked: Array = luma[rows[:-1]][:, columns[:-1]]
        return picked
    sums = np.add.reduceat(np.add.reduceat(luma, rows[:-1], axis=0), columns[:-1], axis=1)
    shrunk: Array = sums / np.outer(np.diff(rows), np.diff(columns))
    return shrunk


@cache
def _edges(length: int, cells: int) -> Array:
    return np.linspace(0, length, cells + 1).astype(int)


def _ordinary(changes: Array, at: int) -> float:
    """Measure the change between neighbouring frames: a high quantile, so that one other cut does not count."""
    near = np.concatenate([changes[max(at - _NEIGHBOURS, 1) : at], changes[at + 1 : at + 1 + _NEIGHBOURS]])
    return float(np.quantile(near, 0.8)) if len(near) else 0.0


def _comes_back(steps: Array, at: int) -> bool:
    """Say whether the picture before *at* is seen again within four frames, before the change or after it."""
    change = float(steps[at, 0])
    for lag in range(1, LAGS):
        later = at + lag
        if later < len(steps) and steps[later, lag] < _COMES_BACK * change:
            return True
        if steps[at, lag] < _COMES_BACK * change:
            return True
    return False


__all__ = ["GRID", "LAGS", "SIDE", "Cut", "CutFinder", "difference"]
