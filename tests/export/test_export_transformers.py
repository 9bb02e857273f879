"""Transformers checkpoints with random weights become ONNX packs that give what transformers itself gives."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from callboard.config import RuntimeSettings
from callboard.embed import ImageEmbedder, TextEmbedder, find_pair
from callboard.errors import ExportError
from callboard.export import Wish, export
from callboard.export.sentences import picture_constants
from callboard.packs import find_packs
from callboard.runtime.engines.vision import import_transformers
from callboard.runtime.local import LocalRuntime

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "red", "lamp", "hall", "in", "the", "fog", "light", "house"]
TEXTS = ["A red lamp in the hall", "fog", "", "the light house in fog " * 9, "lamp lamp"]


@pytest.fixture(scope="module")
def transformers() -> ModuleType:
    """The transformers library."""
    return import_transformers()


def save_tokenizer(transformers: Any, folder: Path) -> None:
    """Save a tokenizer of a few words."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    made = Tokenizer(models.WordPiece({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]"
    ).save_pretrained(folder)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_a_sentence_model_gives_the_same_vectors(transformers: Any, tmp_path: Path, pooling: str) -> None:
    """Texts of many lengths in one call, each as transformers embeds it alone: padding changes nothing."""
    import torch

    torch.manual_seed(1)
    source = tmp_path / "source"
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=40,
    )
    model = transformers.BertModel(config, add_pooling_layer=False).eval()
    model.save_pretrained(source)
    save_tokenizer(transformers, source)
    (source / "1_Pooling").mkdir()
    (source / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": pooling == "cls"}))
    (source / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 24}))
    wish = Wish(source=str(source), name="words", kind="transformers", model="BertModel", licence="Apache-2.0")
    (made,) = export(wish, {}, tmp_path / "models", lambda _: None)
    assert made.parity.cosine > 0.99999
    pack = find_packs(tmp_path / "models")["words"]
    assert pack.batch is not None
    assert set(pack.batch.pad) == {"input_ids", "attention_mask", "token_type_ids"}
    with LocalRuntime(RuntimeSettings(models=str(tmp_path / "models"))) as runtime:
        ours = TextEmbedder(runtime, pack).embed(TEXTS)
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    for row, text in zip(ours, TEXTS, strict=True):
        given = tokenizer(text, return_tensors="pt", truncation=True, max_length=24)
        with torch.inference_mode():
            hidden = model(**given).last_hidden_state[0]
        theirs = (hidden[0] if pooling == "cls" else hidden.mean(0)).numpy()
        assert float(row @ theirs / np.linalg.norm(theirs)) > 0.99999


def test_a_clip_of_transformers_gives_the_same_vectors(transformers: Any, tmp_path: Path) -> None:
    """Both towers, from pixels and words on, as transformers' own processor and model do it."""
    import torch
    from PIL import Image

    torch.manual_seed(2)
    source = tmp_path / "source"
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    words = {"vocab_size": len(WORDS), "max_position_embeddings": 16, "eos_token_id": 3, "bos_token_id": 2}
    config = transformers.CLIPConfig(
        text_config={**sizes, **words, "pad_token_id": 0},
        vision_config={**sizes, "image_size": 32, "patch_size": 16},
        projection_dim=20,
    )
    model = transformers.CLIPModel(config).eval()
    model.save_pretrained(source)
    save_tokenizer(transformers, source)
    preparing = {
        "size": {"shortest_edge": 32},
        "crop_size": {"height": 32, "width": 32},
        "do_center_crop": True,
        "resample": 3,
        "image_mean": [0.5, 0.4, 0.3],
        "image_std": [0.2, 0.3, 0.4],
    }
    (source / "preprocessor_config.json").write_text(json.dumps(preparing))
    export(Wish(source=str(source), name="eye"), {}, tmp_path / "models", lambda _: None)
    pair = find_pair(find_packs(tmp_path / "models"), "eye")
    assert pair is not None
    draw = np.random.default_rng(0)
    pictures = [draw.integers(0, 256, (side, 2 * side, 3)).astype(np.uint8) for side in (20, 32, 57)]
    with LocalRuntime(RuntimeSettings(models=str(tmp_path / "models"))) as runtime:
        seen = ImageEmbedder(runtime, pair[0]).embed(pictures)
        said = TextEmbedder(runtime, pair[1]).embed(TEXTS)
    from open_clip.transform import PreprocessCfg, image_transform_v2

    preparing_too = PreprocessCfg(size=32, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    transform: Any = image_transform_v2(preparing_too, is_train=False)
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    with torch.inference_mode():
        given = torch.stack([transform(Image.fromarray(picture)) for picture in pictures])
        wanted = model.get_image_features(pixel_values=given)
        texts = tokenizer(TEXTS, return_tensors="pt", truncation=True, max_length=16, padding="max_length")
        meant = model.get_text_features(input_ids=texts.input_ids)
    for ours, theirs in ((seen, wanted), (said, meant)):
        vectors = getattr(theirs, "pooler_output", theirs).numpy()
        cosines = (ours * vectors).sum(axis=1) / np.linalg.norm(vectors, axis=1)
        assert cosines.min() > 0.9999


@pytest.mark.parametrize(
    ("given", "size", "resize"),
    [
        ({"size": 224}, (224, 224), "shortest"),
        ({"size": {"shortest_edge": 224}, "crop_size": 224}, (224, 224), "shortest"),
        ({"size": {"height": 256, "width": 192}, "do_center_crop": False}, (256, 192), "squash"),
    ],
)
def test_preparing_pictures_is_translated(given: dict[str, Any], size: tuple[int, int], resize: str) -> None:
    """What a ``preprocessor_config.json`` says becomes the constants of a pack."""
    found = picture_constants({**given, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 2})
    assert (found["size"], found["resize"], found["interpolation"]) == (size, resize, "bilinear")


@pytest.mark.parametrize("given", [{}, {"size": {"shortest_edge": 256}, "crop_size": 224}, {"resample": 0}])
def test_what_no_pack_can_say_is_refused(given: dict[str, Any]) -> None:
    """Resizing to one size and cropping to another, unknown filters and missing constants are errors."""
    constants = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3} if given else {}
    with pytest.raises(ExportError, match=r"preprocessor_config\.json"):
        picture_constants({**constants, **given})


def test_a_class_that_is_not_there_is_refused(transformers: Any, tmp_path: Path) -> None:
    """A name that transformers does not have, and weights that lack what the class has, are errors."""
    config = transformers.BertConfig(
        vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    transformers.BertModel(config).save_pretrained(tmp_path / "source")
    wish = Wish(source=str(tmp_path / "source"), name="x", kind="transformers", model="NoSuchModel")
    with pytest.raises(ExportError, match="NoSuchModel"):
        export(wish, {}, tmp_path / "models", lambda _: None)
    wish = Wish(source=str(tmp_path / "source"), name="x", kind="transformers", model="BertForMaskedLM")
    with pytest.raises(ExportError, match="lack"):
        export(wish, {}, tmp_path / "models", lambda _: None)
