"""How the whole picture moved from one frame to the next: points followed, and one move that most of them share.

What moves in front of the camera is the minority that the shared move leaves out (random sample consensus), so it does
not count as the camera's.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from msgspec import Struct

Array = np.ndarray[Any, Any]

# On pictures this small threads cost more than they give, and several files are worked on at once.
cv2.setNumThreads(1)

_CELLS = 5  # a side: points are taken from each cell, so that one detailed thing does not outvote the rest
_PER_CELL = 5
_LEAST_POINTS = 12
_LEAST_AGREE = 0.5  # share of the points that the move must explain
_OFF = 0.6  # pixels by which a point may miss it
_BACK = 0.5  # pixels by which a point may miss its start when it is followed back


class Move(Struct, frozen=True):
    """How the camera moved between two frames, as the picture's content shows it."""

    right: float
    """Of the camera, in picture widths."""
    down: float
    """Of the camera, in picture heights."""
    closer: float
    """Natural logarithm of the growth of the content."""
    roll: float
    """Degrees that the content turned clockwise."""
    agreed: float
    """Share of the points that made this move, 0 to 1."""


def to_grey(pixels: Array) -> Array:
    """Turn RGB into luma."""
    grey: Array = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    return grey


def points_of(grey: Array, bars: tuple[int, int] = (0, 0)) -> Array:
    """Find points to follow, spread over the picture inside its black bars.

    Args:
        grey: uint8, height x width.
        bars: Rows of black at the top and at the bottom, columns at the left and at the right.

    Returns:
        float32, n x 1 x 2: x and y in pixels.
    """
    height, width = grey.shape
    rows, columns = (bar + 2 if bar else 0 for bar in bars)
    quality = cv2.cornerMinEigenVal(grey, 3)
    floor = max(float(quality.max()) * 0.005, 1e-5)
    peaks = (quality == cv2.dilate(quality, np.ones((5, 5), np.uint8))) & (quality > floor)
    peaks[:rows], peaks[height - rows :] = False, False
    peaks[:, :columns], peaks[:, width - columns :] = False, False
    ys, xs = np.nonzero(peaks)
    cells = (ys * _CELLS // height) * _CELLS + xs * _CELLS // width
    order = np.lexsort((-quality[ys, xs], cells))  # by cell, the best of each first
    ranks = np.arange(len(order)) - np.searchsorted(cells[order], cells[order])
    best = order[ranks < _PER_CELL]
    return np.stack([xs[best], ys[best]], axis=1).astype(np.float32).reshape(-1, 1, 2)


def measure_move(before: Array, after: Array, points: Array) -> Move | None:
    """Measure the move between two grey pictures of one size; ``None`` where it cannot be told.

    Args:
        before: uint8, height x width.
        after: Of the same shape.
        points: In *before*, from ``points_of``.
    """
    if len(points) < _LEAST_POINTS:
        return None
    there, seen = _follow(before, after, points)
    back, seen_back = _follow(after, before, there)
    good = seen & seen_back & (np.linalg.norm((back - points).reshape(-1, 2), axis=1) < _BACK)
    if good.sum() < max(_LEAST_POINTS, 0.3 * len(points)):
        return None
    height, width = before.shape
    centre = np.array([width / 2, height / 2], np.float32)
    here, there = points.reshape(-1, 2)[good] - centre, there.reshape(-1, 2)[good] - centre
    matrix, inside = cv2.estimateAffinePartial2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=_OFF, maxIters=300, confidence=0.99
    )
    if matrix is None:
        return None
    agreed = float(inside.mean())
    if agreed < _LEAST_AGREE:
        return None
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    roll = float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
    return Move(
        right=-float(matrix[0, 2]) / width,
        down=-float(matrix[1, 2]) / height,
        closer=float(np.log(max(scale, 1e-3))),
        roll=roll,
        agreed=agreed,
    )


def _follow(before: Array, after: Array, points: Array) -> tuple[Array, Array]:
    """Follow points by Lucas and Kanade's method, coarse to fine; say which were found."""
    there, seen, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points, np.empty_like(points), winSize=(15, 15), maxLevel=3
    )
    return np.asarray(there), np.asarray(seen).ravel() == 1


__all__ = ["Move", "measure_move", "points_of", "to_grey"]
