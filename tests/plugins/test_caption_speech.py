"""Real recognition: what is said is written down at its time; where nobody speaks, nothing is."""

from __future__ import annotations

import json
import re
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
from callboard.media import AudioBlock
from callboard.runtime.local import LocalRuntime
from callboard.testing import HookFailed, PluginHarness, make_asset, make_event
from callboard_caption.doubt import Spoken, why_invented
from callboard_caption.windows import windows
from callboard_schemas import Captions, Request

RATE = 16000
Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def runtime() -> Iterator[LocalRuntime]:
    """Load each model once for this module."""
    with LocalRuntime() as local:
        yield local


@pytest.fixture
def listen(plugin_harness: PluginHarness, runtime: LocalRuntime) -> Callable[..., Captions | None]:
    """Give the captions of a file."""

    def run(path: Path, **parameters: object) -> Captions | None:
        found = plugin_harness.run("callboard_caption", path, parameters=parameters, runtime=runtime)
        captions = [one for one in found if isinstance(one, Captions)]
        assert len(captions) <= 1
        return captions[0] if captions else None

    return run


def write(path: Path, sound: Array) -> Path:
    """Write 16 kHz mono sound."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((sound.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


def plain(text: str) -> str:
    """Leave only lower case words."""
    return " ".join(re.findall(r"[a-z']+", text.lower()))


@pytest.mark.models
@pytest.mark.parametrize("name", ["harbour_take3.mp4", "interview.mov", "vfr_phone.mp4"])
def test_speech_is_written_down(name: str, samples: Path, listen: Callable[..., Captions | None]) -> None:
    """At most one word in six is wrong in synthetic speech, which the smallest model finds harder than people."""
    said = json.loads((samples / "transcripts.json").read_text(encoding="utf-8"))[name]
    captions = listen(samples / name)
    assert captions is not None
    heard = " ".join(line for cue in captions.cues for line in cue.lines)
    assert jiwer.wer(plain(said), plain(heard)) <= 1 / 6, heard
    assert captions.language == "en"
    assert captions.confidence > 0.6
    assert captions.left_out == ()
    for cue in captions.cues:
        assert 0 <= cue.start < cue.end <= captions.duration
        assert all(len(line) <= 42 for line in cue.lines)
        assert cue.words


@pytest.mark.models
def test_cues_start_when_somebody_speaks(samples: Path, listen: Callable[..., Captions | None], tmp_path: Path) -> None:
    """Speech that begins after a pause of known length gets a cue within a fifth of a second of it."""
    from callboard.media.client import open_media

    with open_media(samples / "interview.mov", shm_folder=tmp_path) as media:
        speech = np.concatenate([block.samples.copy() for block in media.audio(RATE)])
    onset = float(np.flatnonzero(np.abs(speech) > 0.05)[0]) / RATE
    captions = listen(write(tmp_path / "late.wav", np.concatenate([np.zeros(5 * RATE, np.float32), speech])))
    assert captions is not None
    assert abs(captions.cues[0].start - (5.0 + onset)) <= 0.2


def noise() -> Array:
    """Make ten seconds of white noise at -20 dBFS."""
    return np.random.default_rng(5).normal(0, 0.1, 10 * RATE)


def tones() -> Array:
    """Play a melody of plain tones for ten seconds."""
    time = np.arange(RATE // 2) / RATE
    notes = [220 * 2 ** (step / 12) for step in (0, 4, 7, 12, 7, 4, 0, 5, 9, 12) * 2]
    return np.concatenate([0.3 * np.sin(2 * np.pi * note * time) * np.exp(-2 * time) for note in notes])


def silence() -> Array:
    """Keep quiet for ten seconds."""
    return np.zeros(10 * RATE)


@pytest.mark.models
@pytest.mark.parametrize("sound", [noise, tones, silence])
def test_nothing_is_invented_where_nobody_speaks(
    sound: Callable[[], Array], listen: Callable[..., Captions | None], tmp_path: Path
) -> None:
    """Noise, music and silence give captions without a cue, so that the record says that nobody speaks."""
    captions = listen(write(tmp_path / "sound.wav", sound()))
    assert captions is not None
    assert captions.cues == ()
    assert captions.speech_seconds == 0
    assert captions.confidence > 0.5


@pytest.mark.models
@pytest.mark.parametrize("name", ["room_tone.wav", "music_bed.ogg", "odd_size.mkv"])
def test_samples_without_speech_have_no_cues(name: str, samples: Path, listen: Callable[..., Captions | None]) -> None:
    """A quiet room, a music bed and a line-up tone have nothing to caption, even with the gate open."""
    for gate in (True, False):
        captions = listen(samples / name, speech_only=gate)
        assert captions is not None
        assert captions.cues == () or all("maybe not speech" in cue.flags for cue in captions.cues)
        assert not gate or captions.cues == ()


@pytest.mark.models
def test_video_without_sound_is_nothing_to_say(samples: Path, listen: Callable[..., Captions | None]) -> None:
    """No sound stream, no proposal."""
    assert listen(samples / "silent_pan.mp4") is None


@pytest.mark.models
def test_windows_do_not_change_what_is_heard(
    samples: Path, listen: Callable[..., Captions | None], tmp_path: Path
) -> None:
    """Speech longer than a window keeps its absolute times and its words."""
    from callboard.media.client import open_media

    with open_media(samples / "harbour_take3.mp4", shm_folder=tmp_path) as media:
        speech = np.concatenate([block.samples.copy() for block in media.audio(RATE)])
    captions = listen(write(tmp_path / "long.wav", np.tile(speech, 4)), window_seconds=30.0)
    assert captions is not None
    said = json.loads((samples / "transcripts.json").read_text(encoding="utf-8"))["harbour_take3.mp4"]
    heard = " ".join(line for cue in captions.cues for line in cue.lines)
    assert jiwer.wer(plain(" ".join([said] * 4)), plain(heard)) <= 1 / 6, heard
    assert captions.cues[-1].start > 3 * len(speech) / RATE


@pytest.mark.models
def test_a_language_that_is_not_heard_is_refused(
    samples: Path, plugin_harness: PluginHarness, runtime: LocalRuntime
) -> None:
    """A request for French fails with what to do, instead of English words for French speech."""
    path = samples / "interview.mov"
    request = Request(asset=make_asset(path), languages=("fr-CA",))
    event = make_event(request.asset, "captions.requested", request)
    with pytest.raises(HookFailed, match=r"captions of fr-CA were asked for; whisper-tiny-en hears English only"):
        plugin_harness.run("callboard_caption", path, event=event, runtime=runtime)


def test_windows_join_without_gap_and_cut_in_pauses() -> None:
    """Sound in uneven blocks comes back whole, cut where the detector hears nobody."""
    sound = np.random.default_rng(0).normal(0, 0.1, 100 * RATE).astype(np.float32)
    voice = np.ones(len(sound) // 512, np.float32)
    voice[int(26 / 0.032) : int(27 / 0.032)] = 0.0
    taken = 0

    def hear(samples: Array) -> Array:
        nonlocal taken
        before, taken = taken // 512, taken + len(samples)
        return voice[before : taken // 512]

    pieces = np.split(sound, [7000, 300_000, 301_111, 1_000_000])
    starts = np.cumsum([0, *[len(piece) for piece in pieces[:-1]]]) / RATE
    blocks = [AudioBlock(float(start), RATE, piece) for start, piece in zip(starts, pieces, strict=True)]
    found = list(windows(blocks, hear, lambda: np.zeros(0, np.float32), 30.0))
    np.testing.assert_array_equal(np.concatenate([window.samples for window in found]), sound)
    assert abs(found[0].end - 26.5) < 0.1
    for window in found:
        assert window.end - window.start <= 30.0 + max(len(piece) for piece in pieces) / RATE


@pytest.mark.parametrize(
    ("text", "no_speech", "likelihood", "compression", "spans", "reason"),
    [
        ("[Music]", 0.1, -0.2, 1.0, [(0.0, 5.0)], "a sound description, not speech"),
        ("♪ la la ♪", 0.1, -0.2, 1.0, [(0.0, 5.0)], "a sound description, not speech"),
        ("Hello there.", 0.1, -0.2, 1.0, [], "nobody speaks here"),
        ("Hello there.", 0.8, -1.5, 1.0, [(0.0, 5.0)], "the recogniser doubts that this is speech"),
        ("no no no no no no", 0.1, -0.2, 3.0, [(0.0, 5.0)], "the recogniser repeats itself"),
        ("Thanks for watching!", 0.1, -0.2, 1.0, [(0.0, 1.0)], "a phrase that recognisers invent"),
        ("Thanks for watching!", 0.1, -0.2, 1.0, [(0.0, 5.0)], ""),
        ("No, no, no. I said no.", 0.1, -0.2, 1.2, [(0.0, 5.0)], ""),
        ("Hello there.", 0.8, -0.3, 1.0, [(0.0, 5.0)], ""),
    ],
)
def test_invented_lines_are_known_by_their_figures(
    text: str, no_speech: float, likelihood: float, compression: float, spans: list[tuple[float, float]], reason: str
) -> None:
    """What is invented is left out with its reason; what somebody may well have said is kept."""
    assert why_invented(Spoken(0.0, 5.0, text, likelihood, no_speech, compression, ()), spans) == reason
