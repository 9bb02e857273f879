"""Sound descriptions stand where music plays and nobody speaks, and are marked as what they are."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from callboard.media import AudioBlock
from callboard.media.hearing import RATE
from callboard.timedtext.check import check
from callboard.timedtext.profile import load
from callboard.timedtext.rate import parse_rate
from callboard_caption.cues import lay_out
from callboard_caption.layout import Layout
from callboard_caption.sounds import GUESSED, music_heard, with_sounds
from callboard_schemas import Cue, Word
from hypothesis import given, settings
from hypothesis import strategies as st

LAYOUT = Layout(profile=load("netflix-sdh", "en"), rate=parse_rate("25"), language="en")


def said(*times: float) -> list[Cue]:
    """Say a word of one second at each of *times*."""
    words = [Word(text="Hello.", start=time, end=time + 1, confidence=1.0) for time in times]
    return lay_out(words, LAYOUT, 100.0)


def test_music_between_speech_is_described() -> None:
    """A description stands where the first stretch of music that is long enough begins, in brackets, without words."""
    cues = with_sounds(said(2.0, 20.0), [(0.0, 30.0)], [(2.0, 3.0), (20.0, 21.0)], LAYOUT, 30.0)
    described = [cue for cue in cues if cue.kind == "sound"]
    assert [(cue.lines, cue.words, cue.flags) for cue in described] == [(("[music]",), (), (GUESSED,))]
    assert [cue.id for cue in cues] == [1, 2, 3]
    assert 3.0 < described[0].start < 3.2
    assert described[0].end <= 6.2
    assert check(cues, LAYOUT.profile, LAYOUT.rate, language="en", duration=30.0) == []


def test_a_voice_without_words_is_not_called_music() -> None:
    """Where the speech detector hears somebody, music is not claimed even if nothing was recognised."""
    assert with_sounds([], [(0.0, 10.0)], [(1.0, 8.0)], LAYOUT, 10.0) == []


def test_a_moment_of_music_is_not_described() -> None:
    """Two seconds of music are no music worth a cue."""
    assert with_sounds(said(2.0), [(4.0, 6.0)], [], LAYOUT, 10.0) == said(2.0)


@pytest.mark.parametrize(("language", "line"), [("es", "[música]"), ("de-AT", "[Musik]"), ("is", "[music]")])
def test_sounds_are_described_in_the_language_of_the_captions(language: str, line: str) -> None:
    """The word for music is the language's own where it is known, and English where it is not."""
    layout = Layout(profile=load("web", language), language=language)
    (cue,) = with_sounds([], [(0.0, 10.0)], [], layout, 10.0)
    assert cue.lines == (line,)


@given(
    st.lists(st.floats(0, 90), max_size=12),
    st.lists(st.tuples(st.floats(0, 90), st.floats(0.5, 40)), max_size=6),
)
@settings(deadline=None, max_examples=60)
def test_descriptions_never_touch_speech(starts: list[float], spans: list[tuple[float, float]]) -> None:
    """Whatever is heard where, no description overlaps a cue, and gaps are kept on both sides of it."""
    music = sorted((start, start + length) for start, length in spans)
    cues = with_sounds(said(*sorted(starts)), music, [], LAYOUT, 100.0)
    assert LAYOUT.rate is not None
    for before, after in pairwise(cues):
        if "sound" in (before.kind, after.kind):
            assert LAYOUT.rate.frame_at(after.start) - LAYOUT.rate.frame_at(before.end) >= LAYOUT.gap
    for cue in cues:
        if cue.kind == "sound":
            assert cue.end - cue.start >= LAYOUT.profile.shortest - 1e-9
            assert cue.end <= 100.0


def test_music_is_told_from_noise() -> None:
    """Chords are music, noise and silence are not."""
    time = np.arange(12 * RATE) / RATE
    chords = sum(
        (0.08 * np.sin(2 * np.pi * note * time) / part for note in (220, 277.2, 329.6) for part in (1, 2)),
        np.zeros(len(time)),
    )
    noise = np.random.default_rng(1).normal(0, 0.05, 10 * RATE)
    whole: np.ndarray[Any, Any] = np.concatenate([noise, chords, np.zeros(8 * RATE)]).astype(np.float32)
    blocks = [AudioBlock(at / RATE, RATE, whole[at : at + 3 * RATE]) for at in range(0, len(whole), 3 * RATE)]
    ((start, end),) = music_heard(blocks)
    assert abs(start - 10) <= 1
    assert abs(end - 22) <= 1
