"""A converted Whisper at a model hub becomes a pack that the caption plugin finds."""

from __future__ import annotations

import json

from callboard.packs.listeners import recognise
from callboard.packs.packfile import PackFile
from callboard.packs.recipe import Offer, checkpoint_pack, name_of
from callboard.packs.recommended import RECOMMENDED
from callboard_caption.choosing import MULTILINGUAL

FILES = ["model.bin", "config.json", "tokenizer.json", "vocabulary.txt", "README.md"]


def config(languages: list[int]) -> bytes:
    """Make the configuration of a conversion."""
    return json.dumps({"alignment_heads": [[3, 1]], "lang_ids": languages}).encode()


def test_a_conversion_is_known_by_its_files_and_its_languages() -> None:
    """The weights come first; an English model says so, a multilingual one names none."""
    many = recognise([*FILES, "preprocessor_config.json"], lambda _: config([50259]))
    assert many is not None
    assert many.files == ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt", "preprocessor_config.json")
    assert many.languages == ()
    english = recognise(FILES, lambda _: config([]))
    assert english is not None
    assert english.languages == ("en",)


def test_other_repositories_are_left_to_others() -> None:
    """A translation model, or one without a tokenizer, is no speech model."""
    assert recognise(["model.bin", "config.json", "tokenizer.json", "shared_vocabulary.json"], lambda _: b"{}") is None
    assert recognise(FILES, lambda _: b"{}") is None
    assert recognise(["model.bin", "config.json", "vocabulary.txt"], lambda _: config([])) is None


def test_every_recommended_size_gets_a_name_that_the_plugin_looks_for() -> None:
    """What is added by its default name is taken without another setting."""
    names = {name_of(one.repository) for one in RECOMMENDED if one.task == "hear"}
    assert names == set(MULTILINGUAL)


def test_its_pack_runs_as_it_is() -> None:
    """It is for the speech engine, takes samples, and is not to be exported."""
    speech = recognise(FILES, lambda _: config([50259]))
    offer = Offer(
        repository="Systran/faster-whisper-base",
        revision="a" * 40,
        license="MIT",
        files=(PackFile("model.bin", "b" * 64, 300 << 20),),
        kind="asr",
        space="b" * 64,
        speech=speech,
    )
    pack = checkpoint_pack(offer, name_of(offer.repository))
    assert (pack.name, pack.task, pack.engine, pack.memory_mb) == ("whisper-base", "asr", "ctranslate2", 300)
    assert [tensor.name for tensor in pack.inputs] == ["samples"]
    assert "languages" not in pack.options
    assert offer.runs
