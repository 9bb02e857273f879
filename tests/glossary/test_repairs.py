"""Names that a recogniser misheard are written as the glossary has them, and nothing else is touched."""

from __future__ import annotations

import pytest
from callboard.glossary import parse
from callboard.glossary.matching import DOUBTFUL, FLAG, SURE, attach, repair
from callboard.glossary.sounds import alike, sounds
from callboard_schemas import Cue, Word
from hypothesis import given
from hypothesis import strategies as st

GLOSSARY = parse("""
[[term]]
text = "Siobhan"
sounds_like = ["shiv-awn"]
[[term]]
text = "Torvald Ekberg"
[[term]]
text = "Callistra"
variants = ["Calista"]
[[term]]
text = "Will"
case = true
[[term]]
text = "gaffer"
[[term]]
text = "Вероника"
""")


def heard(text: str, confidence: float = 0.4, sure: str = "") -> list[Word]:
    """Give words a third of a second each; those in *sure* are sure."""
    return [
        Word(text=word, start=at / 3, end=(at + 1) / 3, confidence=0.95 if word in sure.split() else confidence)
        for at, word in enumerate(text.split())
    ]


@pytest.mark.parametrize(
    ("said", "sure", "written"),
    [
        ("I told shiv on to wait.", "I told to wait.", "I told Siobhan to wait."),
        ("I told (shivon), twice.", "I told twice.", "I told (Siobhan), twice."),
        ("It was Shivon's idea.", "It was idea.", "It was Siobhan's idea."),
        ("Two shivawns came.", "Two came.", "Two Siobhans came."),
        ("Total Deckberg came.", "came.", "Torvald Ekberg came."),
        ("Torvaldekberg came.", "came.", "Torvald Ekberg came."),
        ("SHIVON!", "", "SIOBHAN!"),
        ("Gaffa tape, said the gaffa.", "tape, said the", "Gaffer tape, said the gaffer."),
        ("I will call.", "", "I will call."),
        ("I know, shiv. On we go.", "I know, we go.", "I know, shiv. On we go."),
        ("I told shiv on to wait.", "I told shiv on to wait.", "I told shiv on to wait."),
        ("Calista said so.", "Calista said so.", "Callistra said so."),
        ("calista's and callistra.", "and", "Callistra's and Callistra."),
        ("Вераника дома.", "дома.", "Вероника дома."),
        ("", "", ""),
    ],
)
def test_what_was_misheard_is_written_as_it_should_be(said: str, sure: str, written: str) -> None:
    """Joined, split, possessive, plural and shouted names are repaired; sure words and sentence ends are kept."""
    done = repair(heard(said, sure=sure), GLOSSARY, "en", below=0.6)
    assert " ".join(word.text for word in done.words) == written


def test_a_repair_says_what_was_heard() -> None:
    """Each repair names the words that it replaced, the term, its likeness, and where it now stands."""
    done = repair(heard("So shiv on met Total Deckberg."), GLOSSARY, "en", below=0.6)
    assert [(one.word, one.heard, one.written, one.term) for one in done.repairs] == [
        (1, "shiv on", "Siobhan", "siobhan"),
        (3, "Total Deckberg", "Torvald Ekberg", "torvald-ekberg"),
    ]
    assert all(0.6 < one.score < 1 for one in done.repairs)
    assert [done.words[1].start, done.words[1].end] == [pytest.approx(1 / 3, abs=1e-3), pytest.approx(1.0, abs=1e-3)]


def test_a_cue_shows_its_repairs() -> None:
    """A cue with a repair is flagged, one in doubt fails, and repairs count words from its own first."""
    done = repair(heard("So shivon met old market."), GLOSSARY, "en", below=0.6)
    (one,) = done.repairs
    doubtful = [one, type(one)(word=3, heard="old", written="odd", term="x", score=DOUBTFUL - 0.01)]
    cues = [
        Cue(id=1, start=0, end=0.5, lines=("So",), confidence=0.9, words=done.words[:1]),
        Cue(id=2, start=0.5, end=1, lines=("Siobhan met",), confidence=0.9, words=done.words[1:3], flags=("slow",)),
        Cue(id=3, start=1, end=2, lines=("old market.",), confidence=0.9, words=done.words[3:]),
    ]
    first, second, third = attach(cues, doubtful)
    assert first == cues[0]
    assert [repaired.word for repaired in second.repairs] == [0]
    assert second.flags == ("slow", FLAG)
    assert second.failed == ()
    assert third.failed == ("heard as 'old': is it 'odd'?",)


WORDS = st.lists(
    st.tuples(st.text(min_size=1, max_size=9).filter(lambda text: text.split() == [text]), st.floats(0, 1)), max_size=9
)


@given(WORDS)
def test_sure_words_are_never_touched(said: list[tuple[str, float]]) -> None:
    """Whatever was said, sure words stay, no time is lost, and a second pass finds nothing."""
    words = [
        Word(text=text, start=at / 2, end=at / 2 + 0.4, confidence=confidence)
        for at, (text, confidence) in enumerate(said)
    ]
    glossary = parse('[[term]]\ntext = "Ab"\n[[term]]\ntext = "Siobhan"\n')
    done = repair(words, glossary, "en", below=0.6)
    kept = [word for word in done.words if word in words]
    assert [word for word in words if word.confidence >= SURE and word.text.casefold() not in ("ab", "siobhan")] == [
        word for word in kept if word.confidence >= SURE and word.text.casefold() not in ("ab", "siobhan")
    ]
    if words:
        assert (done.words[0].start, done.words[-1].end) == (words[0].start, words[-1].end)
    assert repair(done.words, glossary, "en", below=0.6).repairs == ()


@given(st.text(max_size=20), st.text(max_size=20))
def test_likeness_is_a_share(one: str, other: str) -> None:
    """Any two texts are 0 to 1 alike, the same in both directions, and a text is wholly like itself."""
    left, right = sounds(one), sounds(other)
    assert 0 <= alike(left, right) <= 1
    assert alike(left, right) == pytest.approx(alike(right, left))
    assert alike(left, left) == 1
