"""What is counted when captions and translations are compared with what is right."""

from __future__ import annotations

import pytest
from callboard.errors import UsageError
from callboard.evaluation import parse_choice
from callboard_caption.truth.compared import Score, compare
from callboard_schemas import Cue


def cue(number: int, start: float, end: float, text: str, *flags: str, **more: object) -> Cue:
    """Make a cue of one line."""
    return Cue(id=number, start=start, end=end, lines=(text,), confidence=1.0, flags=flags, **more)  # type: ignore[arg-type]  # fields of Cue


TRUTH = (cue(1, 0.0, 1.0, "Hello, there."), cue(2, 2.0, 3.0, "Twenty-two colours."))


def test_writing_is_no_error() -> None:
    """Case, punctuation, British spelling and the way a number is written are not counted as wrong words."""
    found = (cue(1, 0.0, 1.0, "hello there"), cue(2, 2.0, 3.0, "22 colors"))
    assert compare(TRUTH, found, "en").measures()["word-error"] == 0.0


def test_words_and_times() -> None:
    """Wrong words are counted of all words, and times where the first or last word was recognised."""
    found = (cue(1, 0.25, 1.0, "hello dear"), cue(2, 2.0, 3.5, "22 colors"))
    score = compare(TRUTH, found, "en")
    assert (score.wrong, score.words) == (1, 4)
    measures = score.measures()
    assert measures["word-error"] == pytest.approx(0.25)
    assert measures["start-error"] == pytest.approx(0.25)
    assert measures["end-error"] == pytest.approx(0.5)


def test_the_gate_is_judged_by_wrong_cues() -> None:
    """Precision is the share of flagged cues that are wrong, recall the share of wrong cues that are flagged."""
    found = (cue(1, 0.0, 1.0, "hello dear", "low confidence"), cue(2, 2.0, 3.0, "22 colors", "low confidence"))
    measures = compare(TRUTH, found, "en").measures()
    assert measures["gate-precision"] == pytest.approx(0.5)
    assert measures["gate-recall"] == 1.0
    missed = (cue(1, 0.0, 1.0, "hello dear"), cue(2, 2.0, 3.0, "22 colors"))
    assert compare(TRUTH, missed, "en").measures()["gate-recall"] == 0.0


def test_a_lost_word_is_its_neighbours_fault() -> None:
    """A cue that lacks a word counts as wrong."""
    found = (cue(1, 0.0, 1.0, "hello"), cue(2, 2.0, 3.0, "22 colors"))
    score = compare(TRUTH, found, "en")
    assert (score.wrong, score.failing) == (1, 1)


def test_invented_words_where_nobody_speaks() -> None:
    """Words in a silent film are all wrong; nothing where nothing is said is all right."""
    assert compare((), (cue(1, 0.0, 1.0, "thank you"),), "en").measures()["word-error"] == 1.0
    assert compare((), (), "en").measures()["word-error"] == 0.0


def test_sound_descriptions_are_no_words() -> None:
    """A described sound is neither missing nor wrong."""
    found = (*TRUTH, cue(3, 4.0, 5.0, "[applause]", kind="sound"))
    assert compare(TRUTH, found, "en").wrong == 0


def test_languages_without_spaces_count_characters() -> None:
    """One wrong character of eight is an eighth, though there is but one word."""
    truth, found = (cue(1, 0.0, 1.0, "今日は天気がいい"),), (cue(1, 0.0, 1.0, "今日は元気がいい"),)
    assert compare(truth, found, "ja").measures()["word-error"] == pytest.approx(1 / 8)


def test_scores_add_up() -> None:
    """Two assets weigh by their words."""
    good, bad = compare(TRUTH, TRUTH, "en"), compare(TRUTH[:1], (cue(1, 0.0, 1.0, "no"),), "en")
    both = good + bad
    assert (both.words, both.wrong) == (6, 2)
    assert sum([good, bad], Score()) == both


def test_a_choice_of_parameters_is_read() -> None:
    """Numbers, quoted and bare words are taken as TOML would; what is no choice says how to write one."""
    assert parse_choice('beam_size=1,language=en,profile="web",speech_only=false') == {
        "beam_size": 1,
        "language": "en",
        "profile": "web",
        "speech_only": False,
    }
    assert parse_choice("default") == {}
    with pytest.raises(UsageError, match="beam_size"):
        parse_choice("beam_size")
