"""Scratch voice and the line-up tone: natural length, told when too long, the same samples every time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from callboard.errors import JobError
from callboard.timedtext.rate import parse_rate
from callboard_placeholder import tone
from callboard_placeholder.engine import SAMPLE_RATE, Order
from callboard_placeholder.resampling import resample
from callboard_placeholder.voice import samples_of, speak, spread, voice_of, voices_of
from callboard_schemas import Brief, Line
from msgspec.structs import replace

if TYPE_CHECKING:
    from callboard.context import Context

LINES = (Line(text="Where were you?", speaker="Anna"), Line(text="On the boat.", speaker="Ben"))
ORDER = Order(
    shot="SH010",
    brief=Brief(dialogue=LINES),
    frames=150,
    rate=parse_rate("29.97df"),
    width=64,
    height=36,
    parameters={},
)


class Bench:
    """A folder, and nothing of a job."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def context(self) -> Context:
        """Not there."""
        raise LookupError("a voice asks nothing of its job")

    def progress(self, fraction: float, note: str = "") -> None:
        """Take any share of the whole."""
        assert 0 <= fraction <= 1, note


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Give a place to speak in."""
    return Bench(tmp_path)


def level(sound: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    """Give the peak in dBFS."""
    return float(20 * np.log10(np.abs(sound).max()))


def test_dialogue_is_spoken_within_the_shot(bench: Bench) -> None:
    """Two lines are heard with a breath between, silence before and behind, exactly as long as the pictures."""
    heard = speak(ORDER, bench)
    assert heard.sound is not None
    assert heard.sound.dtype == np.float32
    assert heard.sound.shape == (round(Fraction(150 * 1001 * SAMPLE_RATE, 30000)), 1)
    assert heard.notes == ()
    assert "espeak-ng" in heard.models
    loud = np.abs(heard.sound[:, 0]) > 0.003
    parts = np.flatnonzero(np.diff(np.flatnonzero(loud)) > 0.25 * SAMPLE_RATE)
    assert len(parts) == 1
    assert not loud[: SAMPLE_RATE // 4].any()
    assert -10 < level(heard.sound) < -8


def test_the_same_words_are_the_same_samples(bench: Bench, tmp_path: Path) -> None:
    """Spoken twice, the samples are the same; another speaker has another voice, in every shot the same."""
    (tmp_path / "again").mkdir()
    first, second = speak(ORDER, bench).sound, speak(ORDER, Bench(tmp_path / "again")).sound
    assert first is not None
    assert second is not None
    assert first.tobytes() == second.tobytes()
    assert voice_of("Anna") == voice_of(" ANNA: ") != voice_of("Ben")
    other = speak(replace(ORDER, brief=Brief(dialogue=(replace(LINES[0], speaker="Zoe"), LINES[1]))), bench).sound
    assert other is not None
    assert other.tobytes() != first.tobytes()


def test_speakers_of_a_shot_are_told_apart() -> None:
    """However many speak in a shot, no two have one voice, and one who speaks twice keeps theirs."""
    names = [f"Speaker {number}" for number in range(40)]
    cast = voices_of([*names, "SPEAKER 7"])
    assert len({cast[name] for name in names}) == 40
    assert cast["SPEAKER 7"] == cast["Speaker 7"]
    assert cast[names[0]] == voice_of(names[0])


def test_too_much_dialogue_is_told(bench: Bench) -> None:
    """Where the lines are longer than the shot they stay as long as they are, and a note says by how many seconds."""
    long = speak(replace(ORDER, frames=600), bench)
    short = speak(replace(ORDER, frames=30), bench)
    assert long.sound is not None
    assert short.sound is not None
    assert len(short.sound) == samples_of(replace(ORDER, frames=30))
    assert "s more than the shot" in short.notes[0]
    assert "natural length" in short.notes[0]
    first = np.flatnonzero(long.sound[:, 0])[0] - np.flatnonzero(short.sound[:, 0])[0]
    assert (short.sound[:20000, 0] == long.sound[first : first + 20000, 0]).all()


def test_lines_that_just_fit_are_not_cut() -> None:
    """Lines as long as the shot touch one another, and nothing is lost or told."""
    takes = [np.full(1000, 0.25), np.full(500, 0.125)]
    sound, notes = spread(takes, 1500)
    assert notes == ()
    assert (sound[:1000, 0] == 0.25).all()
    assert (sound[1000:, 0] == 0.125).all()
    _, told = spread(takes, 1499)
    assert "line 2 of 2" in told[0]


def test_without_the_program_there_is_a_note(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without espeak-ng makes a silent slate, and says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    heard = speak(ORDER, bench)
    assert heard.sound is None
    assert "install espeak-ng" in heard.notes[0]


@pytest.mark.parametrize("language", ["xx", "../../etc/passwd", "-h"])
def test_a_language_that_is_none_is_refused(bench: Bench, language: str) -> None:
    """A language that espeak-ng does not know, or that is no language, ends the job with what to do."""
    with pytest.raises(JobError, match="language"):
        speak(replace(ORDER, parameters={"language": language}), bench)


def test_voice_can_be_left_out(bench: Bench) -> None:
    """Without voice and without tone there is no sound at all."""
    assert speak(replace(ORDER, parameters={"slate_voice": False}), bench).sound is None


@pytest.mark.parametrize(("asked", "decibels"), [("-20 dBFS", -20.0), ("-18 dBFS", -18.0)])
def test_the_tone_lines_up(bench: Bench, asked: str, decibels: float) -> None:
    """1 kHz at the level of the standard, for the whole shot where nothing is spoken."""
    heard = speak(replace(ORDER, parameters={"slate_voice": False, "slate_tone": asked}), bench)
    assert heard.sound is not None
    assert len(heard.sound) == samples_of(ORDER)
    assert level(heard.sound) == pytest.approx(decibels, abs=0.01)
    spectrum = np.abs(np.fft.rfft(heard.sound[1000 : 1000 + SAMPLE_RATE, 0]))
    assert int(spectrum.argmax()) == 1000
    assert np.sort(spectrum)[-2] < spectrum.max() / 10000


def test_the_tone_gives_way_to_words(bench: Bench) -> None:
    """With dialogue the tone sounds before the first word and behind the last, and a note says so."""
    spoken = speak(ORDER, bench).sound
    heard = speak(replace(ORDER, parameters={"slate_tone": "-20 dBFS"}), bench)
    assert spoken is not None
    assert heard.sound is not None
    first, last = np.flatnonzero(spoken[:, 0])[[0, -1]]
    assert (heard.sound[first:last] == spoken[first:last]).all()
    assert level(heard.sound[: first - 500]) == pytest.approx(-20, abs=0.01)
    assert level(heard.sound[last + 1000 :]) == pytest.approx(-20, abs=0.01)
    assert "tone" in heard.notes[-1]


@pytest.mark.parametrize("rate", [16000, 22050, 44100])
def test_resampling_keeps_a_tone(rate: int) -> None:
    """A sine keeps its pitch, level and phase, with an error below 16 bits' -70 dB; what is above is no speech rate."""
    time = np.arange(rate) / rate
    made = resample(0.5 * np.sin(2 * np.pi * 1000 * time), rate)
    wanted = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
    middle = slice(500, -500)
    assert abs(len(made) - SAMPLE_RATE) <= 1
    assert np.abs(made[: len(wanted)][middle] - wanted[: len(made)][middle]).max() < 3e-4
    with pytest.raises(ValueError, match="96000"):
        resample(time, 96000)


def test_a_short_tone_has_no_click() -> None:
    """Even a tone of a few samples begins and ends at nothing."""
    short = tone.tone(31, -20.0)
    assert short.shape == (31, 1)
    assert short[0, 0] == short[-1, 0] == 0
