"""Sides of the line between people who look at each other, told by where faces are and look."""

from __future__ import annotations

import math

import pytest
from callboard.faces.cascade import Face
from callboard_placeholder.continuity.faces import Seen, Way, looks, sides, size_jump
from callboard_schemas import SHOT_SIZES


def head(turned: float, tilted: float = 0.0, size: float = 100.0) -> Face:
    """Project a head, in mm with the nose before the eyes, that is turned and tilted by degrees; right is positive."""
    places = ((-31.5, 0.0, 0.0), (31.5, 0.0, 0.0), (0.0, 35.0, 23.0), (-25.0, 70.0, 5.0), (25.0, 70.0, 5.0))
    points = []
    for x, y, z in places:
        across = x * math.cos(math.radians(turned)) + z * math.sin(math.radians(turned))
        roll = math.radians(tilted)
        points.append((across * math.cos(roll) - y * math.sin(roll), across * math.sin(roll) + y * math.cos(roll)))
    scaled = tuple((200 + x * size / 120, 200 + y * size / 120) for x, y in points)
    return Face((150.0, 150.0, 250.0, 250.0), scaled, 0.99)


@pytest.mark.parametrize("tilted", [-25.0, 0.0, 25.0])
def test_a_turned_head_looks_to_a_side_however_it_is_tilted(tilted: float) -> None:
    """Well over 20 degrees it looks to that side, well under it faces the camera."""
    for turned in (30.0, 45.0, 60.0):
        assert (looks(head(turned, tilted)), looks(head(-turned, tilted))) == ("right", "left")
    assert {looks(head(turned, tilted)) for turned in (-12.0, -5.0, 0.0, 5.0, 12.0)} == {""}


WAYS: list[tuple[Way, Way]] = [("left", "right"), ("right", "left")]


@pytest.mark.parametrize(("way", "other"), WAYS)
def test_the_line_is_kept_by_one_who_looks_on_and_by_two_who_look_at_each_other(way: Way, other: Way) -> None:
    """Known persons are told apart; unknown ones go well where they stay, or are mirrored as in a reverse shot."""
    here, across, turned = Seen("", "left", way), Seen("", "right", other), Seen("", "left", other)
    scores = {same: (sides(here, here, same), sides(here, across, same)) for same in (True, False)}
    assert [found and found[0] for found in scores[True]] == [1.0, 0.2]
    assert [found and found[0] for found in scores[False]] == [0.2, 1.0]
    unknown = [sides(here, one, None) for one in (here, across, turned)]
    assert [found and found[0] for found in unknown] == [1.0, 0.9, 0.4]
    assert unknown[0] == (1.0, f"somebody looks {way}, as in")
    assert scores[True][1] == (0.2, f"the same person looks {way}, and {other} in")


def test_who_faces_the_camera_takes_no_side() -> None:
    """Nor does a picture without a face."""
    looking = Seen("", "left", "right")
    assert sides(looking, Seen("close-up", "left", ""), True) is None
    assert sides(Seen(), looking, None) is None


def test_a_clear_change_of_size_goes_best() -> None:
    """Two or three sizes score 1, less and more do less; the order of the shots does not matter."""
    scores = [size_jump(SHOT_SIZES[0], size)[0] for size in SHOT_SIZES]
    assert scores == [0.5, 0.6, 1.0, 1.0, 0.8, 0.7, 0.6]
    assert all(size_jump(a, b)[0] == size_jump(b, a)[0] for a in SHOT_SIZES for b in SHOT_SIZES)
    assert size_jump("close-up", "medium close-up")[1] == "close-up, 1 size from the medium close-up of"
