"""What is decided before Blender starts: sizes, lenses, words, light, and what a brief asks for in vain."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from callboard.faces.framing import SIZES
from callboard.timedtext.rate import Rate
from callboard_placeholder.engine import Order
from callboard_placeholder.previs import wording
from callboard_placeholder.previs.framing import HEADS
from callboard_placeholder.previs.plan import HEAD, Plan
from callboard_placeholder.previs.planning import plan_of
from callboard_schemas import MOVEMENTS, SHOT_SIZES, Brief, Line, Neighbour


def plan(frames: int = 48, labels: bool = False, side: int = 960, **brief: Any) -> Plan:
    """Plan a shot of 960 x 540."""
    order = Order(shot="SH010", brief=Brief(**brief), frames=frames, rate=Rate(24, 1), width=960, height=540)
    return plan_of(order, side, labels=labels)


def heads(made: Plan, place: int = 0) -> float:
    """Give how many heads high the picture is where the first person stands, when the camera begins."""
    key, person = made.camera.keys[place], made.people[0]
    x, y, _ = key.at
    way = math.dist((x, y), person.at) / max(math.cos(math.radians(90.0 - key.turn[0])), 0.2)
    return way * made.camera.sensor / key.lens / (960 / 540) / HEAD


def test_limits_are_those_of_tags() -> None:
    """The limits that the camera keeps to are those by which shot sizes are told."""
    assert [HEADS[size][2] for size in SHOT_SIZES[:-1]] == [limit for _, limit in SIZES[:-1]]


@pytest.mark.parametrize("size", SHOT_SIZES)
@pytest.mark.parametrize("movement", ["dolly in", "dolly out", "zoom in", "zoom out"])
def test_a_camera_that_comes_nearer_keeps_the_size(size: Any, movement: Any) -> None:
    """From its first key to its last, the picture is as many heads high as the size allows."""
    made = plan(shot_size=size, movement=movement, people=1)
    seen = [heads(made, 0), heads(made, -1)]
    assert (seen[0] > seen[1]) == movement.endswith("in")
    assert all(HEADS[size][0] * 0.97 <= one <= HEADS[size][2] * 1.03 for one in seen), seen


@pytest.mark.parametrize("movement", MOVEMENTS)
def test_the_camera_moves_where_it_is_asked_to(movement: Any) -> None:
    """Static has one key, a hand shakes, everything else goes from a first to another last key; none is underground."""
    keys = plan(shot_size="medium shot", movement=movement, people=1).camera.keys
    assert (len(keys) == 1) == (movement in ("static", "handheld"))
    assert len(keys) == 1 or (keys[0].at, keys[0].turn, keys[0].lens) != (keys[-1].at, keys[-1].turn, keys[-1].lens)
    assert all(key.at[2] > 0.1 for key in keys)
    assert bool(plan(movement=movement).camera.shake) == (movement == "handheld")


@pytest.mark.parametrize(
    ("words", "pose"),
    [
        ("She walks to the door", "walking"),
        ("He is sitting and waits", "sitting"),
        ("They listen", "standing"),
        ("She sits down, then walks off", "sitting"),
        ("The parking meter", "standing"),
    ],
)
def test_poses_are_read_from_words(words: str, pose: str) -> None:
    """The first thing that somebody does is their pose."""
    assert wording.pose_of(Brief(purpose=words)) == pose


@pytest.mark.parametrize(
    ("brief", "place", "inside"),
    [
        ({"slug": "EXT. HARBOUR - NIGHT"}, "harbour", False),
        ({"slug": "INT. KITCHEN - DAY"}, "room", True),
        ({"place": "a dark wood", "slug": "EXT. STREET"}, "forest", False),
        ({"place": "Zorblax"}, "", False),
        ({"place": "the office", "interior": False}, "room", False),
    ],
)
def test_places_are_read_from_words(brief: dict[str, Any], place: str, inside: bool) -> None:
    """The place that is named comes before the slug line; what is not known is nothing."""
    assert (wording.place_of(Brief(**brief)), wording.inside(Brief(**brief))) == (place, inside)


def test_what_is_not_shown_is_said() -> None:
    """An unknown place, an act that no figure can do, dialogue, references and guesses are told in words."""
    made = plan(
        purpose="She is asleep", place="Zorblax", dialogue=(Line(text="Hm"),), references=("a.png",), angle="low angle"
    )
    told = "\n".join(made.notes)
    for words in ("'Zorblax'", "'asleep'", "mouths", "references", "shot size", "how many people", "time of day"):
        assert words in told


def test_two_who_talk_keep_their_sides() -> None:
    """The cast is told from left to right, each turned to the other and not away from the camera."""
    left, right = plan(people=2, cast=("Anna", "Bo"), shot_size="medium shot").people
    assert (left.name, right.name) == ("Anna", "Bo")
    assert left.at[0] < right.at[0]
    assert 10 < left.turn + left.head[0] < 45
    assert -45 < right.turn + right.head[0] < -10


@pytest.mark.parametrize(("tag", "sign"), [("a woman looks left", 1), ("man looking right", -1)])
def test_who_answers_a_neighbour_looks_back(tag: str, sign: int) -> None:
    """One person looks to meet the look of the neighbour, so that the camera keeps its side."""
    made = plan(people=1, neighbours=(Neighbour(side="before", tags=(tag,)),))
    assert made.people[0].turn * sign > 0


def test_everybody_is_there_and_apart() -> None:
    """Of twenty people, all are placed and none stands in another; nobody stands in an empty picture."""
    made = plan(people=20, shot_size="wide shot")
    assert len(made.people) == 20
    places = [person.at for person in made.people]
    assert min(math.dist(a, b) for at, a in enumerate(places) for b in places[:at]) > 0.35
    assert plan(people=0).people == ()


def test_colours_lean_to_the_neighbours() -> None:
    """Without a palette of its own, a shot takes its neighbours'; a red one makes the ground redder."""
    red = plan(neighbours=(Neighbour(side="before", palette=("#c02010",)),)).ground
    plain = plan().ground
    assert red[0] / red[2] > 1.3 * plain[0] / plain[2]


def test_night_is_darker_than_day() -> None:
    """The key light and the sky follow the time of day."""
    lights = [plan(time_of_day=time).light for time in ("day", "dusk", "night")]
    assert sum(lights[0].horizon) > sum(lights[1].horizon) > sum(lights[2].horizon)
    assert lights[2].strength < lights[0].strength


@pytest.mark.parametrize(("rate", "step"), [((24, 1), 2), ((60000, 1001), 4), ((25, 1), 2)])
def test_all_moves_on_twos_and_says_so(rate: tuple[int, int], step: int) -> None:
    """Figures move twelve times a second or so, the camera no more often, and a note says it of what moves."""
    for movement, told in (("static", ""), ("pan left", ", the camera too"), ("handheld", ", the camera too")):
        order = Order(shot="A", brief=Brief(movement=movement), frames=9, rate=Rate(*rate), width=64, height=36)  # type: ignore[arg-type]  # all are movements
        made = plan_of(order)
        assert made.step == step
        assert f"moves on every {'second' if step == 2 else '4th'} frame{told}" in made.notes


def test_large_pictures_are_rendered_small() -> None:
    """The longer side that is rendered is at most what is asked for, in whole percent; small ones are as they are."""
    order = Order(
        shot="A", brief=Brief(), frames=9, rate=Rate(24, 1), width=4096, height=2160, pixel_aspect=Fraction(1)
    )
    assert plan_of(order, 960).percent == 23
    assert "23 %" in " ".join(plan_of(order, 960).notes)
    assert plan().percent == 100
