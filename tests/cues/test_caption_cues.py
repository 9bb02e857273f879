"""Cues keep every word, in order, within the limits of the timed text rules."""

from __future__ import annotations

from itertools import pairwise

from callboard.timedtext.profile import load
from callboard.timedtext.rate import parse_rate
from callboard_caption.cues import in_order, lay_out
from callboard_caption.layout import Layout
from callboard_schemas import Word
from hypothesis import given, settings
from hypothesis import strategies as st

PROFILE = load("web", "en")
RULES = Layout(profile=PROFILE, language="en")
FILM = Layout(
    profile=load("netflix", "en"), rate=parse_rate("29.97df"), language="en", cuts=(0.3, 0.9, 2.0, 4.5, 5.0, 9.0, 30.0)
)


def speak(text: str, start: float = 0.0, pace: float = 0.3, confidence: float = 0.9) -> list[Word]:
    """Give each word of *text* a time, *pace* seconds apart."""
    return [
        Word(text=word, start=start + index * pace, end=start + (index + 0.9) * pace, confidence=confidence)
        for index, word in enumerate(text.split())
    ]


@st.composite
def spoken(draw: st.DrawFn) -> tuple[list[Word], float]:
    """Words at plausible and at impossible times, and the length of the media."""
    texts = draw(st.lists(st.text("abcdefgh.,?!'", min_size=1, max_size=50), min_size=1, max_size=60))
    clock, words = 0.0, []
    for text in texts:
        clock += draw(st.sampled_from([0.0, 0.0, 0.05, 0.3, 1.0, 5.0, -0.4]))
        start = max(clock, 0.0)
        end = start + draw(st.sampled_from([0.0, 0.1, 0.4, 9.0]))
        words.append(Word(text=text, start=start, end=end, confidence=draw(st.floats(0, 1))))
        clock = draw(st.sampled_from([start, end]))
    duration = draw(st.sampled_from([0.0, 0.5, 10.0, clock + 1.0, 1000.0]))
    return words, duration


@given(spoken(), st.sampled_from([RULES, FILM]), st.lists(st.sampled_from([-1, 0, 0, 0, 1]), min_size=60, max_size=60))
@settings(deadline=None, max_examples=60)
def test_every_word_is_kept_in_order_and_cues_never_overlap(
    case: tuple[list[Word], float], layout: Layout, who: list[int]
) -> None:
    """Whatever the recogniser says, no word is lost or moved and times only go forward, inside the media."""
    words, duration = case
    cues = lay_out(words, layout, duration, speakers=who[: len(words)])
    said = [word.text for word in words if word.text.strip()]
    assert [word.text for cue in cues for word in cue.words] == said
    lines = [
        line.removeprefix(PROFILE.dash) if len({*who[: len(words)]} - {-1}) > 1 else line
        for cue in cues
        for line in cue.lines
    ]
    assert " ".join(" ".join(lines).split()).replace("…", "...") == " ".join(said)
    assert [cue.id for cue in cues] == list(range(1, len(cues) + 1))
    for before, after in pairwise(cues):
        assert before.end <= after.start
    for cue in cues:
        assert 0 <= cue.start <= cue.end
        assert cue.end - cue.start <= PROFILE.longest + 0.002
        assert 0 <= cue.confidence <= 1
        if duration:
            assert cue.end <= duration + 1e-6


@given(spoken())
@settings(deadline=None, max_examples=60)
def test_lines_stay_within_the_limit_unless_one_word_is_longer(case: tuple[list[Word], float]) -> None:
    """A line is at most 42 characters, a cue at most two lines; only a single longer word may stand out."""
    # A mark that is set off by a space is never parted from its word.
    words = [word for word in case[0] if any(letter.isalpha() for letter in word.text)]
    for cue in lay_out(words, RULES, case[1]):
        assert 1 <= len(cue.lines) <= PROFILE.lines
        for line in cue.lines:
            assert len(line) <= PROFILE.line_length or " " not in line


@given(
    st.lists(
        st.sampled_from(["well", "the", "old", "house.", "stood,", "extraordinarily", "by"]), min_size=1, max_size=80
    )
)
@settings(deadline=None, max_examples=60)
def test_speech_at_an_ordinary_pace_is_readable(texts: list[str]) -> None:
    """At 0.4 s a word with room after it, every cue keeps the shortest time, the gap and twenty characters a second."""
    words = speak(" ".join(texts), pace=0.4)
    cues = lay_out(words, RULES, words[-1].end + 5)
    for before, after in pairwise(cues):
        assert after.start - before.end >= RULES.gap / 1000 - 0.002
        assert (
            after.start - before.end >= PROFILE.linger - 0.002 or after.start - before.end <= RULES.gap / 1000 + 0.002
        )
    assert cues[-1].end - cues[-1].start >= PROFILE.shortest - 0.002


def test_a_cue_ends_where_a_sentence_does() -> None:
    """Two sentences that do not fit one cue are divided between them, not in the middle of a phrase."""
    words = speak("The camera rolls at seven in the morning on the pier. Everybody must be there before the sun is up.")
    cues = lay_out(words, RULES, 60.0)
    assert [" ".join(cue.lines) for cue in cues] == [
        "The camera rolls at seven in the morning on the pier.",
        "Everybody must be there before the sun is up.",
    ]


def test_a_cue_ends_where_the_recogniser_ends_a_phrase() -> None:
    """Without punctuation, as in songs, the recogniser's own phrases are kept together."""
    phrases = ["We have known each other for so many years", "Your heart has been aching but you never say it"]
    ends = {len(phrases[0].split()) - 1}
    cues = lay_out(speak(" ".join(phrases)), RULES, 60.0, ends)
    assert [" ".join(cue.lines) for cue in cues] == phrases


def test_a_pause_divides_cues() -> None:
    """Words with two seconds of silence between them never share a cue, and the screen is empty meanwhile."""
    cues = lay_out(speak("Ready when you are") + speak("Action", start=5.0), RULES, 60.0)
    assert [cue.lines for cue in cues] == [("Ready when you are",), ("Action",)]
    assert cues[0].end < 4.0
    assert cues[1].start == 5.0


def test_a_line_does_not_end_with_an_article() -> None:
    """The break comes before a word that leans on the next, and lines are balanced."""
    words = speak("We found the key under the mat behind the kitchen door")
    (cue,) = lay_out(words, RULES, 60.0)
    lines = cue.lines
    assert len(lines) == 2
    assert not lines[0].endswith((" the", " under", " behind"))
    assert abs(len(lines[0]) - len(lines[1])) < 15


def test_a_short_word_stays_long_enough_to_be_read() -> None:
    """One short word is shown for at least five sixths of a second when there is room."""
    (cue,) = lay_out([Word(text="No.", start=1.0, end=1.2, confidence=1.0)], RULES, 10.0)
    assert abs(cue.end - cue.start - PROFILE.shortest) < 0.002


def test_confidence_is_weighed_by_duration() -> None:
    """A long word counts for more than a short one."""
    words = [Word(text="Yes", start=0, end=1, confidence=1.0), Word(text="no", start=1, end=4, confidence=0.2)]
    (cue,) = lay_out(words, RULES, 10.0)
    assert abs(cue.confidence - 0.4) < 1e-6


def test_times_that_run_backwards_are_mended() -> None:
    """A word that starts before its predecessor is moved forward, and overlaps are cut."""
    words, places = in_order(
        [Word(text="one", start=2, end=3, confidence=1), Word(text="two", start=1, end=4, confidence=1)], 3.5
    )
    assert places == [0, 1]
    assert [(word.start, word.end) for word in words] == [(2, 2), (2, 3.5)]


def test_no_words_give_no_cues() -> None:
    """Silence is an empty list, not an empty cue."""
    assert lay_out([], RULES, 10.0) == []
    assert lay_out([Word(text="  ", start=0, end=1, confidence=1)], RULES, 10.0) == []


def test_a_sentence_does_not_begin_at_the_end_of_a_line() -> None:
    """Two sentences share a cue where a line can end between them, and not where one would begin inside a line."""
    words = speak("Hello, can you hear me? The train is late again, so please start without me.", 0.4, 0.35)
    assert [cue.lines for cue in lay_out(words, RULES, 8.0)] == [
        ("Hello, can you hear me?",),
        ("The train is late again,", "so please start without me."),
    ]
    words = speak("The boat left the harbour before sunrise. Nobody on the pier saw it go.", 0.4, 0.35)
    assert [cue.lines for cue in lay_out(words, RULES, 8.0)] == [
        ("The boat left the harbour before sunrise.", "Nobody on the pier saw it go."),
    ]
