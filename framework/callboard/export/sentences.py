"""Towers of transformers checkpoints: CLIP-like models with two, and encoders that give a sentence one vector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from callboard.embed.pairs import IMAGE_TASK, TEXT_TASK
from callboard.errors import ExportError
from callboard.export.checkpoints import weights_of
from callboard.export.clip import TOKENIZER, file_tokenizer
from callboard.export.towers import Checkpoint, Tower
from callboard.packs.packfile import Batch, Tensor

_PICTURES, _TEXTS = 16, 32
_BICUBIC, _BILINEAR = 3, 2
"""Pillow's numbers of its filters, which ``preprocessor_config.json`` uses."""
_LONGEST: Final = 512
"""Tokens of a sentence where nothing says how many its model was trained with."""


def transformers_towers(checkpoint: Checkpoint) -> list[Tower]:
    """Build the towers on the CPU in float32: two where the class embeds pictures too, else one.

    Raises:
        ExportError: the class is not known, or its weights are not all there.
    """
    model = _load(checkpoint)
    import transformers

    reference = f"transformers {transformers.__version__} {type(model).__name__} {checkpoint.label}"
    if hasattr(model, "get_image_features") and hasattr(model, "get_text_features"):
        return [_image(checkpoint, model, reference), _text(checkpoint, model, reference)]
    return [_sentence(checkpoint, model, reference)]


def _load(checkpoint: Checkpoint) -> Any:
    from callboard.runtime.engines.huggingface import offline
    from callboard.runtime.engines.vision import import_transformers

    transformers = import_transformers()

    weights_of(checkpoint.label, checkpoint.folder)
    name = checkpoint.model or (_json(checkpoint.folder / "config.json").get("architectures") or ["AutoModel"])[0]
    kind = getattr(transformers, str(name), None)
    if kind is None or not hasattr(kind, "from_pretrained"):
        raise ExportError(checkpoint.label, f"transformers has no model class {name!r}", "Name one: --transformers.")
    said = transformers.utils.logging
    said.disable_progress_bar()
    said.set_verbosity(said.CRITICAL)
    automatic = {"trust_remote_code": False} if str(name).startswith("AutoModel") else {}
    try:
        with offline():
            model, info = kind.from_pretrained(
                str(checkpoint.folder),
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
                attn_implementation="eager",
                **automatic,
            )
    except Exception as error:  # noqa: BLE001 - whatever transformers makes of files that do not fit together
        raise ExportError(
            checkpoint.label, f"transformers cannot load it: {error}"[:600], "Check the config and the weights."
        ) from None
    # The pooler of a sentence model is not used, and many checkpoints leave it out.
    lacking = sorted(key for key in info["missing_keys"] if not str(key).startswith("pooler."))
    if lacking:
        raise ExportError(
            checkpoint.label, f"its files lack {len(lacking)} weights, such as {lacking[0]}", "Check the class's name."
        )
    return model.eval().requires_grad_(False)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ExportError(path.name, f"is not JSON: {error}", "Get the file again.") from None
    return found if isinstance(found, dict) else {}


def _image(checkpoint: Checkpoint, model: Any, reference: str) -> Tower:
    constants = picture_constants(_json(checkpoint.folder / "preprocessor_config.json"))
    height, width = constants["size"]
    module = _wrapped(model, lambda given: model.get_image_features(pixel_values=given))
    return Tower(
        suffix="-image",
        task=IMAGE_TASK,
        summary=f"Image tower of {checkpoint.label}: pictures to vectors that compare with those of texts.",
        module=module,
        inputs=(Tensor("image", "float32", (-1, 3, height, width), "RGB planes, normalised by mean and std"),),
        length=int(model.config.projection_dim if hasattr(model.config, "projection_dim") else 0)
        or int(model.config.vision_config.hidden_size),
        batch=Batch(most=_PICTURES),
        preprocess={**constants, **_scale(model), "space": checkpoint.space},
        reference=reference,
    )


def _text(checkpoint: Checkpoint, model: Any, reference: str) -> Tower:
    pad, content = file_tokenizer(checkpoint)
    config = model.config.text_config
    context = int(config.max_position_embeddings)
    # CLIP's causal tower sees nothing behind the end mark; SigLIP's was trained without a mask. Neither needs one.
    module = _wrapped(model, lambda given: model.get_text_features(input_ids=given))
    return Tower(
        suffix="-text",
        task=TEXT_TASK,
        summary=f"Text tower of {checkpoint.label}: texts to vectors that compare with those of pictures.",
        module=module,
        inputs=(Tensor("text", "int64", (-1, context), "token ids, filled up with the padding id"),),
        length=int(getattr(model.config, "projection_dim", 0)) or int(config.hidden_size),
        batch=Batch(most=_TEXTS),
        preprocess={"context": context, "clean": "", "pad": pad, "space": checkpoint.space, **_scale(model)},
        files={TOKENIZER: content},
        reference=reference,
        vocabulary=int(config.vocab_size),
        end=int(config.vocab_size) - 1,
    )


def _scale(model: Any) -> dict[str, float]:
    found = {"logit_scale": round(float(model.logit_scale.exp()), 6)} if hasattr(model, "logit_scale") else {}
    if getattr(model, "logit_bias", None) is not None:
        found["logit_bias"] = round(float(model.logit_bias), 6)
    return found


def picture_constants(given: Mapping[str, Any]) -> dict[str, Any]:
    """Translate ``preprocessor_config.json`` into a pack's constants.

    Raises:
        ExportError: it says what no pack can.
    """
    size = given.get("size", 224)
    resample = given.get("resample", _BICUBIC)
    if resample not in (_BICUBIC, _BILINEAR) or not given.get("image_mean") or not given.get("image_std"):
        raise ExportError(
            "preprocessor_config.json", "is missing or says what no pack can", "Export from an open_clip release."
        )
    sides = size if isinstance(size, dict) else {"shortest_edge": size}
    cropped = given.get("do_center_crop", "shortest_edge" in sides)
    crop = given.get("crop_size") or sides.get("shortest_edge")
    box = crop if isinstance(crop, dict) else {"height": crop, "width": crop}
    target = box if cropped else sides
    if (
        target.get("height") is None
        or target.get("width") is None
        or (cropped and sides.get("shortest_edge") not in (None, box["height"]))
    ):
        raise ExportError(
            "preprocessor_config.json",
            f"resizes to {size} and crops to {crop}, which no pack can say",
            "Export from an open_clip release of it.",
        )
    return {
        "size": (int(str(target["height"])), int(str(target["width"]))),
        "mean": tuple(given["image_mean"]),
        "std": tuple(given["image_std"]),
        "interpolation": "bilinear" if resample == _BILINEAR else "bicubic",
        "resize": "shortest" if cropped else "squash",
        "fill": 0,
    }


def _wrapped(model: Any, call: Any) -> Any:
    import torch

    class Unit(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            found = call(given)
            # transformers 5 gives an object where 4 gave the tensor.
            return torch.nn.functional.normalize(getattr(found, "pooler_output", found), dim=-1)

    return Unit().eval()


def _sentence(checkpoint: Checkpoint, model: Any, reference: str) -> Tower:
    pad, content = file_tokenizer(checkpoint)
    config = model.config
    first = _json(checkpoint.folder / "1_Pooling" / "config.json").get("pooling_mode_cls_token") is True
    context = _json(checkpoint.folder / "sentence_bert_config.json").get("max_seq_length")
    length = min(int(context or _LONGEST), int(config.max_position_embeddings))
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if getattr(config, "type_vocab_size", 0) > 1 else [])]
    return Tower(
        suffix="",
        task=TEXT_TASK,
        summary=f"Sentences to vectors that compare with each other, by {checkpoint.label}.",
        module=_pooled(model, names, first=first),
        inputs=tuple(Tensor(name, "int64", (-1, -1), "tokens, filled up to the longest") for name in names),
        length=int(config.hidden_size),
        batch=Batch(most=_TEXTS, pad={name: float(pad if name == "input_ids" else 0) for name in names}),
        preprocess={"context": length, "clean": "", "pad": pad},
        files={TOKENIZER: content},
        reference=reference,
        vocabulary=int(config.vocab_size),
        end=int(config.vocab_size) - 1,
    )


def _pooled(model: Any, names: list[str], *, first: bool) -> Any:
    import torch

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, *given: torch.Tensor) -> torch.Tensor:
            hidden = self.inner(**dict(zip(names, given, strict=True))).last_hidden_state
            if first:
                return torch.nn.functional.normalize(hidden[:, 0], dim=-1)
            keep = given[1].unsqueeze(-1).to(hidden.dtype)
            return torch.nn.functional.normalize((hidden * keep).sum(1) / keep.sum(1).clamp(min=1e-9), dim=-1)

    return Pooled().eval()


__all__ = ["picture_constants", "transformers_towers"]
