"""Names for colours: the nearest of some thirty anchors with plain English names."""

from __future__ import annotations

from typing import Any

import numpy as np
from callboard.colour import to_lab

Array = np.ndarray[Any, Any]

ANCHORS: tuple[tuple[str, tuple[int, int, int]], ...] = (
    ("black", (0, 0, 0)),
    ("black", (25, 25, 25)),
    ("dark grey", (66, 66, 66)),
    ("grey", (128, 128, 128)),
    ("light grey", (195, 195, 195)),
    ("white", (255, 255, 255)),
    ("red", (255, 0, 0)),
    ("red", (190, 25, 30)),
    ("dark red", (110, 15, 20)),
    ("orange", (255, 140, 0)),
    ("orange", (225, 105, 35)),
    ("brown", (120, 75, 35)),
    ("brown", (80, 50, 35)),
    ("brown", (160, 105, 70)),
    ("beige", (222, 200, 165)),
    ("beige", (195, 165, 135)),
    ("yellow", (255, 255, 0)),
    ("yellow", (235, 195, 40)),
    ("olive", (110, 110, 40)),
    ("green", (0, 255, 0)),
    ("green", (0, 140, 0)),
    ("green", (95, 170, 85)),
    ("light green", (165, 215, 150)),
    ("dark green", (20, 70, 35)),
    ("turquoise", (64, 205, 195)),
    ("cyan", (0, 255, 255)),
    ("teal", (0, 115, 115)),
    ("light blue", (160, 200, 235)),
    ("blue", (70, 130, 205)),
    ("blue", (0, 0, 255)),
    ("blue", (35, 65, 170)),
    ("dark blue", (15, 25, 85)),
    ("dark blue", (35, 50, 95)),
    ("purple", (125, 45, 160)),
    ("purple", (85, 50, 130)),
    ("lilac", (190, 170, 220)),
    ("magenta", (255, 0, 255)),
    ("magenta", (200, 20, 130)),
    ("pink", (255, 185, 200)),
    ("pink", (240, 125, 165)),
)
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


def name_colour(rgb: tuple[int, int, int]) -> str:
    """Name one sRGB colour."""
    return next(iter(count_names(to_lab(np.array([rgb], np.uint8)))))
