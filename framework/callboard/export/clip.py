"""The two towers of an open_clip checkpoint, with the constants of its pictures and texts."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from callboard.embed.pairs import IMAGE_TASK, TEXT_TASK
from callboard.errors import ExportError
from callboard.export.checkpoints import OPEN_CLIP_CONFIG, weights_of
from callboard.export.towers import Checkpoint, Tower
from callboard.packs.packfile import Batch, Tensor

if TYPE_CHECKING:
    import torch

VOCABULARY: Final = "bpe_simple_vocab_16e6.txt"
TOKENIZER: Final = "tokenizer.json"
_PICTURES, _TEXTS = 16, 32
"""Rows of one call: what a tower of this size does on a processor within about a second."""


def open_clip_towers(checkpoint: Checkpoint) -> list[Tower]:
    """Build both towers on the CPU in float32.

    Raises:
        ExportError: the weights are not those of the architecture, or it has no such towers.
    """
    from callboard.runtime.engines.huggingface import offline
    from callboard.runtime.engines.openclip import quietly
    from callboard.runtime.engines.vision import import_open_clip

    open_clip = import_open_clip()
    with offline(), quietly():
        model, config = _build(checkpoint, open_clip)
    if not isinstance(model, open_clip.CustomTextCLIP):
        raise ExportError(checkpoint.label, f"{type(model).__name__} has no separate towers", "Choose another model.")
    model.eval().requires_grad_(requires_grad=False)
    reference = f"open_clip {open_clip.__version__} {checkpoint.model or checkpoint.label} on torch {_torch()}"
    scale = {"logit_scale": round(float(model.logit_scale.exp()), 6)}
    if getattr(model, "logit_bias", None) is not None:
        scale["logit_bias"] = round(float(model.logit_bias), 6)
    constants = _constants(open_clip.get_model_preprocess_cfg(model))
    return [
        _image(checkpoint, model, {**constants, **scale}, reference),
        _text(checkpoint, model, config.get("text_cfg", {}), scale, reference),
    ]


def _build(checkpoint: Checkpoint, open_clip: Any) -> tuple[Any, dict[str, Any]]:
    folder, name = checkpoint.folder, checkpoint.model
    try:
        if (folder / OPEN_CLIP_CONFIG).is_file():
            config = json.loads((folder / OPEN_CLIP_CONFIG).read_text("utf-8"))["model_cfg"]
            return open_clip.create_model(f"local-dir:{folder}", force_custom_text=True), config
        if name not in open_clip.list_models():
            known = "no architecture is named" if not name else f"open_clip has no model {name!r}"
            raise ExportError(
                checkpoint.label, f"it holds no {OPEN_CLIP_CONFIG}, and {known}", "Name it with --open-clip MODEL."
            )
        weights = str(weights_of(checkpoint.label, folder))
        model = open_clip.create_model(name, weights, force_custom_text=True, pretrained_text=False)
        return model, open_clip.get_model_config(name)
    except ExportError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever open_clip makes of files that do not fit together
        raise ExportError(
            checkpoint.label, f"open_clip cannot load it: {error}"[:600], "Check the config and the weights."
        ) from None


def _torch() -> str:
    import torch

    return str(torch.__version__)


def _image(checkpoint: Checkpoint, model: Any, constants: dict[str, Any], reference: str) -> Tower:
    size = constants["size"]
    height, width = size if isinstance(size, tuple) else (size, size)
    return Tower(
        suffix="-image",
        task=IMAGE_TASK,
        summary=f"Image tower of {checkpoint.label}: pictures to vectors that compare with those of texts.",
        module=unit_rows(model.visual),
        inputs=(Tensor("image", "float32", (-1, 3, height, width), "RGB planes, normalised by mean and std"),),
        length=_length(model.visual, "image", (1, 3, height, width)),
        batch=Batch(most=_PICTURES),
        preprocess={**constants, "space": checkpoint.space},
        reference=reference,
    )


def _text(checkpoint: Checkpoint, model: Any, config: dict[str, Any], scale: dict[str, float], reference: str) -> Tower:
    context = int(config.get("context_length", 77))
    clean, pad, files = _tokenizer(checkpoint, config)
    vocabulary = int(config.get("vocab_size", 49408))
    return Tower(
        suffix="-text",
        task=TEXT_TASK,
        summary=f"Text tower of {checkpoint.label}: texts to vectors that compare with those of pictures.",
        module=unit_rows(model.text),
        inputs=(Tensor("text", "int64", (-1, context), "token ids between the start and end marks, then 0"),),
        length=_length(model.text, "text", (1, context)),
        batch=Batch(most=_TEXTS),
        preprocess={"context": context, "clean": clean, "pad": pad, "space": checkpoint.space, **scale},
        files=files,
        reference=reference,
        vocabulary=vocabulary,
        end=vocabulary - 1,
    )


def _constants(given: dict[str, Any]) -> dict[str, Any]:
    """Translate open_clip's preprocessing config into a pack's constants."""
    size = given.get("size", 224)
    return {
        "size": size if isinstance(size, int) else size[0] if size[0] == size[1] else tuple(size),
        "mean": tuple(given["mean"]),
        "std": tuple(given["std"]),
        "interpolation": "bilinear" if given.get("interpolation") == "bilinear" else "bicubic",
        "resize": given.get("resize_mode") or "shortest",
        "fill": int(given.get("fill_color") or 0),
    }


def _tokenizer(checkpoint: Checkpoint, config: dict[str, Any]) -> tuple[str, int, dict[str, bytes]]:
    """Say how texts are cleaned, what they are padded with, and give the tokenizer's file."""
    wishes = dict(config.get("tokenizer_kwargs") or {})
    if not config.get("hf_tokenizer_name"):
        import open_clip

        packed = Path(open_clip.__file__).with_name(f"{VOCABULARY}.gz").read_bytes()
        return str(wishes.get("clean", "lower")), 0, {VOCABULARY: gzip.decompress(packed)}
    if config.get("tokenizer_mode") or wishes.get("strip_sep_token"):
        raise ExportError(
            checkpoint.label, "its tokenizer has a mode of its own that no pack can state", "Choose another model."
        )
    pad, content = file_tokenizer(checkpoint)
    return str(wishes.get("clean", "whitespace")), pad, {TOKENIZER: content}


def file_tokenizer(checkpoint: Checkpoint) -> tuple[int, bytes]:
    """Give the padding id and the bytes of the checkpoint's ``tokenizer.json``.

    Raises:
        ExportError: it has none.
    """
    path = checkpoint.folder / TOKENIZER
    if not path.is_file():
        raise ExportError(checkpoint.label, f"it holds no {TOKENIZER}", "Put the one of its repository beside it.")
    from callboard.runtime.engines.vision import import_transformers

    loaded: Any = import_transformers().AutoTokenizer.from_pretrained(str(checkpoint.folder), local_files_only=True)
    return int(loaded.pad_token_id or 0), path.read_bytes()


def unit_rows(module: Any) -> torch.nn.Module:
    """Wrap *module*, which takes one tensor, so that its rows have length one.

    The wrapper is put in evaluation mode: the exporter takes the outermost module's mode for all of them.
    """
    import torch

    class Unit(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = module

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.normalize(self.inner(given), dim=-1)

    return Unit().eval()


def _length(module: Any, kind: str, shape: tuple[int, ...]) -> int:
    import torch

    with torch.inference_mode():
        given = torch.zeros(shape) if kind == "image" else torch.ones(shape, dtype=torch.long)
        return int(module(given).shape[-1])


__all__ = ["TOKENIZER", "VOCABULARY", "file_tokenizer", "open_clip_towers", "unit_rows"]
