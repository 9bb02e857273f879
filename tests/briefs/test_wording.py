"""What names and sentences of shots say; what could mean something else says nothing."""

from __future__ import annotations

from typing import Any

import pytest
from callboard.briefs.shotnames import ABBREVIATIONS, of_name, of_words
from callboard.briefs.wording import of_sentence
from hypothesis import given
from hypothesis import strategies as st


def said(text: str) -> dict[str, Any]:
    """Give what a sentence says, by field."""
    return {guess.field: guess.value for guess in (*of_words(text), *of_sentence(text))}


def named(name: str, *cast: str) -> dict[str, Any]:
    """Give what a shot's name says, by field; the first word on a field counts."""
    found: dict[str, Any] = {}
    for guess in of_name(name, cast):
        found.setdefault(guess.field, guess.value)
    return found


NAMES: dict[str, dict[str, Any]] = {
    "SH010_CU_MARA": {"shot_size": "close-up", "cast": ("Mara",)},
    "sc12_WS_establishing": {"shot_size": "wide shot"},
    "SH020_OTS_MARA_JONAS": {"people": 2},
    "010_0020_push_in": {"movement": "dolly in"},
    "sh030_ecu_eye": {"shot_size": "extreme close-up"},
    "SH050_medium_close_up": {"shot_size": "medium close-up"},
    "SH060_extreme_wide": {"shot_size": "extreme wide shot"},
    "SH070_lowAngle_MS": {"shot_size": "medium shot", "angle": "low angle"},
    "SH080_CU_PHONE": {"shot_size": "close-up"},
    "sh090_ms_handheld": {"shot_size": "medium shot", "movement": "handheld"},
    "SH110_2S": {"people": 2},
    "SH120_close": {"shot_size": "close-up"},
    "SH140_PAN_LEFT": {"movement": "pan left"},
    "SH150 dutch angle": {"angle": "dutch angle"},
    "SH160_MCU_JONAS_LOOKS_UP": {"shot_size": "medium close-up", "cast": ("Jonas",)},
    "sh170_static_WS_v003": {"shot_size": "wide shot", "movement": "static"},
    "SH180_OVERHEAD_SHOT": {"angle": "overhead"},
}
NOTHING = [
    "MS_page_012",
    "page_012_MS",
    "SH040",
    "V1-48",
    "CUT_010",
    "SH130_CU_WS",
    "comp_v003_ms",
    "Sh100_Ms_Marple",
    "WS_010",
    "SH010_door_close",
    "SH010_wide_angle",
    "SH010_master_v2",
    "SH010_medium_rare",
    "MS",
    "",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_shots_name_says_how_it_is_seen(name: str) -> None:
    """Behind the number of the shot abbreviations and words count, large or small."""
    assert named(name) == NAMES[name]


@pytest.mark.parametrize("name", NOTHING)
def test_a_name_that_could_mean_something_else_says_nothing(name: str) -> None:
    """Manuscripts, cuts, versions, doors, lenses, and two sizes at once."""
    assert named(name) == {}


def test_who_is_known_is_found_by_any_name() -> None:
    """A name that the film has goes before what looks like a thing, and needs no capitals."""
    assert named("sh010_cu_rose", "Rose")["cast"] == ("Rose",)
    assert named("SH010_CU_RAIN", "Rain")["cast"] == ("Rain",)
    assert "cast" not in named("sh010_cu_rose")


SENTENCES: dict[str, dict[str, Any]] = {
    "she looks up": {"people": 1},
    "He pulls out a gun": {"people": 1},
    "CU on Mara": {"shot_size": "close-up"},
    "MS, low angle": {"shot_size": "medium shot", "angle": "low angle"},
    "MS of Mara": {"shot_size": "medium shot"},
    "WS harbour": {"shot_size": "wide shot"},
    "ECU: her eye": {"shot_size": "extreme close-up"},
    "Push in on Mara as she turns.": {"movement": "dolly in"},
    "The camera slowly pushes in.": {"movement": "dolly in"},
    "Pull back to reveal the harbour": {"movement": "dolly out"},
    "two-shot of Mara and Jonas": {"people": 2},
    "over Mara's shoulder": {"people": 2},
    "A close-up of her hand": {"shot_size": "close-up"},
    "Extreme close up of the clock": {"shot_size": "extreme close-up"},
    "medium wide": {"shot_size": "medium long shot"},
    "tilt up from her shoes": {"movement": "tilt up"},
    "A slow dolly in on the lighthouse at dawn": {"movement": "dolly in", "time_of_day": "dawn"},
    "pan left to Jonas": {"movement": "pan left"},
    "An empty street at night": {"people": 0, "time_of_day": "night"},
    "Bird's-eye view of the square": {"angle": "overhead"},
}
SILENT = [
    "MS Stubnitz at the pier",
    "Mara pushes in the door",
    "Two shots were fired",
    "It's a long shot",
    "We close up the shop",
    "static on the radio",
    "He looks at her",
    "They zoom in on the map",
    "the ship orbits the moon",
    "Medium close-up, then wide shot",
    "She and Jonas wait",
    "He sees Mara",
    "A pan of eggs",
    "a very long line",
    "MS-DOS, OS/2 and NT",
    "per compute unit (CU)",
    "CU BOULDER WINS THE GAME",
    "They try to pull back the curtain",
    "",
]


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_says_how_a_shot_is_seen(text: str) -> None:
    """In the words of shot lists, as commands, as nouns, or with the camera as subject."""
    assert said(text) == SENTENCES[text]


@pytest.mark.parametrize("text", SILENT)
def test_a_sentence_about_something_else_says_nothing(text: str) -> None:
    """Ships, doors, guns and idioms, several people, and two sizes at once."""
    assert said(text) == {}


@given(st.text(max_size=120))
def test_any_text_can_be_read(text: str) -> None:
    """Whatever is written, nothing raises, and each field is said at most once by a sentence."""
    fields = [guess.field for guess in of_sentence(text)]
    assert len(fields) == len(set(fields))
    assert all(guess.words for guess in (*of_words(text), *of_name(text)))


@given(st.sampled_from(sorted(ABBREVIATIONS)), st.integers(0, 9999), st.sampled_from(["sh", "SH", "sc", "010_", ""]))
def test_every_abbreviation_counts_behind_a_number_and_not_inside_a_word(size: str, number: int, head: str) -> None:
    """Large or small, as a word of its own; as a part of one, or mixed, it says nothing."""
    for written in (size, size.lower()):
        assert named(f"{head}{number:03d}_{written}_v002") == {"shot_size": ABBREVIATIONS[size]}
    for other in (f"x{size}", f"{size}TING", size.capitalize()):
        assert "shot_size" not in named(f"{head}{number:03d}_{other}")


PLAIN = "the harbour at Mara walks over bridge slowly and looks back MS ship page"


@given(st.lists(st.sampled_from(PLAIN.split()), max_size=9))
def test_plain_words_say_no_size_and_no_movement(words: list[str]) -> None:
    """Sentences of common words are never taken for directions; ``MS`` only where it ends the sentence."""
    found = said(" ".join(words))
    assert "movement" not in found
    assert "angle" not in found
    assert ("shot_size" in found) <= (words == ["MS"])
