"""Speakers are told apart by their channels, and share a cue with dashes."""

from __future__ import annotations

import io
import subprocess
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard import shm
from callboard.media.client import open_media
from callboard.runtime.local import LocalRuntime
from callboard.testing import PluginHarness
from callboard.timedtext.check import check
from callboard.timedtext.profile import load
from callboard.timedtext.rate import parse_rate
from callboard_caption.cues import lay_out
from callboard_caption.layout import Layout
from callboard_caption.speakers import RATE, is_mix, levels_of, told_apart
from callboard_schemas import Captions, Word

Array = np.ndarray[Any, Any]

SAMPLES = 22050
DIALOGUE = (
    (0, "en-gb", "Did you lock the door before we left?"),
    (1, "en-us+f3", "I thought that you had done it."),
    (0, "en-gb", "No."),
    (1, "en-us+f3", "Then we have to go back."),
    (0, "en-gb", "It is two hours to the house, and the ferry leaves at nine in the morning."),
)


def say(voice: str, text: str) -> Array:
    """Have espeak-ng say *text*: float32, 22,050 Hz, without the silence around it."""
    done = subprocess.run(
        ["espeak-ng", "-s", "140", "-v", voice, "--stdout", text], check=True, capture_output=True, timeout=120
    )
    with wave.open(io.BytesIO(done.stdout)) as sound:
        samples = np.frombuffer(sound.readframes(-1), "<i2").astype(np.float32) / 32768
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    return samples[loud[0] : loud[-1]]


@pytest.fixture(scope="module")
def conversation() -> tuple[list[Array], list[Word], list[int]]:
    """Two voices, each alone on its track; the words with their times, and who says each."""
    clock = 0.5
    tracks = [np.zeros(SAMPLES * 30, np.float32) for _ in range(2)]
    words: list[Word] = []
    who: list[int] = []
    for speaker, voice, text in DIALOGUE:
        spoken = say(voice, text)
        at = round(clock * SAMPLES)
        tracks[speaker][at : at + len(spoken)] = spoken
        length, texts = len(spoken) / SAMPLES, text.split()
        for number, word in enumerate(texts):
            start = clock + length * number / len(texts)
            words.append(Word(text=word, start=start, end=start + length / len(texts), confidence=0.9))
            who.append(speaker)
        clock += length + 0.3
    size = round((clock + 0.5) * SAMPLES)
    return [track[:size] for track in tracks], words, who


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder in shared memory."""
    made = shm.make_folder()
    yield made
    made.rmdir()


def write(tracks: Sequence[Array], path: Path) -> None:
    """Write *tracks* as the channels of a file."""
    frames = (np.stack(tracks, axis=1).clip(-1, 1) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(len(tracks))
        sound.setsampwidth(2)
        sound.setframerate(SAMPLES)
        sound.writeframes(frames.tobytes())


def heard(tracks: Sequence[Array], path: Path, folder: Path) -> Array:
    """Write *tracks* as the channels of a file, and measure them there."""
    write(tracks, path)
    with open_media(path, shm_folder=folder) as media:
        return levels_of(media.audio(RATE, 7.0, channels=True))


@pytest.mark.parametrize("quieter", [1.0, 0.2])
def test_channels_tell_who_speaks(
    conversation: tuple[list[Array], list[Word], list[int]], tmp_path: Path, folder: Path, quieter: float
) -> None:
    """Every word goes to its speaker, with the other's voice and noise in each microphone, and one turned down."""
    (left, right), words, who = conversation
    noise = np.random.default_rng(3).normal(0, 0.002, (2, len(left))).astype(np.float32)
    tracks = [left + 0.12 * right + noise[0], quieter * (right + 0.12 * left + noise[1])]
    levels = heard(tracks, tmp_path / "two.wav", folder)
    assert told_apart(levels, words) == tuple(who)
    assert not is_mix(levels, words)


def test_a_mix_tells_nothing(
    conversation: tuple[list[Array], list[Word], list[int]], tmp_path: Path, folder: Path
) -> None:
    """Where both voices are in both channels alike nobody is named."""
    (left, right), words, _ = conversation
    levels = heard([left + right, 0.8 * (left + right)], tmp_path / "mix.wav", folder)
    assert told_apart(levels, words) == ()
    assert is_mix(levels, words)
    assert not is_mix(levels[:100], words)  # two words are too few to know


def test_one_speaker_beside_an_empty_track_is_one_speaker(
    conversation: tuple[list[Array], list[Word], list[int]], tmp_path: Path, folder: Path
) -> None:
    """A second track that holds noise or nothing makes no second speaker."""
    (left, right), words, _ = conversation
    noise = np.random.default_rng(4).normal(0, 0.003, len(left)).astype(np.float32)
    assert told_apart(heard([left + right, noise], tmp_path / "noise.wav", folder), words) == ()
    assert told_apart(heard([left + right, np.zeros_like(left)], tmp_path / "empty.wav", folder), words) == ()


def test_two_short_turns_share_a_cue_with_dashes(conversation: tuple[list[Array], list[Word], list[int]]) -> None:
    """Short turns stand on a line each, behind the profile's dash; a long one has a cue to itself, with its speaker."""
    _, words, who = conversation
    layout = Layout(profile=load("netflix", "es"), rate=parse_rate("25"), language="en", labels=True)
    cues = lay_out(words, layout, 30.0, speakers=who)
    assert ("- No.", "- Then we have to go back.") in [cue.lines for cue in cues]
    assert [cue.speaker for cue in cues[-2:]] == ["Speaker 1"] * 2
    assert cues[-2].lines == ("It is two hours to the house,",)
    assert [word.text for cue in cues for word in cue.words] == [word.text for word in words]
    assert [one.rule for one in check(cues, layout.profile, layout.rate, language="en")] == []


def test_the_first_dash_is_left_out_where_the_language_does_so(
    conversation: tuple[list[Array], list[Word], list[int]],
) -> None:
    """Dutch marks the second speaker alone."""
    _, words, who = conversation
    layout = Layout(profile=load("netflix", "nl"), rate=parse_rate("25"), language="nl")
    lines = [cue.lines for cue in lay_out(words, layout, 30.0, speakers=who)]
    assert ("No.", "-Then we have to go back.") in lines


def test_no_cue_holds_three_turns() -> None:
    """However short the turns are, two at most share a cue, and no turn is broken over one."""
    words = [
        Word(text=text, start=1 + 0.5 * at, end=1.4 + 0.5 * at, confidence=1)
        for at, text in enumerate(["Yes.", "No.", "Yes!", "No!", "Why?", "So."])
    ]
    who = [0, 1, 0, 1, 0, 1]
    for cue in lay_out(words, Layout(profile=load("web", "en"), language="en"), 10.0, speakers=who):
        assert len(cue.words) <= 2
        assert len(cue.lines) == len(cue.words)


def test_dashes_that_the_recogniser_wrote_are_dialogue() -> None:
    """Turns that are already marked in the words are laid out as turns, with one dash each."""
    texts = ["-Ready?", "-Yes,", "let's", "go."]
    words = [Word(text=text, start=1 + 0.4 * at, end=1.3 + 0.4 * at, confidence=1) for at, text in enumerate(texts)]
    (cue,) = lay_out(words, Layout(profile=load("web", "en"), language="en"), 10.0)
    assert cue.lines == ("-Ready?", "-Yes, let's go.")


@pytest.mark.models
def test_a_call_on_two_tracks_is_captioned_with_its_speakers(
    conversation: tuple[list[Array], list[Word], list[int]],
    tmp_path: Path,
    plugin_harness: PluginHarness,
) -> None:
    """What is recognised of a conversation says who speaks, after a minute in which nobody does."""
    tracks, _, _ = conversation
    before = np.zeros(60 * SAMPLES, np.float32)
    write([np.concatenate([before, track]) for track in tracks], tmp_path / "call.wav")
    parameters = {"speakers": "labels", "keywords": False}
    with LocalRuntime() as runtime:
        (found,) = plugin_harness.run(
            "callboard_caption", tmp_path / "call.wav", parameters=parameters, runtime=runtime
        )
    assert isinstance(found, Captions)
    speakers = {cue.speaker for cue in found.cues if len(cue.words) > 4 and not cue.lines[0].startswith("-")}
    assert speakers == {"Speaker 1", "Speaker 2"}
    assert found.cues[0].speaker == "Speaker 1"
