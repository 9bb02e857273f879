"""Seconds of sound are sorted into silence, tone, music and noise, and levels are measured right."""

from __future__ import annotations

from typing import Any

import numpy as np
from callboard.media.hearing import RATE, measure
from callboard_autotag.sound import Listener

Array = np.ndarray[Any, Any]


def sine(frequency: float, seconds: float, level: float = 0.5) -> Array:
    """Make a tone with peaks at *level*."""
    time = np.arange(int(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def noise(seconds: float, level: float = 0.1) -> Array:
    """Make white noise of this root mean square."""
    return np.random.default_rng(2).normal(0, level, int(seconds * RATE)).astype(np.float32).clip(-1, 1)


def chords(seconds: int) -> Array:
    """Play a chord of four notes with three partials each, another one each second."""
    played = []
    for second in range(seconds):
        root = 220.0 * 2 ** ((0, 5, 7, 3)[second % 4] / 12)
        notes = [root * 2 ** (step / 12) * partial for step in (0, 4, 7, 12) for partial in (1, 2, 3)]
        played.append(sum((sine(note, 1.0, 0.05) for note in notes), np.zeros(RATE, np.float32)))
    return np.concatenate(played)


def listen(sound: Array, block: int = 48000) -> tuple[list[str], dict[str, Any]]:
    """Give labels and numbers."""
    listener = Listener()
    for at in range(0, len(sound), block):
        listener.add(sound[at : at + block])
    tags, facts = listener.finish()
    return [tag.label for tag in tags], dict(facts)


def test_levels_are_those_of_the_signal() -> None:
    """A sine with peaks at a half has its power at -9.03 dBFS and its peak at -6.02."""
    facts = listen(sine(1000, 3.0))[1]
    assert facts["level_dbfs"] == -9.0
    assert facts["peak_dbfs"] == -6.0
    assert abs(measure(noise(1.0)).level + 20) < 0.2


def test_line_up_tone_is_a_steady_tone() -> None:
    """A kilohertz is a tone and no music."""
    assert listen(sine(1000, 5.0))[0] == ["steady tone"]


def test_chords_are_probably_music() -> None:
    """Partials that stand for a while and change are music, said as a guess."""
    listener = Listener()
    listener.add(chords(8))
    (tag,) = listener.finish()[0]
    assert tag.label == "music"
    assert tag.guess
    assert [(seen.start, seen.end) for seen in tag.evidence[1:]] == [(0.0, 8.0)]


def test_noise_is_no_music() -> None:
    """White noise is background sound."""
    assert listen(noise(6.0))[0] == ["background sound"]


def test_silence_is_told_with_its_place() -> None:
    """Four seconds of noise and four of nothing: half is silence, from second four."""
    labels, facts = listen(np.concatenate([noise(4.0), np.zeros(4 * RATE, np.float32)]))
    assert "silence" in labels
    assert facts["silence_share"] == 0.5
    assert listen(np.zeros(5 * RATE, np.float32))[0] == ["silent audio"]


def test_clipping_is_found() -> None:
    """A sine driven into the ceiling is clipped; one below it is not."""
    assert "clipped sound" in listen(sine(300, 3.0, 2.0).clip(-1, 1))[0]
    assert "clipped sound" not in listen(sine(300, 3.0, 0.9))[0]


def test_the_answer_does_not_depend_on_the_blocks() -> None:
    """Sound given in odd pieces is sorted as if given at once."""
    sound = np.concatenate([chords(3), noise(2.5), np.zeros(20000, np.float32)])
    assert listen(sound, 777) == listen(sound, len(sound))


def test_a_click_is_enough_to_be_heard() -> None:
    """A tenth of a second of sound gets an answer; no sound gets none."""
    assert listen(noise(0.1))[1]["level_dbfs"] < -15
    assert Listener().finish() == ([], {})
