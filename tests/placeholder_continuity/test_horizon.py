"""Horizons: found where one clear level line is, to a percent of the height and a degree, and nowhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from callboard_autotag.truth.cuts import photograph
from callboard_placeholder.continuity.horizon import Horizon, find_horizon, horizons
from callboard_placeholder.continuity.tones import distance
from callboard_placeholder.continuity.view import view
from callboard_placeholder.engine import Array
from hypothesis import given, settings
from hypothesis import strategies as st

HIGH, WIDE = 360, 640


def sea(height: float, tilt: float = 0.0, step: float = 1.0, boat: bool = True) -> Array:
    """Draw grainy sea under a graded sky, with something that stands before the horizon."""
    down, across = np.mgrid[:HIGH, :WIDE]
    line = height * HIGH + (across - WIDE / 2) * math.tan(math.radians(tilt))
    sky = np.stack([150 + 60 * down / HIGH, 180 + 40 * down / HIGH, np.full(down.shape, 225)], axis=-1)
    water = sky + step * (
        np.stack([30 + 20 * down / HIGH, 70 + 10 * down / HIGH, np.full(down.shape, 100)], axis=-1) - sky
    )
    picture = np.where((down > line)[..., None], water, sky)
    if boat:
        top = int(height * HIGH)
        picture[max(top - 40, 0) : top + 25, 130:190] = (90, 40, 30)
    grain = np.random.default_rng(1).normal(0, 10, (HIGH, WIDE, 1))
    made: Array = (picture + grain).clip(0, 255).astype(np.uint8)
    return made


def hills() -> Array:
    """Draw rolling hills: a skyline that is no line."""
    down, across = np.mgrid[:HIGH, :WIDE]
    line = HIGH * (0.5 + 0.06 * np.sin(across / 60) + 0.03 * np.sin(across / 23))
    made: Array = np.where((down > line)[..., None], (60, 110, 60), (170, 200, 230)).astype(np.uint8)
    return made


@pytest.mark.parametrize("height", [0.3, 0.42, 0.5, 0.66])
@pytest.mark.parametrize("tilt", [-6.0, -2.0, 0.0, 3.0])
def test_a_horizon_is_found_where_it_is(height: float, tilt: float) -> None:
    """To a hundredth and a half of the height and a degree, through grain and past a boat."""
    found = find_horizon(view(sea(height, tilt)))
    assert found is not None
    assert found.height == pytest.approx(height, abs=0.015)
    assert found.tilt == pytest.approx(tilt, abs=1.0)


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
def test_photographs_without_one_have_none(name: str) -> None:
    """A portrait, a cat, a cup, and towers before clouds."""
    assert find_horizon(view(photograph(name))) is None


@pytest.mark.parametrize(
    "picture",
    [
        hills(),
        sea(0.5, 20.0),
        sea(0.5, step=0.04, boat=False),
        np.full((HIGH, WIDE, 3), 90, np.uint8),
        np.repeat((np.arange(HIGH) // 40 % 2 * 200).astype(np.uint8), WIDE * 3).reshape(HIGH, WIDE, 3),
        np.random.default_rng(2).integers(0, 256, (HIGH, WIDE, 3), np.uint8),
    ],
    ids=["hills", "steep", "fog", "flat", "stripes", "noise"],
)
def test_what_is_no_clear_level_line_is_no_horizon(picture: Array) -> None:
    """A skyline, a tilted line, fog, one colour, several lines, and noise."""
    assert find_horizon(view(picture)) is None


def test_a_horizon_further_off_goes_worse() -> None:
    """By height and by tilt, and the words say which is higher."""
    own = Horizon(0.5, 0.0)
    scores = [horizons(own, Horizon(0.5 + away, 0.0))[0] for away in (0.0, 0.05, 0.1, 0.3)]
    assert scores[0] == 1.0
    assert scores == sorted(scores, reverse=True)
    assert horizons(own, Horizon(0.5, 4.0))[0] < horizons(own, Horizon(0.5, 2.0))[0] < 1.0
    assert horizons(own, Horizon(0.62, 0.0))[1] == "horizon 12% of the height higher than in"
    assert horizons(own, Horizon(0.4, 5.0))[1] == "tilted 5 degrees against it; horizon 10% of the height lower than in"


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.tuples(*[st.floats(-40, 40)] * 3))
def test_a_shift_of_all_colours_is_measured_exactly(seed: int, shift: tuple[float, float, float]) -> None:
    """The distance of a picture's colours from themselves, shifted, is the shift's length; and none from themselves."""
    colours = np.random.default_rng(seed).normal(0, 20, (200, 3))
    assert distance(colours, colours) == 0.0
    assert distance(colours, colours + shift) == pytest.approx(math.hypot(*shift), abs=1e-6)


def test_how_much_there_is_of_each_colour_counts() -> None:
    """The same two colours in other shares are apart; in the same shares in another order they are not."""
    blue, red = np.tile([[30.0, 20.0, -60.0]], (90, 1)), np.tile([[50.0, 70.0, 50.0]], (10, 1))
    assert distance(np.concatenate([blue, red]), np.concatenate([red, blue])) == 0.0
    mostly_red = np.concatenate([blue[:10], np.tile(red, (9, 1))])
    assert distance(np.concatenate([blue, red]), mostly_red) > 50
