"""Small pipelines of diffusers with random weights, in the files of the real ones: mechanics without meaning."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

_WORDS: Final = ("a", "wide", "shot", "of", "the", "harbour", "at", "night", "no", "text", "film", "still", ",", ".")
_CHANNELS: Final = (32, 64)
_LENGTH: Final = 77
"""Tokens of a prompt, as CLIP reads them."""


def make_pipeline(folder: Path, seed: int = 0, *, xl: bool = False, controlnet: bool = False) -> None:
    """Save a small Stable Diffusion, or XL, or one with a ControlNet, as safetensors; sides are multiples of 2."""
    import torch

    from callboard.runtime.engines.pipeline import import_diffusers

    diffusers: Any = import_diffusers()
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    try:
        parts = _parts(folder, xl=xl)
        if controlnet:
            parts["controlnet"] = _control(parts["unet"])
        kind = "StableDiffusionXLPipeline" if xl else f"StableDiffusion{'ControlNet' if controlnet else ''}Pipeline"
        pipe = getattr(diffusers, kind)(**parts)
        pipe.save_pretrained(folder, safe_serialization=True)
    finally:
        torch.set_rng_state(state)


def make_controlnet(folder: Path, seed: int = 0) -> None:
    """Save a small ControlNet alone, for what ``make_pipeline`` saves that is not XL."""
    import torch

    from callboard.runtime.engines.pipeline import import_diffusers

    diffusers: Any = import_diffusers()
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    try:
        _control(diffusers.UNet2DConditionModel(**_unet(xl=False))).save_pretrained(folder, safe_serialization=True)
    finally:
        torch.set_rng_state(state)


def _control(unet: Any) -> Any:
    import torch

    from callboard.runtime.engines.pipeline import import_diffusers

    diffusers: Any = import_diffusers()
    made = diffusers.ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(16, 32))
    for layer in (made.controlnet_mid_block, made.controlnet_cond_embedding.conv_out):
        torch.nn.init.normal_(layer.weight, std=1.0)  # else it changes nothing: they start as zeros
    return made


def _parts(folder: Path, *, xl: bool) -> dict[str, Any]:
    from callboard.runtime.engines.pipeline import import_diffusers

    diffusers: Any = import_diffusers()
    parts = {
        "unet": diffusers.UNet2DConditionModel(**_unet(xl=xl)),
        "vae": diffusers.AutoencoderKL(
            block_out_channels=_CHANNELS,
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            latent_channels=4,
            sample_size=64,
        ),
        "scheduler": diffusers.EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            timestep_spacing="trailing",
            steps_offset=1,
        ),
        "text_encoder": _encoder(xl=xl),
        "tokenizer": _tokenizer(folder),
    }
    if xl:
        return {**parts, "text_encoder_2": _encoder(xl=True, projected=True), "tokenizer_2": parts["tokenizer"]}
    return {**parts, "safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}


def _unet(*, xl: bool) -> dict[str, Any]:
    common = {
        "block_out_channels": _CHANNELS,
        "layers_per_block": 1,
        "sample_size": 32,
        "in_channels": 4,
        "out_channels": 4,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 64 if xl else 32,
    }
    more = {
        "attention_head_dim": (2, 4),
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "transformer_layers_per_block": (1, 2),
        "projection_class_embeddings_input_dim": 80,  # 6 numbers of 8, and 32 of the second encoder
    }
    return {**common, **(more if xl else {})}


def _encoder(*, xl: bool, projected: bool = False) -> Any:
    from callboard.runtime.engines.vision import import_transformers

    transformers: Any = import_transformers()
    config = transformers.CLIPTextConfig(
        bos_token_id=0,
        eos_token_id=2,
        pad_token_id=1,
        hidden_size=32,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=5 if xl else 3,
        vocab_size=1000,
        hidden_act="gelu",
        projection_dim=32,
        max_position_embeddings=_LENGTH,
    )
    return (transformers.CLIPTextModelWithProjection if projected else transformers.CLIPTextModel)(config).eval()


def _tokenizer(folder: Path) -> Any:
    """Make a tokenizer of CLIP's kind: letters, and merges that make the known words of them."""
    from callboard.runtime.engines.vision import import_transformers

    transformers: Any = import_transformers()
    letters = [chr(number) for number in range(33, 127)]
    merges, whole = _merges()
    names = ["<|startoftext|>", "<|pad|>", "<|endoftext|>", *letters, *(f"{each}</w>" for each in letters), *whole]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary, rules = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({name: number for number, name in enumerate(dict.fromkeys(names))}))
    rules.write_text("#version: 0.2\n" + "".join(f"{left} {right}\n" for left, right in merges))
    made = transformers.CLIPTokenizer(str(vocabulary), str(rules), model_max_length=_LENGTH, pad_token="<|pad|>")  # noqa: S106 - no secret
    vocabulary.unlink()
    rules.unlink()
    return made


def _merges() -> tuple[list[tuple[str, str]], list[str]]:
    merges: dict[tuple[str, str], None] = {}
    for word in (word for word in _WORDS if len(word) > 1):
        left = word[0]
        for letter in word[1:-1]:
            merges[left, letter] = None
            left += letter
        merges[left, f"{word[-1]}</w>"] = None
    return list(merges), [left + right for left, right in merges]


def describe(folder: Path, name: str = "tiny-painter", task: str = "text-to-image", **options: object) -> Path:
    """Write the pack of a pipeline in *folder* beside its files, and give the TOML file's path.

    Args:
        folder: As ``make_pipeline`` or ``make_controlnet`` left it.
        name: Of the pack.
        task: ``controlnet`` for one of these alone.
        options: Of the pack; a small size and few steps where they say nothing of these.
    """
    files = [
        {"path": path.relative_to(folder).as_posix(), "size": path.stat().st_size, "sha256": _digest(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".toml"
    ]
    given = {"architecture": "diffusers", "size": 64, "steps": 2, "guidance": 3.0, **options}
    target = folder / "pack.toml"
    listed = ",\n  ".join(f'{{path = "{e["path"]}", size = {e["size"]}, sha256 = "{e["sha256"]}"}}' for e in files)
    target.write_text(
        f'name = "{name}"\nversion = "1"\ntask = "{task}"\nengine = "torch"\nlicense = "CC0-1.0"\n'
        f'summary = "random weights"\nmemory_mb = 8\nsource = {{kind = "file"}}\nfiles = [\n  {listed},\n]\n\n'
        "[options]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in given.items())
    )
    return target


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


__all__ = ["describe", "make_controlnet", "make_pipeline"]
