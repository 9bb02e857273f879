"""Colours have the names people give them; light, contrast and warmth have words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from callboard.colour import to_lab
from callboard_autotag.colours import count_names
from callboard_autotag.picture import Look

NAMED = {
    "black": (5, 5, 8),
    "white": (250, 250, 250),
    "grey": (130, 128, 126),
    "red": (220, 20, 40),
    "orange": (255, 130, 20),
    "yellow": (250, 220, 40),
    "green": (40, 160, 60),
    "dark green": (25, 75, 40),
    "blue": (40, 80, 200),
    "dark blue": (10, 20, 80),
    "light blue": (170, 205, 235),
    "purple": (120, 40, 150),
    "pink": (250, 180, 200),
    "brown": (115, 70, 40),
    "beige": (225, 200, 170),
}


def labels(*frames: np.ndarray[Any, Any]) -> list[str]:
    """Give the labels of pictures."""
    look = Look()
    for frame in frames:
        look.add(frame)
    return [tag.label for tag in look.finish()[0]]


def flat(rgb: tuple[int, int, int], height: int = 60, width: int = 80) -> np.ndarray[Any, Any]:
    """Fill a picture with one colour."""
    return np.full((height, width, 3), rgb, np.uint8)


@pytest.mark.parametrize(("name", "rgb"), NAMED.items())
def test_a_colour_has_its_everyday_name(name: str, rgb: tuple[int, int, int]) -> None:
    """Typical colours get the name that people would give them."""
    assert list(count_names(to_lab(np.array([rgb], np.uint8)))) == [name]


def test_lab_is_that_of_the_standard() -> None:
    """White, mid grey and pure red have the L*a*b* values of CIE 1976 for sRGB and D65."""
    lab = to_lab(np.array([[255, 255, 255], [119, 119, 119], [255, 0, 0]], np.uint8))
    np.testing.assert_allclose(lab, [[100.0, 0.0, 0.0], [50.03, 0.0, 0.0], [53.24, 80.09, 67.2]], atol=0.15)


def test_shares_are_those_of_the_picture() -> None:
    """Three quarters blue and one quarter orange are told as such, largest first."""
    picture = np.vstack([flat((40, 80, 200), 60), flat((255, 130, 20), 20)])
    assert list(count_names(to_lab(picture).reshape(-1, 3)).items()) == [("blue", 0.75), ("orange", 0.25)]


def test_light_and_contrast_have_words() -> None:
    """A night picture is dark, snow is bright, fog lacks contrast, a checkerboard has much of it."""
    random = np.random.default_rng(1)
    night = random.integers(0, 60, (60, 80, 1)).repeat(3, axis=2).astype(np.uint8)
    snow = random.integers(200, 256, (60, 80, 1)).repeat(3, axis=2).astype(np.uint8)
    board = (np.indices((60, 80)).sum(axis=0) // 10 % 2 * 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    assert {"dark", "black and white"} <= set(labels(night))
    assert {"bright", "low contrast"} <= set(labels(snow))
    assert "high contrast" in labels(board)


def test_warm_and_cool_pictures_are_told_apart() -> None:
    """Firelight is warm, moonlight is cool."""
    assert "warm colours" in labels(flat((200, 120, 60)))
    assert "cool colours" in labels(flat((60, 90, 150)))


def test_black_picture_has_no_colours() -> None:
    """A picture of nothing but black is called that, and not dark, mostly black and of low contrast."""
    assert labels(flat((0, 0, 0))) == ["black picture"]


def test_colour_bars_are_no_colourful_scene() -> None:
    """A test signal is named as one, by its stripes."""
    bars = [(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191)]
    picture = np.hstack([flat(rgb, 90, 23) for rgb in bars])
    assert labels(picture) == ["colour bars"]


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (2, 3), (241, 321)])
def test_any_size_can_be_measured(size: tuple[int, int]) -> None:
    """One pixel, one line and odd sizes are measured like any other."""
    assert "green" in labels(flat((40, 160, 60), *size))


def test_nothing_is_said_of_no_picture() -> None:
    """Without a frame there are no tags and no numbers."""
    assert Look().finish() == ([], {})


def test_black_bars_are_named_and_do_not_count_as_a_colour() -> None:
    """A picture between bars at its sides is pillarboxed, and its colours are those of the picture."""
    inside = np.random.default_rng(4).integers(-20, 20, (90, 120, 3)) + np.array([40, 80, 200])
    framed = np.pad(inside.clip(0, 255).astype(np.uint8), ((0, 0), (20, 20), (0, 0)))
    assert {"pillarbox", "blue"} <= set(labels(framed))
    assert "black" not in labels(framed)
    assert "letterbox" in labels(framed.transpose(1, 0, 2))
    assert "pillarbox" not in labels(flat((40, 80, 200)))
