"""Sentences about pictures: a small BLIP with random weights says what transformers itself makes it say."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tokenizers
import torch
from callboard.config import RuntimeSettings
from callboard.embed.pictures import preparation, prepare
from callboard.errors import JobError, ModelMissing
from callboard.packs import Pack, read_pack
from callboard.runtime import Control, Session
from callboard.runtime.engines.pytorch import TorchEngine, import_transformers
from callboard.runtime.local import LocalRuntime
from callboard.testing import PluginHarness
from callboard_autotag.sentences import repeats, tidy
from callboard_schemas import Tags

WORDS = ["[PAD]", "[CLS]", "[SEP]", "[DEC]", "a", "boat", "on", "the", "water", "man", "with", "rope", "##s"]
PICTURES = np.random.default_rng(3).standard_normal((2, 3, 32, 32), dtype=np.float32)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pack, Any]:
    """A pack of a BLIP with random weights, and the model itself."""
    folder = tmp_path_factory.mktemp("blip")
    transformers = import_transformers()
    torch.manual_seed(36)
    size = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.BlipConfig(
        text_config={
            **size, "vocab_size": len(WORDS), "encoder_hidden_size": 32, "pad_token_id": 0,
            "bos_token_id": 3, "eos_token_id": 2, "sep_token_id": 2, "max_position_embeddings": 64,
        },
        vision_config={**size, "image_size": 32, "patch_size": 8},
    )  # fmt: skip
    model = transformers.BlipForConditionalGeneration(config).eval()
    model.save_pretrained(folder)
    words = tokenizers.Tokenizer(tokenizers.models.WordPiece(dict(zip(WORDS, range(len(WORDS)), strict=True))))
    words.decoder = tokenizers.decoders.WordPiece()
    words.add_special_tokens(WORDS[:4])
    words.save(str(folder / "tokenizer.json"))
    entries = ", ".join(
        f'{{path = "{path.name}", size = {path.stat().st_size}, '
        f'sha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}"}}'
        for path in sorted(folder.iterdir())
    )
    (folder / "pack.toml").write_text(
        'name = "image-captioner"\nversion = "1"\ntask = "describe"\nengine = "torch"\nlicense = "CC0-1.0"\n'
        f'summary = "made by a test"\nmemory_mb = 1\nfiles = [{entries}]\nsource = {{kind = "file"}}\n'
        'options = {architecture = "transformers", class = "BlipForConditionalGeneration"}\n'
        'inputs = [{name = "pixel_values", dtype = "float32", shape = [-1, 3, 32, 32]}]\n'
        'preprocess = {size = 32, resize = "squash"}\n'
    )
    return read_pack(folder / "pack.toml"), model


@pytest.fixture(scope="module")
def session(checkpoint: tuple[Pack, Any]) -> Session:
    """It, loaded as the runtime does."""
    pack, _ = checkpoint
    return TorchEngine().load(pack, Path(pack.origin).parent, RuntimeSettings(threads=1))


def test_says_what_the_library_says(checkpoint: tuple[Pack, Any], session: Session) -> None:
    """Texts are those of transformers' own generation, one for each picture, whatever else is in the batch."""
    pack, model = checkpoint
    words = tokenizers.Tokenizer.from_file(str(Path(pack.origin).parent / "tokenizer.json"))
    with torch.inference_mode():
        rows = model.generate(pixel_values=torch.from_numpy(PICTURES), num_beams=3, max_new_tokens=12, do_sample=False)
    answer = session.run({"pixel_values": PICTURES}, {"beams": 3, "longest": 12}, Control())
    assert answer["texts"] == [words.decode(row, skip_special_tokens=True).strip() for row in rows.tolist()]
    assert any(answer["texts"])
    assert all(score < 0.0 for score in answer["scores"])
    alone = [session.run({"pixel_values": one[None]}, {"beams": 3, "longest": 12}, Control()) for one in PICTURES]
    assert [text for each in alone for text in each["texts"]] == answer["texts"]


def test_the_score_is_the_models_own(checkpoint: tuple[Pack, Any], session: Session) -> None:
    """With one beam the score is the mean log probability of the tokens that were written."""
    _, model = checkpoint
    answer = session.run({"pixel_values": PICTURES[:1]}, {"beams": 1, "longest": 5}, Control())
    with torch.inference_mode():
        made = model.generate(
            pixel_values=torch.from_numpy(PICTURES[:1]), num_beams=1, max_new_tokens=5, do_sample=False,
            return_dict_in_generate=True, output_logits=True,
        )  # fmt: skip
    told = made.sequences[0, -len(made.logits) :]
    logs = [torch.log_softmax(step[0], -1)[token].item() for step, token in zip(made.logits, told, strict=True)]
    assert answer["scores"][0] == pytest.approx(sum(logs) / len(logs), abs=1e-4)


@pytest.mark.parametrize(
    ("inputs", "options"),
    [
        ({}, {}),
        ({"pixel_values": PICTURES[0]}, {}),
        ({"pixel_values": PICTURES}, {"beams": 0}),
        ({"pixel_values": PICTURES}, {"longest": 1000}),
        ({"pixel_values": PICTURES}, {"prompt": "a photo of"}),
    ],
)
def test_refuses_what_it_does_not_take(session: Session, inputs: dict[str, Any], options: dict[str, Any]) -> None:
    """Wrong arrays and options are told by name."""
    with pytest.raises(JobError, match="image-captioner"):
        session.run(inputs, options, Control())


def test_ends_when_stopped(session: Session) -> None:
    """A stopped call writes no further than the word that it is at."""
    control = Control()
    control.stop()
    answer = session.run({"pixel_values": PICTURES[:1]}, {"beams": 1, "longest": 40}, control)
    assert len(answer["texts"][0].split()) <= 1


def test_wants_its_tokenizer(checkpoint: tuple[Pack, Any], tmp_path: Path) -> None:
    """A tokenizer that is none is told with the pack to mend."""
    pack, _ = checkpoint
    for file in Path(pack.origin).parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    old = hashlib.sha256((tmp_path / "tokenizer.json").read_bytes()).hexdigest()
    size = (tmp_path / "tokenizer.json").stat().st_size
    broken = b"{" + b" " * (size - 1)
    (tmp_path / "tokenizer.json").write_bytes(broken)
    text = (tmp_path / "pack.toml").read_text().replace(old, hashlib.sha256(broken).hexdigest())
    (tmp_path / "pack.toml").write_text(text)
    with pytest.raises(ModelMissing, match=r"tokenizer\.json cannot be read"):
        TorchEngine().load(read_pack(tmp_path / "pack.toml"), tmp_path, RuntimeSettings(threads=1))


def described(photo: Path, shm: Path, runtime: LocalRuntime, **more: object) -> Tags:
    """Tag a photo with nothing but the sentence."""
    off = dict.fromkeys(("colours", "quality", "faces", "concepts", "text", "prints", "safety"), False)
    answers = PluginHarness(shm, runtime).run("callboard_autotag", photo, parameters={**off, **more})
    return next(answer for answer in answers if isinstance(answer, Tags))


def test_a_photo_is_described_by_the_model(
    checkpoint: tuple[Pack, Any], session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With the pack here its sentence is the description, and says so; what it finds unlikely itself is not used."""
    pack, _ = checkpoint
    monkeypatch.setenv("CALLBOARD_PACKS", str(Path(pack.origin).parent))
    pixels = np.random.default_rng(5).integers(0, 255, (48, 64, 3), np.uint8)
    PIL.Image.fromarray(pixels).save(tmp_path / "photo.png")
    (shm := tmp_path / "shm").mkdir()
    told = session.run({"pixel_values": prepare([pixels], preparation(pack))}, {}, Control())
    with LocalRuntime() as runtime:
        by_model = described(tmp_path / "photo.png", shm, runtime, described_threshold=0.0)
        composed = described(tmp_path / "photo.png", shm, runtime, described_threshold=1.0)
    assert by_model.description == tidy(told["texts"][0])
    assert by_model.description_method == "model"
    assert by_model.facts["composed"] == composed.description
    assert composed.description_method == "composed"
    assert "sentences" not in composed.facts


def test_what_repeats_itself_is_not_used() -> None:
    """A model that is lost says the same again and again; ordinary sentences do not."""
    assert repeats("A man a man a man on a boat.")
    assert repeats("The the the.")
    assert repeats("Boat boat water boat boat.")
    assert not repeats("A man with a rope and a woman with a dog.")
    assert tidy("  a boat  on the water . ") == "A boat on the water."
    assert tidy(" . ") == ""
