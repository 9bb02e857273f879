"""Briefs: filled where nobody said anything, each guess marked, and what a person said never touched."""

from __future__ import annotations

from typing import Any

import pytest
from callboard.briefs import DEFAULT, fill
from callboard_schemas import ANGLES, MOVEMENTS, SHOT_SIZES, TIMES_OF_DAY, Brief, Line, Neighbour
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

BEFORE = Neighbour(side="before", name="SH010", tags=("close-up", "night", "exterior"), palette=("#101010", "#334455"))
AFTER = Neighbour(side="after", name="SH030", tags=("night", "exterior", "low key"), palette=("#101010", "#aa0000"))


def test_nothing_said_gives_defaults_that_say_so() -> None:
    """Only size, angle and movement have a default; the rest stays unknown."""
    filled = fill(Brief(), "SH020")
    assert (filled.shot_size, filled.angle, filled.movement) == ("medium shot", "eye level", "static")
    assert filled.guesses == dict.fromkeys(("shot_size", "angle", "movement"), DEFAULT)
    assert replace(filled, shot_size=None, angle=None, movement=None, guesses={}) == Brief()


def test_each_source_fills_what_it_knows() -> None:
    """The slug line, the purpose, the name, who speaks and the neighbours, each with its reason."""
    brief = Brief(
        slug="EXT. HARBOUR - NIGHT",
        purpose="Push in as she turns, low angle.",
        dialogue=(
            Line(text="Wait.", speaker="Mara"),
            Line(text="No.", speaker="Jonas"),
            Line(text="Mara!", speaker="Jonas"),
        ),
    )
    filled = fill(brief, "SH020_MCU", [BEFORE, AFTER])
    assert (filled.interior, filled.place, filled.time_of_day) == (False, "Harbour", "night")
    assert (filled.shot_size, filled.angle, filled.movement) == ("medium close-up", "low angle", "dolly in")
    assert (filled.cast, filled.people) == (("Mara", "Jonas"), 2)
    assert filled.palette == ("#101010", "#334455", "#aa0000")
    assert filled.guesses == {
        "neighbours": "from the timeline",
        "interior": "from the slug line",
        "place": "from the slug line",
        "time_of_day": "from the slug line",
        "angle": "from the purpose: low angle",
        "movement": "from the purpose: Push in",
        "people": "counted from the cast",
        "shot_size": "from the shot's name: MCU",
        "cast": "who speaks",
        "palette": "from the shots before and after",
    }


def test_neighbours_say_when_and_where_and_ask_for_another_size() -> None:
    """Night beside night, outside beside outside, and a size two steps away from the neighbours'."""
    filled = fill(Brief(), "SH020", [BEFORE, AFTER])
    assert (filled.time_of_day, filled.interior, filled.shot_size) == ("night", False, "medium shot")
    assert filled.guesses["time_of_day"] == "as in the shots before and after"
    assert filled.guesses["shot_size"] == "another size than the close-up before"
    near = replace(AFTER, tags=("medium shot", "day"))
    filled = fill(Brief(), "SH020", [BEFORE, near])
    assert (filled.shot_size, filled.time_of_day) == ("wide shot", None)
    only = fill(Brief(), "SH020", [near])
    assert (only.time_of_day, only.guesses["time_of_day"]) == ("day", "as in the shot after: SH030")


@pytest.mark.parametrize("before", SHOT_SIZES)
@pytest.mark.parametrize("after", SHOT_SIZES)
def test_a_guessed_size_is_never_the_next_one_to_a_neighbours(before: str, after: str) -> None:
    """Two steps from each neighbour wherever the seven sizes leave room for it, else as far as can be."""
    sides = [replace(BEFORE, tags=(before,)), replace(AFTER, tags=(after,))]
    order: list[str] = list(SHOT_SIZES)
    size = fill(Brief(), "SH020", sides).shot_size
    assert size is not None
    jump = min(abs(order.index(size) - order.index(other)) for other in (before, after))
    best = max(min(abs(at - order.index(other)) for other in (before, after)) for at in range(1, 6))
    assert jump >= min(2, best)


def test_a_default_gives_way_to_what_is_known_later_and_a_guess_does_not() -> None:
    """Filled anew with neighbours, a default of size changes; what the name said, or a person, stays."""
    plain = fill(fill(Brief(), "SH020"), "SH020", [replace(BEFORE, tags=("medium shot",))])
    assert (plain.shot_size, plain.guesses["shot_size"]) == ("close-up", "another size than the medium shot before")
    named = fill(fill(Brief(), "SH020_MS"), "SH020_MS", [replace(BEFORE, tags=("medium shot",))])
    assert named.shot_size == "medium shot"
    confirmed = replace(fill(Brief(), "SH020"), shot_size="medium shot", guesses={})
    assert fill(confirmed, "SH020", [replace(BEFORE, tags=("medium shot",))]).shot_size == "medium shot"


_SAID: dict[str, st.SearchStrategy[Any]] = {
    "purpose": st.sampled_from(["She looks up.", "CU of the letter, push in", "INT. BAR - DAY"]),
    "slug": st.sampled_from(["EXT. HARBOUR - NIGHT", "INNEN. KÜCHE – TAG", "nonsense"]),
    "shot_size": st.sampled_from(SHOT_SIZES),
    "angle": st.sampled_from(ANGLES),
    "movement": st.sampled_from(MOVEMENTS),
    "people": st.integers(0, 20),
    "cast": st.just(("Mara",)),
    "place": st.just("Pier"),
    "interior": st.booleans(),
    "time_of_day": st.sampled_from(TIMES_OF_DAY),
    "mood": st.just("calm"),
    "palette": st.just(("#abcdef",)),
    "neighbours": st.just((BEFORE,)),
    "dialogue": st.just((Line(text="Wait.", speaker="Jonas"),)),
}
BRIEFS = st.fixed_dictionaries({}, optional=_SAID).map(lambda said: Brief(**said))
SHOTS = st.sampled_from(["SH020", "SH020_CU_MARA", "sc12_WS_pan_left", "V1-48", ""])
NEIGHBOURS = st.sampled_from([(), (BEFORE,), (AFTER,), (BEFORE, AFTER)])


@given(BRIEFS, SHOTS, NEIGHBOURS)
def test_what_a_person_said_is_never_changed_and_each_guess_is_marked(
    brief: Brief, shot: str, neighbours: tuple[Neighbour, ...]
) -> None:
    """Fields that said something say the same; those that are new are exactly those with a reason."""
    filled = fill(brief, shot, neighbours)
    before, after = asdict(brief), asdict(filled)
    for field, value in before.items():
        if field in ("guesses", "neighbours"):
            continue
        if value not in (None, "", ()):
            assert after[field] == value
            assert field not in filled.guesses
        assert (after[field] != value) == (field in filled.guesses)
    assert filled.neighbours[: len(brief.neighbours)] == brief.neighbours
    assert (filled.neighbours != brief.neighbours) == ("neighbours" in filled.guesses)
    assert all(filled.guesses.values())


@given(BRIEFS, SHOTS, NEIGHBOURS)
def test_filling_twice_is_filling_once(brief: Brief, shot: str, neighbours: tuple[Neighbour, ...]) -> None:
    """The same again changes nothing."""
    once = fill(brief, shot, neighbours)
    assert fill(once, shot, neighbours) == once
    assert fill(once, shot) == once
