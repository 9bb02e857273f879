"""A multilingual model: the language of each stretch, a translation kept apart. Its weights are random, made here."""

from __future__ import annotations

import hashlib
import json
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard.errors import JobError
from callboard.runtime.engines.vision import mend_torchvision
from callboard.runtime.local import LocalRuntime
from callboard.testing import PluginHarness
from callboard_schemas import Captions

pytestmark = pytest.mark.models
RATE = 16000
Array = np.ndarray[Any, Any]
TINY: dict[str, Any] = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
}
PACK = """
name = "whisper-tiny"
version = "test"
task = "asr"
engine = "ctranslate2"
license = "Apache-2.0"
summary = "A multilingual Whisper of random weights."
source = {{ kind = "file", folder = "files" }}
files = [{files}]
inputs = [{{ name = "samples", dtype = "float32", shape = [-1] }}]
options = {{ compute_type = "float32" }}
"""


def build(folder: Path) -> None:
    """Make a multilingual Whisper with random weights in CTranslate2's format."""
    mend_torchvision()
    import ctranslate2
    import tokenizers
    import torch
    import transformers
    from tokenizers import pre_tokenizers
    from transformers.models.whisper.tokenization_whisper import LANGUAGES

    words = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    while len(words) < 50257:
        words[f"x{len(words)}"] = len(words)
    languages = [f"<|{code}|>" for code in LANGUAGES][:99]
    tasks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    special = ["<|endoftext|>", "<|startoftranscript|>", *languages, *(f"<|{task}|>" for task in tasks)]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=words, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.add_special_tokens([*special, *(f"<|{step * 0.02:.2f}|>" for step in range(1501))])
    plain = folder / "plain"
    transformers.PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers
        tokenizer_object=tokenizer, eos_token="<|endoftext|>", unk_token="<|endoftext|>"
    ).save_pretrained(plain)
    torch.manual_seed(4)
    config = transformers.WhisperConfig(
        **TINY, vocab_size=51865, eos_token_id=50257, bos_token_id=50257, pad_token_id=50257
    )
    transformers.WhisperForConditionalGeneration(config).save_pretrained(plain)
    tokenizer.save(str(plain / "tokenizer.json"))
    ctranslate2.converters.TransformersConverter(str(plain), copy_files=["tokenizer.json"]).convert(
        str(folder / "files")
    )
    # What the published conversions have and this one lacks: a blank token, by which CTranslate2 knows a multilingual
    # model, the languages' ids, and heads that tell when words are spoken.
    names = json.loads((folder / "files" / "vocabulary.json").read_text("utf-8"))
    names[50256] = ""
    (folder / "files" / "vocabulary.json").write_text(json.dumps(names), "utf-8")
    settings = {
        "alignment_heads": [[0, 0]],
        "lang_ids": list(range(50259, 50259 + 99)),
        "suppress_ids": [],
        "suppress_ids_begin": [220, 50257],
    }
    (folder / "files" / "config.json").write_text(json.dumps(settings), "utf-8")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packs with a multilingual model in it."""
    folder = tmp_path_factory.mktemp("store")
    build(folder)
    files = [
        f'{{ path = "{path.name}", sha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}", '
        f"size = {path.stat().st_size} }}"
        for path in sorted((folder / "files").iterdir())
    ]
    (folder / "whisper-tiny.toml").write_text(PACK.format(files=", ".join(files)), "utf-8")
    return folder


@pytest.fixture(scope="module")
def runtime(store: Path) -> Iterator[LocalRuntime]:
    """A runtime that finds the model."""
    with LocalRuntime(models=store) as local:
        yield local


@pytest.fixture(scope="module")
def sound() -> Array:
    """Half a second of sound; random weights hear words in anything, and go on until they are stopped."""
    return np.random.default_rng(2).normal(0, 0.1, RATE // 2).astype(np.float32)


def test_each_window_says_its_language_and_how_sure_that_is(runtime: LocalRuntime, sound: Array) -> None:
    """A language that is not named is found out, in every window, with a probability."""
    answer = runtime.call("whisper-tiny", {"samples": sound}, vad=False, second_look=0.0, beam_size=1)
    assert answer["segments"]
    for segment in answer["segments"]:
        assert len(segment["language"]) in (2, 3)
        assert 0 < segment["language_probability"] < 1
        assert isinstance(segment["second"], str)
    assert answer["language"] in {segment["language"] for segment in answer["segments"]}


def test_a_window_that_does_not_tell_is_in_the_language_spoken_before(runtime: LocalRuntime, sound: Array) -> None:
    """Random weights are sure of nothing, so the language that is expected is believed."""
    answer = runtime.call("whisper-tiny", {"samples": sound}, vad=False, beam_size=1, expected_language="cy")
    assert {segment["language"] for segment in answer["segments"]} == {"cy"}
    assert all(segment["language_probability"] < 0.5 for segment in answer["segments"])


def test_languages_and_tasks_reach_the_model(runtime: LocalRuntime, sound: Array) -> None:
    """Another language or task is another prompt, so random weights write something else; nonsense is refused."""
    texts = {
        (language, task): [
            segment["text"]
            for segment in runtime.call(
                "whisper-tiny", {"samples": sound}, vad=False, beam_size=1, language=language, task=task
            )["segments"]
        ]
        for language, task in (("de", "transcribe"), ("fr", "transcribe"), ("de", "translate"))
    }
    assert len({tuple(text) for text in texts.values()}) == 3
    with pytest.raises(JobError, match="does not know language 'tlh'"):
        runtime.call("whisper-tiny", {"samples": sound}, language="tlh")
    with pytest.raises(JobError, match="not transcribe or translate"):
        runtime.call("whisper-tiny", {"samples": sound}, language="de", task="summarise")


@pytest.mark.parametrize(
    ("parameters", "language", "task"),
    [({"language": "pt-BR"}, "pt-BR", "transcribe"), ({"language": "pt-BR", "task": "translate"}, "en", "translate")],
)
def test_a_translation_while_listening_is_english_and_says_what_it_is(
    parameters: dict[str, Any],
    language: str,
    task: str,
    store: Path,
    runtime: LocalRuntime,
    sound: Array,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The plugin takes a multilingual model once it is here, and never mixes up what is said with what it means."""
    monkeypatch.setenv("CALLBOARD_STORE", str(store))
    (tmp_path / "shm").mkdir()
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((sound.clip(-1, 1) * 32767).astype("<i2").tobytes())
    usual = {"keywords": False, "speech_only": False, "beam_size": 1, "second_look": False}
    found = PluginHarness(tmp_path / "shm", runtime).run(
        "callboard_caption", tmp_path / "sound.wav", parameters={**usual, **parameters}
    )
    captions = next(one for one in found if isinstance(one, Captions))
    assert (captions.language, captions.task) == (language, task)
    assert captions.cues or captions.left_out
