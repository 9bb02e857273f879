"""Colours, brightness and contrast of two pictures beside each other, in CIELAB (CIE 15; ISO/CIE 11664-4)."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from callboard_schemas import Match

from callboard_placeholder.continuity.view import View
from callboard_placeholder.engine import Array

_DIRECTIONS: Final = 24
_NEAR_COLOUR: Final = 20.0
"""Delta E*ab at which the score is 1/e. Two colours can just be told apart at 2.3 (Mahy, Van Eycken and Oosterlinck
1994, Color Research & Application 19), which leaves 0.9; what is called another colour begins at some 20."""
_NEAR_LIGHT: Final = 15.0
"""L* at which the score is 1/e: a change of one f-stop, half the light, moves a mid-grey of L* 50 to 37."""
_NEAR_SPREAD: Final = 25.0
"""L* between the darkest and the brightest twentieth, likewise: two stops more or less from black to white."""


def tones(ours: View, theirs: View) -> Iterator[tuple[str, float, str]]:
    """Compare two pictures.

    Returns:
        What, a score from 0 to 1, and in words what was measured; the words end where the neighbour's name goes.
    """
    away = distance(ours.lab.reshape(-1, 3), theirs.lab.reshape(-1, 3))
    yield "palette", math.exp(-away / _NEAR_COLOUR), f"{away:.0f} dE from"
    light, other = float(ours.lab[..., 0].mean()), float(theirs.lab[..., 0].mean())
    yield (
        "brightness",
        math.exp(-abs(light - other) / _NEAR_LIGHT),
        _words(light - other, "brighter", "darker", "bright"),
    )
    spread, other = _spread(ours), _spread(theirs)
    yield (
        "contrast",
        math.exp(-abs(spread - other) / _NEAR_SPREAD),
        _words(spread - other, "more contrast", "less contrast", "contrasty"),
    )


def _words(more: float, above: str, below: str, same: str) -> str:
    if abs(more) < 0.5:
        return f"as {same} as"
    return f"{abs(more):.0f} L* {above if more > 0 else below} than"


def _spread(view: View) -> float:
    low, high = np.percentile(view.lab[..., 0], [5, 95])
    return float(high - low)


def distance(ours: Array, theirs: Array) -> float:
    """Measure how far apart the colours of two pictures are, by how many there are of each.

    The sliced Wasserstein distance of their colours (Rabin, Peyré, Delon and Bernot 2011, "Wasserstein barycenter and
    its application to texture mixing"): what it costs to turn one picture's colours into the other's.

    Args:
        ours: n x 3, L*a*b*.
        theirs: As many.

    Returns:
        Delta E*ab; where all colours are shifted by the same, exactly that much.
    """
    along = _directions() @ np.stack([ours.T, theirs.T]).astype(np.float64)  # 2 x directions x n
    along.sort(axis=-1)
    # by the square, a shift s gives the mean of (s·d)² over all directions d, which is |s|²/3
    return float(np.sqrt(3 * np.mean((along[0] - along[1]) ** 2)))


@functools.cache
def _directions() -> Array:
    """Give directions that are spread evenly over half a sphere, in threes at right angles, so that means are exact."""
    random = np.random.default_rng(15)
    turns = [np.linalg.qr(random.normal(size=(3, 3)))[0] for _ in range(_DIRECTIONS // 3)]
    return np.concatenate(turns)


def match(what: str, score: float, note: str, side: str) -> Match:
    """Write one comparison down."""
    return Match(what=what, side=side, score=round(min(max(score, 0.0), 1.0), 3), note=note)  # type: ignore[arg-type] # both are of the schema's names


__all__ = ["distance", "match", "tones"]
