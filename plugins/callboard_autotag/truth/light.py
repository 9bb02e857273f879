"""Pictures whose colours, key and time of day are known, and how well they are told."""

from __future__ import annotations

from typing import Any

import numpy as np
from callboard.media import Frame

from callboard_autotag.light import Light

Array = np.ndarray[Any, Any]

PALETTES: tuple[tuple[str, tuple[int, int, int]], ...] = (
    ("red", (200, 25, 35)),
    ("orange", (240, 130, 20)),
    ("yellow", (245, 215, 40)),
    ("green", (40, 150, 60)),
    ("dark green", (22, 72, 38)),
    ("turquoise", (66, 200, 190)),
    ("blue", (45, 85, 190)),
    ("dark blue", (16, 28, 86)),
    ("light blue", (165, 203, 235)),
    ("purple", (118, 42, 150)),
    ("pink", (250, 182, 202)),
    ("brown", (115, 72, 38)),
    ("beige", (222, 200, 168)),
    ("grey", (128, 128, 128)),
    ("white", (248, 248, 248)),
    ("black", (10, 10, 10)),
)
"""Colours by the names that people give them."""


def palette_picture(first: int, second: int, seed: int) -> Array:
    """Fill two thirds of a picture with one colour and a third with another, with grain: uint8, 90 x 160 x 3."""
    random = np.random.default_rng(seed)
    picture = np.zeros((90, 160, 3), np.float64)
    picture[:, :107] = PALETTES[first][1]
    picture[:, 107:] = PALETTES[second][1]
    return _grain(picture, random, 3.0)


def scenes() -> list[tuple[Array, frozenset[str]]]:
    """Make pictures of known key and time of day, and pictures that are neither."""
    random = np.random.default_rng(5)
    ramp = np.linspace(0, 1, 90)[:, None, None] * np.ones((90, 160, 3))
    return [
        (_grain(235 + 15 * ramp, random, 4.0), frozenset({"high key"})),
        (_grain(120 + 20 * ramp, random, 4.0), frozenset[str]()),
        (_low_key(random), frozenset({"low key"})),
        (_night(random), frozenset({"night"})),
        (_day(random), frozenset({"day"})),
        (_grain(60 + 120 * ramp[::-1], random, 4.0), frozenset[str]()),
        (_grain(40 + 10 * ramp, random, 4.0), frozenset[str]()),
    ]


def _low_key(random: np.random.Generator) -> Array:
    """Light one side of a face and leave the rest in the dark."""
    y, x = np.mgrid[0:90, 0:160]
    lit = np.clip(1.2 - np.hypot((y - 45) / 40, (x - 60) / 32), 0, 1)[..., None] ** 0.8
    return _grain(12 + lit * np.array([210, 170, 140]), random, 3.0)


def _night(random: np.random.Generator) -> Array:
    """Scatter lamps over a dark street."""
    picture = np.full((90, 160, 3), (8, 10, 18), np.float64)
    for _ in range(14):
        y, x = random.integers(20, 80), random.integers(5, 155)
        picture[y : y + 3, x : x + 3] = (255, 215, 150)
    return _grain(picture, random, 2.0)


def _day(random: np.random.Generator) -> Array:
    """Put a blue sky over a field."""
    picture = np.zeros((90, 160, 3), np.float64)
    picture[:40] = np.linspace(0, 1, 40)[:, None, None] * np.array([50, 35, 15]) + np.array([120, 170, 230])
    picture[40:] = (95, 130, 70)
    return _grain(picture, random, 8.0)


def _grain(picture: Array, random: np.random.Generator, amount: float) -> Array:
    made: Array = (picture + random.normal(0, amount, picture.shape)).clip(0, 255).astype(np.uint8)
    return made


def labels_of(picture: Array) -> set[str]:
    """Give the labels of one picture."""
    light = Light()
    light.add(Frame(0.0, 0, picture))
    return {tag.label for tag in light.finish()[0]}


def evaluate_light() -> dict[str, float]:
    """Measure on made pictures: colours that are named, of both in each picture, and key and time of day told right."""
    named = asked = 0
    for first in range(len(PALETTES)):
        second = (first + 5) % len(PALETTES)
        found = labels_of(palette_picture(first, second, first))
        if "black and white" in found:  # no colour is named beside it but greys
            continue
        named += sum(PALETTES[at][0] in found for at in (first, second))
        asked += 2
    kinds = {"high key", "low key", "night", "day"}
    made = scenes()
    # A night is low key too.
    right = sum((labels_of(picture) & kinds) - {"low key"} == truth - {"low key"} for picture, truth in made)
    keys = sum("low key" in labels_of(picture) for picture, truth in made if "low key" in truth)
    return {
        "palette_recall": round(named / asked, 4),
        "key_and_time_right": round((right + keys) / (len(made) + 1), 4),
    }


__all__ = ["PALETTES", "evaluate_light", "labels_of", "palette_picture", "scenes"]
