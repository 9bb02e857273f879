"""Speakers without a channel each are told apart by their voices, or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard.media import AudioBlock
from callboard.runtime.local import LocalRuntime
from callboard.testing import PluginHarness
from callboard_caption.mels import mels
from callboard_caption.truth import speech
from callboard_caption.voices import Phrase, encode, joined, phrases, pieces, sounds, told_by_voice
from callboard_schemas import Captions, Word

Array = np.ndarray[Any, Any]

HE, SHE = "en-gb", "en-us+f3"
DIALOGUE = (
    (HE, "Did you lock the door before we left the house this morning?"),
    (SHE, "I thought that you had done it, before you came down the stairs."),
    (HE, "No."),
    (SHE, "Then we have to go back and see."),
    (HE, "It is two hours to the house, and the ferry leaves at nine in the morning."),
    (SHE, "We could ask the neighbour, who has had a key since last summer."),
)


@pytest.fixture(scope="module")
def runtime() -> Iterator[LocalRuntime]:
    """Models in this process, loaded once."""
    with LocalRuntime() as local:
        yield local


def spoken(texts: str, step: float = 0.4, gap: float = 0.0, start: float = 1.0) -> list[Word]:
    """Make words that follow each other."""
    return [
        Word(text=text, start=start + at * (step + gap), end=start + at * (step + gap) + step, confidence=1.0)
        for at, text in enumerate(texts.split())
    ]


def blocks(sound: Array, size: int) -> Iterator[AudioBlock]:
    """Give *sound* as a decoder does."""
    for first in range(0, len(sound), size):
        yield AudioBlock(first / speech.RATE, speech.RATE, sound[first : first + size])


def talk(lines: Sequence[tuple[str, str]]) -> tuple[Array, list[Word], list[str]]:
    """Have *lines* said one after another: mono sound, its words, and the voice of each."""
    parts: list[Array] = []
    words: list[Word] = []
    voices: list[str] = []
    clock = 0.0
    for voice, text in lines:
        said = speech.say(text, voice, 150)
        length = len(said) / speech.RATE - 1.0  # half a second of silence on both sides
        texts = text.split()
        for at, one in enumerate(texts):
            start = clock + 0.5 + length * at / len(texts)
            words.append(Word(text=one, start=start, end=start + length / len(texts), confidence=0.9))
            voices.append(voice)
        parts.append(said)
        clock += length + 1.0
    return np.concatenate(parts), words, voices


def test_phrases_end_where_somebody_else_may_go_on() -> None:
    """At ends of sentences, pauses and the recogniser's own ends; not after a title, nor in running words."""
    words = [*spoken("Ask Mr. Hale, please. He knows."), *spoken("nobody told me", start=5.0)]
    found = phrases(words, "en", {7})
    texts = [" ".join(word.text for word in words[one.first : one.stop]) for one in found]
    assert texts == ["Ask Mr. Hale, please.", "He knows.", "nobody told", "me"]
    assert found[0].start == 1.0
    assert found[0].seconds == pytest.approx(1.6)


def test_each_phrase_gets_its_own_sound() -> None:
    """Whatever blocks a recording comes in, a phrase gets the samples of its time, and nothing past the end."""
    sound = np.arange(speech.RATE * 4, dtype=np.float32)
    found = [Phrase(0, 1, 0.5, 1.25, []), Phrase(1, 2, 1.25, 3.0, []), Phrase(2, 3, 3.9, 4.2, [])]
    expected = [sound[8000:20000], sound[20000:48000], sound[62400:]]
    for size in (1000, 7919, len(sound)):
        cut = list(sounds(blocks(sound, size), found))
        assert [phrase for phrase, _ in cut] == found
        for (_, samples), wanted in zip(cut, expected, strict=True):
            np.testing.assert_array_equal(samples, wanted)


def test_pieces_cover_a_phrase() -> None:
    """A long phrase is heard in overlapping pieces from its first frame to its last, a short one over and over."""
    frames = np.arange(500 * 40, dtype=np.float32).reshape(500, 40)
    long = pieces(frames)
    assert {one.shape for one in long} == {(160, 40)}
    assert np.array_equal(long[0][0], frames[0])
    assert np.array_equal(long[-1][-1], frames[-1])
    (short,) = pieces(frames[:70])
    assert np.array_equal(short[70:140], frames[:70])
    assert pieces(frames[:10]) == []
    assert mels(np.zeros(16000, np.float32)).max() == 0.0


def test_groups_are_joined_while_they_are_alike_on_average() -> None:
    """The most alike come first, a chain of likenesses joins nobody, and every order gives the same groups."""
    angles = np.radians([0, 5, 10, 40, 45, 85, 90])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    weights = np.ones(len(vectors))
    assert joined(vectors, weights, 0.9) == [[0, 1, 2], [3, 4], [5, 6]]
    assert joined(vectors, weights, 0.1) == [list(range(7))]
    assert joined(vectors, weights, 1.1) == [[at] for at in range(7)]
    back = joined(vectors[::-1], weights, 0.9)
    assert sorted(sorted(6 - at for at in group) for group in back) == [[0, 1, 2], [3, 4], [5, 6]]


def test_nothing_is_said_of_what_lies_between_voices() -> None:
    """A phrase as much like one voice as like the other stays unknown, and so does one that is like neither."""
    his, hers = np.eye(4, dtype=np.float32)[:2]
    between, stranger = np.array([[0.67, 0.65, 0.36, 0], [0.4, 0, 0, 0.9]], np.float32)
    mixed = [between, his, hers]
    voices = [[his], [hers], [his], [hers], mixed, [stranger]]
    found = [Phrase(at, at + 1, 3.0 * at, 3.0 * at + 2.5, pieces) for at, pieces in enumerate(voices)]
    found[4].end = found[4].start + 1.0
    told = told_by_voice(found, 7)
    assert told.who == (0, 1, 0, 1, -1, -1, -1)
    assert told.sure[0] > 0.99
    assert 0.5 < told.sure[4] < 0.8
    assert told.sure[5] == 0.0
    assert told_by_voice(found[::2], 7).who == ()
    brief = [Phrase(one.first, one.stop, one.start, one.start + 1.3, one.pieces) for one in found]
    assert told_by_voice(brief, 7).who == ()  # neither speaks for three seconds


@pytest.mark.models
def test_a_mix_of_two_voices_is_told_apart_and_one_voice_is_left_alone(runtime: LocalRuntime) -> None:
    """Turns go to whoever says them, a short one perhaps to nobody; the same words by one voice have one speaker."""
    for lines in (DIALOGUE, [(HE, text) for _, text in DIALOGUE]):
        sound, words, voices = talk(lines)
        found = [one for one in phrases(words, "en") if one.seconds >= 0.5]
        encode(runtime, blocks(sound, 50_000), found)
        told = told_by_voice(found, len(words))
        if len(set(voices)) == 1:
            assert told.who == ()
            continue
        for word, voice, who in zip(words, voices, told.who, strict=True):
            assert who == (HE, SHE).index(voice) or (word.text == "No." and who == -1)


@pytest.mark.models
def test_captions_name_voices(tmp_path: Path, plugin_harness: PluginHarness, runtime: LocalRuntime) -> None:
    """Labels say Speaker 1 and Speaker 2 of a mono recording, with how sure that is."""
    sound, _, _ = talk(DIALOGUE[:2] * 2)
    speech.write(sound, tmp_path / "talk.wav")
    parameters = {"speakers": "labels", "keywords": False, "beam_size": 1, "second_look": False}
    (found,) = plugin_harness.run("callboard_caption", tmp_path / "talk.wav", parameters=parameters, runtime=runtime)
    assert isinstance(found, Captions)
    assert list(dict.fromkeys(cue.speaker for cue in found.cues)) == ["Speaker 1", "Speaker 2"]
    assert found.cues[-1].speaker == "Speaker 2"
    for cue in found.cues:
        assert cue.heard is not None
        assert cue.heard.voice is not None
        assert cue.heard.voice > 0.8
