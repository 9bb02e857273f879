"""Real recognition: a faint voice is found and marked, what is sure ships, and sound without speech has no cues."""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
from callboard.runtime.local import LocalRuntime
from callboard.testing import PluginHarness
from callboard_schemas import Captions

pytestmark = pytest.mark.models
RATE = 16000
LOUD = "The boat left the harbor before sunrise."
FAINT = "Nobody on the pier saw it go."
Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def runtime() -> Iterator[LocalRuntime]:
    """Load each model once for this module."""
    with LocalRuntime() as local:
        yield local


def say(text: str, folder: Path) -> Array:
    """Have espeak-ng speak; float32 at 16 kHz."""
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "140", "-w", folder / "a.wav", text], check=True)
    subprocess.run(["sox", "-D", folder / "a.wav", "-r", "16000", "-b", "16", folder / "b.wav"], check=True)
    with wave.open(str(folder / "b.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768


def listen(sound: Array, runtime: LocalRuntime, folder: Path, **parameters: object) -> Captions:
    """Caption 16 kHz mono sound."""
    path = folder / "sound.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((sound.clip(-1, 1) * 32767).astype("<i2").tobytes())
    (folder / "shm").mkdir(exist_ok=True)
    found = PluginHarness(folder / "shm", runtime).run("callboard_caption", path, parameters=parameters)
    return next(one for one in found if isinstance(one, Captions))


@pytest.fixture(scope="module")
def whispered(tmp_path_factory: pytest.TempPathFactory) -> Array:
    """A sentence, and after five seconds another one 30 dB under it."""
    folder = tmp_path_factory.mktemp("said")
    room = np.random.default_rng(3).normal(0, 10 ** (-80 / 20), 18 * RATE).astype(np.float32)
    for at, text, gain in ((1, LOUD, 1.0), (10, FAINT, 10 ** (-30 / 20))):
        said = say(text, folder) * np.float32(gain)
        room[at * RATE : at * RATE + len(said)] += said
    return room


def test_a_voice_30_db_down_is_found_at_its_time(whispered: Array, runtime: LocalRuntime, tmp_path: Path) -> None:
    """Both sentences are written down; a voice that is only found when it is raised is marked as faint."""
    captions = listen(whispered, runtime, tmp_path)
    late = [cue for cue in captions.cues if cue.start > 8]
    early = [cue for cue in captions.cues if cue.start <= 8]
    assert jiwer.wer(LOUD.lower(), " ".join(" ".join(cue.lines) for cue in early).lower()) <= 0.2
    assert jiwer.wer(FAINT.lower(), " ".join(" ".join(cue.lines) for cue in late).lower()) <= 0.5
    assert abs(late[0].start - 10) < 0.4
    for cue in captions.cues:
        assert cue.heard is not None
    assert not any(cue.failed for cue in early)


def test_a_voice_that_the_detector_misses_is_found_when_it_is_raised(
    whispered: Array, runtime: LocalRuntime, tmp_path: Path
) -> None:
    """At -76 dBFS it is not heard at first; heard again it is written down, marked as faint and stopped at the gate."""
    quiet = whispered * np.float32(0.05)
    deaf = listen(quiet, runtime, tmp_path, faint_threshold=0.0)
    assert not [cue for cue in deaf.cues if cue.start > 8]
    late = [cue for cue in listen(quiet, runtime, tmp_path).cues if cue.start > 8]
    assert jiwer.wer(FAINT.lower(), " ".join(" ".join(cue.lines) for cue in late).lower()) <= 0.5
    assert all(cue.heard is not None and cue.heard.quiet and "faint voice" in cue.flags for cue in late)
    assert any("faint voice, words unsure" in cue.failed for cue in late)


def unvoiced(kind: str) -> Array:
    """Make eight seconds in which nobody speaks."""
    random = np.random.default_rng(11)
    time = np.arange(8 * RATE) / RATE
    white = random.normal(0, 1, len(time))
    notes = 220 * 2 ** (np.array([0, 4, 7, 12, 7, 4, 0, 5, 9, 12])[(time * 2).astype(int) % 10] / 12)
    melody = np.sin(2 * np.pi * np.cumsum(notes) / RATE) * np.exp(-3 * (time * 2 % 1))
    sounds = {
        "silence": np.zeros(len(time)),
        "noise": white * 0.1,
        "faint noise": white * 0.001,
        "tone": 0.1 * np.sin(2 * np.pi * 1000 * time),
        "music": 0.3 * melody,
        "faint music": 0.003 * melody,
        "clicks": (random.random(len(time)) > 0.9998) * 0.5,
    }
    return sounds[kind].astype(np.float32)


@pytest.mark.parametrize("kind", ["silence", "noise", "faint noise", "tone", "music", "faint music", "clicks"])
def test_sound_without_speech_has_no_cues(kind: str, runtime: LocalRuntime, tmp_path: Path) -> None:
    """However faint it is, and however much it is raised to listen again."""
    assert listen(unvoiced(kind), runtime, tmp_path).cues == ()


def test_speech_drowned_in_noise_is_stopped_and_not_dropped(
    whispered: Array, runtime: LocalRuntime, tmp_path: Path
) -> None:
    """What is misheard under noise as loud as the voice is kept, with the reason why it must be looked at."""
    noise = np.random.default_rng(8).normal(0, 0.09, len(whispered)).astype(np.float32)
    captions = listen(whispered + noise, runtime, tmp_path)
    said = " ".join(" ".join(cue.lines) for cue in captions.cues).lower()
    assert jiwer.wer(LOUD.lower(), said) > 1 / 3
    assert all("words unsure" in cue.failed for cue in captions.cues)
