"""The gate and its evidence, without a model: what is stopped, why, and what is only pointed at."""

from __future__ import annotations

from typing import Any

import pytest
from callboard_caption.doubt import Spoken, why_invented
from callboard_caption.evidence import Said, attach, compared, looped, repeated
from callboard_caption.gate import judge, why_failed
from callboard_caption.hearing import apart
from callboard_schemas import Cue, Heard, Word
from msgspec.structs import replace


def cue(confidence: float = 0.9, heard: Heard | None = None, no_speech: float = 0.1, number: int = 1) -> Cue:
    """Make a cue of four words."""
    return Cue(
        id=number,
        start=1.0,
        end=3.0,
        lines=("four words are here",),
        confidence=confidence,
        no_speech=no_speech,
        heard=heard or Heard(compression=1.1),
    )


def segment(text: str, second: str | None = None, start: float = 0.0, **settings: float | bool) -> Spoken:
    """Make a segment whose words last half a second each."""
    words = tuple(
        {"word": f" {word}", "start": start + at / 2, "end": start + at / 2 + 0.4, "probability": 0.9}
        for at, word in enumerate(text.split())
    )
    given: dict[str, Any] = {"likelihood": -0.2, "no_speech": 0.05, "compression": 1.0, **settings}
    return Spoken(
        start=start, end=start + len(words) / 2, text=text, words=words, second=second, window="0 loud 0", **given
    )


def words(spoken: Spoken) -> list[Word]:
    """Give the words of a segment."""
    return [
        Word(text=one["word"].strip(), start=one["start"], end=one["end"], confidence=one["probability"])
        for one in spoken.words
    ]


def test_clear_speech_goes_through() -> None:
    """A cue of sure words in a voiced stretch has no reason against it."""
    assert judge([cue()])[0] == cue()


def test_each_kind_of_doubt_stops_a_cue_with_its_reason() -> None:
    """Unsure words, two readings, a loop and no voice are four reasons in words."""
    doubts = {
        "words unsure": cue(0.59),
        "two decodings disagree": cue(0.74, Heard(disagreement=0.25)),
        "the same over and over": cue(heard=Heard(compression=2.5)),
        "hardly a voice here": cue(heard=Heard(voiced=0.2)),
        "faint voice, words unsure": cue(0.69, Heard(quiet=True)),
    }
    assert {reason: tuple(judge([one])[0].failed) for reason, one in doubts.items()} == {
        reason: (reason,) for reason in doubts
    }


def cues_of(*texts: str, gap: float = 0.4, confidence: float = 0.95, **settings: Any) -> list[Cue]:
    """Make cues that say *texts* one after the other, a word every *gap* seconds, with their evidence."""
    made: list[Cue] = []
    said: list[Said] = []
    at = 0.0
    for number, text in enumerate(texts, 1):
        spoken = text.split()
        some = tuple(
            Word(text=one, start=at + n * gap, end=at + (n + 1) * gap, confidence=confidence)
            for n, one in enumerate(spoken)
        )
        said.extend(compared([(segment(text), some)])[0])
        end = at + len(spoken) * gap
        made.append(Cue(id=number, start=at, end=end, lines=(text,), confidence=confidence, words=some))
        at = end
    found = attach(made, said, [(0.0, at)])
    return [replace(one, heard=replace(one.heard, **settings)) for one in found if one.heard is not None]


AGAIN = "the same twice, and doubtful"
SENTENCE = "No, the harm is quiet and warm."
LONG = "It is the one thing that we were never told about the old house."


def test_a_second_decoding_that_says_something_else_stops_a_cue_however_sure_it_is() -> None:
    """Above two fifths of the words no confidence helps; up to there a sure cue is only pointed at."""
    assert why_failed(cue(0.99, Heard(disagreement=0.41))) == ["two decodings disagree"]
    sure = judge([cue(0.99, Heard(disagreement=0.4))])[0]
    assert (sure.failed, sure.flags) == ((), ("a second decoding differs",))


@pytest.mark.parametrize("text", ["on the pier", SENTENCE, LONG])
def test_a_phrase_said_twice_is_repetition_whatever_its_length(text: str) -> None:
    """Half of a cue that says it twice repeats, and all of one that says the cue before again."""
    twice = cues_of(f"{text} {text}")[0].heard
    across = cues_of(text, text)[1].heard
    assert twice is not None
    assert across is not None
    assert (twice.repetition, across.repetition) == (0.5, 1.0)


def test_a_phrase_said_twice_is_only_pointed_at_where_all_else_is_sure() -> None:
    """People say things twice, in one breath or two: a flag, and no failure."""
    for judged in (judge(cues_of(f"{SENTENCE} {SENTENCE}"))[0], judge(cues_of(SENTENCE, SENTENCE))[1]):
        assert (judged.failed, judged.flags) == ((), ("repetition",))
    assert judge(cues_of("I do not know what I think about it"))[0].flags == ()


@pytest.mark.parametrize(
    "doubt",
    [
        {"least_confidence": 0.23},
        {"disagreement": 0.2},
        {"confidence": 0.7},
        {"voiced": 0.4},
        {"gap": 0.15},
    ],
    ids=["a word unsure", "second decoding", "unsure", "half voiced", "too fast to be said"],
)
def test_a_phrase_said_twice_with_another_doubt_stops_a_cue(doubt: dict[str, Any]) -> None:
    """Either sign alone passes; together they do not, within a cue and across its edge."""
    once = judge(cues_of("Nobody on the pier saw it go at all.", **doubt))[0]
    within = judge(cues_of(f"{SENTENCE} {SENTENCE}", **doubt))[0]
    across = judge(cues_of(SENTENCE, SENTENCE, **doubt))[1]
    assert (once.failed, within.failed, across.failed) == ((), (AGAIN,), (AGAIN,))


def test_an_invented_sentence_with_every_sign_of_it_is_stopped() -> None:
    """A sure sentence that is written twice, faster than anybody talks, does not go through on its confidence."""
    invented = judge(cues_of(f"{SENTENCE} {SENTENCE}", gap=0.15, confidence=0.88, disagreement=0.5))[0]
    assert invented.failed == ("two decodings disagree", AGAIN)


def test_the_third_time_in_a_row_stops_a_cue_however_sure_it_is() -> None:
    """Within one cue, and where cues say the same; a word or two over and over are a loop when they fill a cue."""
    assert judge(cues_of(" ".join([SENTENCE] * 3)))[0].failed == ("the same over and over",)
    judged = judge(cues_of(SENTENCE, SENTENCE, SENTENCE))
    assert [one.failed for one in judged] == [(), (), ("the same over and over",)]
    assert judge(cues_of("you " * 6))[0].failed == ("the same over and over",)
    assert judge(cues_of("No, no, no!"))[0].failed == ()


def test_only_what_comes_a_third_time_loops() -> None:
    """Twice is repetition and no loop."""
    phrase = ["on", "the", "pier"]
    assert looped([], phrase * 2) == 0.0
    assert looped(phrase, phrase) == 0.0
    assert looped(phrase * 2, phrase) == 1.0
    assert looped([], phrase * 3) == pytest.approx(2 / 3)


def test_a_faint_voice_is_judged_harder_and_always_marked() -> None:
    """What a loud cue may be, a faint one may not; a sure faint one ships with a flag."""
    assert why_failed(cue(0.65)) == []
    assert why_failed(cue(0.65, Heard(quiet=True))) == ["faint voice, words unsure"]
    sure = judge([cue(0.9, Heard(quiet=True))])[0]
    assert (sure.failed, sure.flags) == ((), ("faint voice",))


def test_a_breach_of_the_profile_stops_only_its_own_cue() -> None:
    """Violations are told by the cue's id, after what the evidence says."""
    first, second = judge([cue(), cue(0.5, number=2)], {2: ["line 1 has 50 characters, 42 are allowed"]})
    assert first.failed == ()
    assert second.failed == ("words unsure", "line 1 has 50 characters, 42 are allowed")


def test_cues_are_never_dropped_or_changed() -> None:
    """The gate gives reasons and leaves text, times and words as they are."""
    given = [cue(0.1, number=number) for number in range(1, 6)]
    judged = judge(given)
    assert [(one.id, one.lines, one.start, one.end) for one in judged] == [
        (one.id, one.lines, one.start, one.end) for one in given
    ]
    assert all(one.failed for one in judged)


def test_cues_without_evidence_are_left_alone() -> None:
    """A description of a sound has no words to be sure of."""
    assert judge([Cue(id=1, start=0.0, end=1.0, lines=("[music]",), confidence=0.1)])[0].failed == ()


def test_a_second_decoding_is_compared_word_by_word() -> None:
    """Only the cue whose words differ is told so, and words the second one adds count too."""
    one = segment("the boat left the harbour", "the boat left the harbour nobody saw the dog go")
    other = segment("nobody saw it go", one.second, start=3.0)
    said = [part for some in compared([(one, words(one)), (other, words(other))]) for part in some]
    cues = [
        Cue(id=1, start=0.0, end=2.5, lines=("",), confidence=0.9, words=tuple(words(one))),
        Cue(id=2, start=3.0, end=5.0, lines=("",), confidence=0.9, words=tuple(words(other))),
    ]
    first, second = (found.heard for found in attach(cues, said, [(0.0, 5.0)]))
    assert first is not None
    assert second is not None
    assert (first.disagreement, second.disagreement) == (0.0, 0.5)


def test_without_a_second_decoding_there_is_no_disagreement() -> None:
    """No second opinion is not the same as an agreeing one."""
    one = segment("the boat left")
    found = attach(
        [Cue(id=1, start=0.0, end=1.5, lines=("",), confidence=0.9, words=tuple(words(one)))],
        compared([(one, words(one))])[0],
        [(0.0, 0.7)],
    )[0].heard
    assert found is not None
    assert found.disagreement is None
    assert found.voiced == 0.5


def test_how_people_repeat_themselves_is_no_loop() -> None:
    """Twice the same word, or a phrase of two, is speech; a phrase of three again, or three in a row, is a loop."""
    assert repeated([], ["no", "no", "not", "at", "all"]) == 0.0
    assert repeated(["come", "on"], ["come", "on", "then"]) == 0.0
    assert repeated(["on", "the", "pier"], ["on", "the", "pier"]) == 1.0
    assert repeated([], ["you", "you", "you", "you"]) > 0.3


def test_what_was_only_heard_when_raised_is_left_out_where_it_is_unlikely() -> None:
    """The same likelihood that passes in a loud voice does not in one made louder."""
    loud = segment("did somebody whisper", likelihood=-0.9)
    faint = segment("did somebody whisper", likelihood=-0.9, quiet=True)
    assert why_invented(loud, [(0.0, 2.0)]) == ""
    assert why_invented(faint, [(0.0, 2.0)]) == "too faint to tell whether this is speech"


def test_only_a_long_pause_lets_another_language_begin() -> None:
    """Spans within two seconds of each other are heard together."""
    assert apart([(0.0, 1.0), (2.5, 4.0), (6.5, 7.0)]) == [[(0.0, 1.0), (2.5, 4.0)], [(6.5, 7.0)]]
    assert apart([]) == []
