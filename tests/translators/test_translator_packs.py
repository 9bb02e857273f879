"""Repositories of a model hub that translate: which files make a pack of them, and which languages they say."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from callboard.errors import PullError
from callboard.packs import Pack, PackFile
from callboard.packs.finding import parse_pack
from callboard.packs.packtext import pack_text
from callboard.packs.recipe import RECOMMENDED, Offer, checkpoint_pack
from callboard.packs.translators import TASK, Translator, recognise
from callboard_localize.engines.neural import codes

MARIAN = ("config.json", "model.bin", "shared_vocabulary.json", "source.spm", "target.spm", "README.md")
NLLB = ("config.json", "model.bin", "shared_vocabulary.txt", "sentencepiece.bpe.model", "tokenizer.json")
SPECIAL = json.dumps({"additional_special_tokens": ["ace_Arab", "eng_Latn", "spa_Latn"], "eos_token": "</s>"}).encode()


def unread(name: str) -> bytes:
    """Fail where a file is read that need not be."""
    raise AssertionError(name)


def test_models_for_one_pair_are_known_by_their_files_and_name() -> None:
    """OPUS-MT in CTranslate2's format is a pack of its own files alone, and its name tells the direction."""
    found = recognise("gaudi/opus-mt-en-es-ctranslate2", MARIAN, unread)
    assert found == Translator(
        engine="ctranslate2",
        files=("model.bin", "config.json", "shared_vocabulary.json", "source.spm", "target.spm"),
        family="marian",
        languages=("en>es",),
    )
    tuned = recognise("x/opus-mt-tc-big-en-pt", MARIAN, unread)
    assert tuned is not None
    assert tuned.languages == ("en>pt",)


def test_models_for_many_languages_list_them() -> None:
    """NLLB and M2M100 name their languages among their special tokens."""
    found = recognise("a/nllb", (*NLLB, "special_tokens_map.json"), lambda _: SPECIAL)
    assert found is not None
    assert (found.family, found.languages) == ("nllb", ("ace_Arab", "eng_Latn", "spa_Latn"))
    many = ("config.json", "model.safetensors", "sentencepiece.bpe.model", "vocab.json", "tokenizer_config.json")
    m2m = recognise("a/m2m100", many, lambda _: b'{"x": [{"content": "__en__"}, "__es__", "</s>"]}')
    assert m2m is not None
    assert (m2m.engine, m2m.family, m2m.languages) == ("torch", "m2m100", ("__en__", "__es__"))


def test_a_person_may_say_the_languages() -> None:
    """What nothing tells is asked for; what is said goes before what a name says."""
    with pytest.raises(PullError, match="--languages"):
        recognise("somebody/translator", MARIAN, unread)
    said = recognise("x/opus-mt-en-es", MARIAN, unread, ("eng>ast",))
    assert said is not None
    assert said.languages == ("eng>ast",)


@pytest.mark.parametrize(
    "there",
    [
        ("config.json", "model.safetensors", "tokenizer.json"),
        ("config.json", "pytorch_model.bin", "source.spm", "target.spm", "vocab.json"),
        ("config.json", "model.bin", "vocabulary.json", "tokenizer.json"),
    ],
    ids=["bert", "pickle", "whisper"],
)
def test_other_models_are_left_to_others(there: tuple[str, ...]) -> None:
    """Encoders, pickles and speech models are no translators."""
    assert recognise("x/opus-mt-en-es", there, unread) is None


def test_the_pack_is_one_that_the_engines_take() -> None:
    """What is written can be read again, names languages as the engines look for them, and keeps its licence."""
    translator = recognise("a/nllb", (*NLLB, "special_tokens_map.json"), lambda _: SPECIAL)
    assert translator is not None
    files = tuple(PackFile(name, "0" * 64, 1000) for name in translator.files)
    offer = Offer(
        repository="a/nllb",
        revision="1" * 40,
        license="CC-BY-NC-4.0",
        files=files,
        kind="translate",
        space="",
        translator=translator,
    )
    made = checkpoint_pack(offer, "nllb")
    read = parse_pack(pack_text(made), Path("/nowhere/nllb.toml"))
    assert isinstance(read, Pack)
    assert read.problem == ""
    assert (read.task, read.engine, read.license) == (TASK, "ctranslate2", "CC-BY-NC-4.0")
    assert codes(read, "en", "es-419") == ("eng_Latn", "spa_Latn")
    assert codes(read, "en", "fr") is None


def test_recommendations_say_what_may_not_be_sold() -> None:
    """Of the translators that are listed, the one with a licence against commercial work says so in plain words."""
    listed = [one for one in RECOMMENDED if one.task == TASK]
    assert len(listed) >= 3
    for one in listed:
        assert ("NOT for commercial" in one.note) == ("NC" in one.license)
    assert msgspec.to_builtins(listed[0])["task"] == TASK
