"""Names for colours: the nearest of some thirty anchors with plain English names."""

from __future__ import annotations

from typing import Any

import numpy as np
from callboard.colour import to_lab
from callboard.colour_names import ANCHORS

Array = np.ndarray[Any, Any]

NEUTRAL_CHROMA = 7.0
"""Chroma below which the eye calls a colour grey."""
_NEUTRAL = ("black", "dark grey", "grey", "light grey", "white")

_NAMES = tuple(dict.fromkeys(name for name, _ in ANCHORS))
_ANCHOR_LAB = to_lab(np.array([rgb for _, rgb in ANCHORS], np.uint8))
_ANCHOR_NAME = np.array([_NAMES.index(name) for name, _ in ANCHORS])
_IS_NEUTRAL = np.array([name in _NEUTRAL for name, _ in ANCHORS])


def count_names(lab: Array) -> dict[str, float]:
    """Give the share of each colour name among pixels.

    Args:
        lab: float, N x 3.

    Returns:
        Shares that sum to 1, largest first; names with none are left out.
    """
    if not len(lab):
        return {}
    distance = ((lab[:, None, :] - _ANCHOR_LAB[None]) * np.array([0.8, 1.0, 1.0], np.float32)) ** 2
    total = distance.sum(axis=2)
    grey = np.hypot(lab[:, 1], lab[:, 2]) < NEUTRAL_CHROMA
    total[np.ix_(grey, ~_IS_NEUTRAL)] = np.inf
    counts = np.bincount(_ANCHOR_NAME[total.argmin(axis=1)], minlength=len(_NAMES)) / len(lab)
    order = np.argsort(-counts, kind="stable")
    return {_NAMES[index]: float(counts[index]) for index in order if counts[index] > 0}
