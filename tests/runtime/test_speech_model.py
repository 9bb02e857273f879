"""Speech to text with the real weights, on speech made here."""

import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard.errors import JobError
from callboard.runtime.local import LocalRuntime
from jiwer import wer

pytestmark = pytest.mark.models
MODEL = "whisper-tiny-en"
TEXT = "Good morning. Please bring the camera to the second stage. The weather is very nice today."


@pytest.fixture(scope="module")
def runtime() -> Iterator[LocalRuntime]:
    """One runtime, so that the model is loaded once."""
    with LocalRuntime() as local:
        yield local


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray[Any, Any]:
    """Synthetic English, float32 at 16 kHz, after two seconds of silence."""
    folder: Path = tmp_path_factory.mktemp("speech")
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "140", "-w", folder / "said.wav", TEXT], check=True)
    subprocess.run(
        ["sox", "-D", folder / "said.wav", "-r", "16000", "-c", "1", "-b", "16", folder / "heard.wav", "pad", "2", "1"],
        check=True,
    )
    with wave.open(str(folder / "heard.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768


def plain(text: str) -> str:
    """Words only, in lower case."""
    return "".join(letter for letter in text.lower() if letter.isalpha() or letter == " ").strip()


def test_hears_the_words_and_when(runtime: LocalRuntime, speech: np.ndarray[Any, Any]) -> None:
    """Synthetic English comes back as its words, each with its time, in order, after the silence."""
    fractions: list[float] = []
    answer = runtime.call(MODEL, {"samples": speech}, language="en", progress=fractions.append)
    text = "".join(segment["text"] for segment in answer["segments"])
    assert wer(plain(TEXT), plain(text)) <= 0.15
    words = [word for segment in answer["segments"] for word in segment["words"]]
    assert "".join(word["word"] for word in words) == text
    starts = [word["start"] for word in words]
    assert starts == sorted(starts)
    assert starts[0] >= 1.5
    assert all(word["start"] <= word["end"] <= answer["duration"] and 0 <= word["probability"] <= 1 for word in words)
    assert answer["language"] == "en"
    assert answer["duration"] == pytest.approx(len(speech) / 16000)
    assert sum(end - start for start, end in answer["speech"]) == pytest.approx(answer["duration_after_vad"])
    assert answer["duration_after_vad"] < answer["duration"] - 2.0
    assert fractions == sorted(fractions)
    assert 0 < fractions[-1] <= 1


def test_hears_the_same_twice(runtime: LocalRuntime, speech: np.ndarray[Any, Any]) -> None:
    """The same sound gives the same answer to the last bit."""
    assert runtime.call(MODEL, {"samples": speech}) == runtime.call(MODEL, {"samples": speech})


@pytest.mark.parametrize("kind", ["silence", "white noise", "hum", "one sample", "nothing"])
def test_invents_nothing(runtime: LocalRuntime, kind: str) -> None:
    """Where nobody speaks there are no segments."""
    samples = {
        "silence": np.zeros(16000 * 20, np.float32),
        "white noise": (np.random.default_rng(1).standard_normal(16000 * 20) * 0.2).astype(np.float32),
        "hum": (np.sin(np.arange(16000 * 20) * 2 * np.pi * 50 / 16000) * 0.5).astype(np.float32),
        "one sample": np.zeros(1, np.float32),
        "nothing": np.zeros(0, np.float32),
    }[kind]
    answer = runtime.call(MODEL, {"samples": samples})
    assert answer["segments"] == []
    assert answer["speech"] == []
    assert answer["duration_after_vad"] == 0.0


@pytest.mark.parametrize(
    ("samples", "options", "says"),
    [
        (np.zeros(16000, np.int16), {}, "is int16"),
        (np.zeros((2, 16000), np.float32), {}, "float32 [2, 16000]"),
        (np.full(16000, np.nan, np.float32), {}, "not all finite"),
        (np.zeros(16000, np.float32), {"language": "fr"}, "does not know language 'fr', only en"),
        (np.zeros(16000, np.float32), {"beams": 5}, "unknown options ['beams']"),
        (np.zeros(16000, np.float32), {"beam_size": "many"}, "option beam_size is 'many'"),
        (np.zeros(16000, np.float32), {"vad": {"loudness": 1}}, "vad: "),
    ],
)
def test_refuses_what_it_cannot_hear(
    runtime: LocalRuntime, samples: np.ndarray[Any, Any], options: dict[str, Any], says: str
) -> None:
    """Wrong samples, languages and options are told apart and named."""
    with pytest.raises(JobError) as caught:
        runtime.call(MODEL, {"samples": samples}, **options)
    assert says in str(caught.value)


def test_the_packs_for_text_run(runtime: LocalRuntime) -> None:
    """The three models for text in pictures take and give what their packs say."""
    found = runtime.call("pp-ocr-det", {"x": np.zeros((1, 3, 64, 96), np.float32)})["fetch_name_0"]
    assert found.shape == (1, 1, 64, 96)
    read = runtime.call("pp-ocr-rec", {"x": np.zeros((2, 3, 48, 64), np.float32)})["fetch_name_0"]
    characters = runtime.call("pp-ocr-rec", {}, metadata=True)["metadata"]["character"].split("\n")
    assert read.shape[2] == 18710
    assert len(characters) in range(18700, 18711)
    turned = runtime.call("pp-ocr-cls", {"x": np.zeros((2, 3, 48, 192), np.float32)})["save_infer_model/scale_0.tmp_1"]
    assert np.allclose(turned.sum(1), 1.0, atol=1e-4)


def test_the_pack_for_speech_runs(runtime: LocalRuntime, speech: np.ndarray[Any, Any]) -> None:
    """The speech detector hears speech in speech and none in silence."""
    shares = []
    for samples in (speech, np.zeros_like(speech)):
        windows = samples[: len(samples) // 512 * 512].reshape(-1, 512)
        before = np.concatenate([np.zeros((1, 64), np.float32), windows[:-1, -64:]])
        state = np.zeros((1, 1, 128), np.float32)
        inputs = {"input": np.concatenate([before, windows], axis=1), "h": state, "c": state}
        shares.append(float((runtime.call("silero-vad", inputs)["speech_probs"] > 0.5).mean()))
    assert shares[0] > 0.4
    assert shares[1] == 0.0
