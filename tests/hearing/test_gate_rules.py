"""The gate and its evidence, without a model: what is stopped, why, and what is only pointed at."""

from __future__ import annotations

from typing import Any

from callboard_caption.doubt import Spoken, why_invented
from callboard_caption.evidence import attach, compared, repeated
from callboard_caption.gate import judge, why_failed
from callboard_caption.hearing import apart
from callboard_schemas import Cue, Heard, Word


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


def test_repetition_alone_stops_a_cue() -> None:
    """Words that say again what was said just before are stopped, however sure they are."""
    assert why_failed(cue(0.99, Heard(repetition=0.75))) == ["the same over and over"]


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
