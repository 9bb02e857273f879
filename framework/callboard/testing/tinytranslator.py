"""Small translation models with random weights, in the files that the real ones come in: mechanics without meaning."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from pathlib import Path
from typing import Any, Final

_READ: Final = (
    "the cat eats fish by the sea",
    "where were you last night, John?",
    "he said never again - 100 % of it",
    "el gato come pescado junto al mar",
    "¿dónde estabas anoche, Juan?",
    "dijo que nunca más: [0] {1} 7007",
    "Maria went to Paris with friends. (Yes!)",
)
"""What the tokenizer is made of."""
_SIZES: Final = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": 520,
    "init_std": 0.6,
}
"""Weights wide enough that answers differ from text to text."""
_END_BIAS: Final = 8.0
"""Has texts end after some pieces, where random weights would go on to the limit."""
_NEVER: Final = -1e4
_FAINT: Final = 0.3
_LOUD: Final = 2.5
"""Have texts hold few languages, and end."""
_MADE_UP: Final = 8
"""Numbers after the languages that M2M100 has and no piece uses."""


def make_marian(folder: Path, seed: int = 0) -> None:
    """Save a small Marian checkpoint: safetensors, config, vocabulary and two SentencePiece models."""
    transformers, pieces = _prepare(folder, seed)
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(pieces)
    names = ["</s>", "<unk>", *_names(pieces), "<pad>"]
    _write(folder / "vocab.json", {name: number for number, name in enumerate(names)})
    _write(folder / "tokenizer_config.json", {"source_lang": "eng", "target_lang": "spa"})
    last = len(names) - 1
    config = transformers.MarianConfig(
        **_SIZES,
        vocab_size=len(names),
        pad_token_id=last,
        decoder_start_token_id=last,
        eos_token_id=0,
        forced_eos_token_id=0,
        bos_token_id=None,
        activation_function="swish",
        scale_embedding=True,
    )
    model = transformers.MarianMTModel(config).eval()
    model.requires_grad_(requires_grad=False)
    model.model.shared.weight[last] = 0.0  # as Marian's own: texts start from nothing
    model.final_logits_bias[0, 0], model.final_logits_bias[0, last] = _END_BIAS, _NEVER
    model.save_pretrained(folder)


def make_m2m(folder: Path, seed: int = 2) -> None:
    """Save a small M2M100 checkpoint with its hundred languages."""
    transformers, pieces = _prepare(folder, seed)
    (folder / "sentencepiece.bpe.model").write_bytes(pieces)
    names = ["<s>", "<pad>", "</s>", "<unk>", *_names(pieces)]
    _write(folder / "vocab.json", {name: number for number, name in enumerate(names)})
    tokenizer = transformers.M2M100Tokenizer(str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"))
    languages = sorted(tokenizer.lang_token_to_id, key=lambda name: int(tokenizer.lang_token_to_id[name]))
    tokenizer.add_special_tokens({"additional_special_tokens": languages})  # transformers 4 did so by itself
    tokenizer.save_pretrained(folder)
    _write(folder / "special_tokens_map.json", {"additional_special_tokens": languages})
    config = transformers.M2M100Config(**_SIZES, vocab_size=len(names) + len(languages) + _MADE_UP)
    model = transformers.M2M100ForConditionalGeneration(config).eval()
    model.requires_grad_(requires_grad=False)
    model.model.shared.weight[len(names) :] *= _FAINT
    model.model.shared.weight[names.index("</s>")] *= _LOUD
    model.save_pretrained(folder)


def convert(checkpoint: Path, folder: Path) -> None:
    """Convert a checkpoint to CTranslate2's format, its tokenizer beside it."""
    from ctranslate2.converters import TransformersConverter

    copied = [name for name in ("source.spm", "target.spm", "sentencepiece.bpe.model") if (checkpoint / name).exists()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for sacremoses, which only training used
        TransformersConverter(str(checkpoint), copy_files=copied).convert(str(folder), force=True)


def describe(files: Path, packs: Path, name: str, engine: str, family: str, languages: tuple[str, ...]) -> None:
    """Write the pack of the files in a folder into the folder *packs*."""
    entries = ", ".join(
        f'{{path = "{path.name}", size = {path.stat().st_size}, '
        f'sha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}"}}'
        for path in sorted(files.iterdir())
    )
    more = {"family": family, "languages": list(languages)}
    more |= (
        {"compute_type": "float32"}
        if engine == "ctranslate2"
        else {
            "architecture": "transformers",
            "class": "AutoModelForSeq2SeqLM",
        }
    )
    options = ", ".join(f"{key} = {json.dumps(value)}" for key, value in more.items())
    (packs / f"{name}.toml").write_text(
        f'name = "{name}"\nversion = "1"\ntask = "translate"\nengine = "{engine}"\nlicense = "CC0-1.0"\n'
        f'summary = "random weights"\nmemory_mb = 1\nfiles = [{entries}]\n'
        f'source = {{kind = "file", folder = {json.dumps(str(files))}}}\noptions = {{{options}}}\n'
    )


def _prepare(folder: Path, seed: int) -> tuple[Any, bytes]:
    import torch

    from callboard.runtime.engines.vision import import_transformers

    folder.mkdir(parents=True, exist_ok=True)
    transformers: Any = import_transformers()
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(seed)
    return transformers, _trained()


def _trained() -> bytes:
    from sentencepiece import SentencePieceTrainer

    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(_READ * 10),
        model_writer=written,
        vocab_size=140,
        hard_vocab_limit=False,
        character_coverage=1.0,
        minloglevel=2,
        num_threads=1,
    )
    return written.getvalue()


def _names(pieces: bytes) -> list[str]:
    from sentencepiece import SentencePieceProcessor

    model: Any = SentencePieceProcessor(model_proto=pieces)
    return [name for name in map(model.id_to_piece, range(model.get_piece_size())) if name[0] != "<"]


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), "utf-8")


__all__ = ["convert", "describe", "make_m2m", "make_marian"]
