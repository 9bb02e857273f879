"""A few nodes of ComfyUI, by what its own say of their inputs, and what they do in small: numbers for pictures."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

_SIDE: Final = {"min": 16, "max": 16384}
_SAMPLERS: Final = ["euler", "euler_ancestral", "lcm"]
CATALOGUE: Final[dict[str, tuple[dict[str, tuple[Any, dict[str, Any]]], tuple[str, ...], bool]]] = {
    "CheckpointLoaderSimple": ({"ckpt_name": (["tiny.safetensors"], {})}, ("MODEL", "CLIP", "VAE"), False),
    "CLIPTextEncode": ({"text": ("STRING", {}), "clip": ("CLIP", {})}, ("CONDITIONING",), False),
    "EmptyLatentImage": (
        {"width": ("INT", _SIDE), "height": ("INT", _SIDE), "batch_size": ("INT", {"min": 1, "max": 4096})},
        ("LATENT",),
        False,
    ),
    "KSampler": (
        {
            "model": ("MODEL", {}),
            "seed": ("INT", {"min": 0, "max": 2**64 - 1}),
            "steps": ("INT", {"min": 1, "max": 10000}),
            "cfg": ("FLOAT", {"min": 0.0, "max": 100.0}),
            "sampler_name": (_SAMPLERS, {}),
            "positive": ("CONDITIONING", {}),
            "negative": ("CONDITIONING", {}),
            "latent_image": ("LATENT", {}),
            "denoise": ("FLOAT", {"min": 0.0, "max": 1.0}),
        },
        ("LATENT",),
        False,
    ),
    "VAEDecode": ({"samples": ("LATENT", {}), "vae": ("VAE", {})}, ("IMAGE",), False),
    "VAEEncode": ({"pixels": ("IMAGE", {}), "vae": ("VAE", {})}, ("LATENT",), False),
    "LoadImage": ({"image": ("FILE", {})}, ("IMAGE", "MASK"), False),
    "SaveImage": ({"images": ("IMAGE", {}), "filename_prefix": ("STRING", {})}, (), True),
    "PreviewImage": ({"images": ("IMAGE", {})}, (), True),
    "VHS_VideoCombine": ({"images": ("IMAGE", {}), "frame_rate": ("FLOAT", {"min": 1, "max": 120})}, (), True),
}
"""Kind of node to its inputs with type and limits, the types that it gives, and whether it saves anything."""


def validate(prompt: dict[str, Any], files: Path) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Say what is wrong with a prompt as the real server does: the error, and those of each node."""
    for node, given in prompt.items():
        if "class_type" not in given:
            about = f"Node ID '#{node}'"
            return _error(
                "invalid_prompt", "Cannot execute because a node is missing the class_type property.", about
            ), {}
        if given["class_type"] not in CATALOGUE:
            said = f"Cannot execute because node {given['class_type']} does not exist."
            return _error("invalid_prompt", said, f"Node ID '#{node}'"), {}
    saving = [node for node, given in prompt.items() if CATALOGUE[given["class_type"]][2]]
    if not saving:
        return _error("prompt_no_outputs", "Prompt has no outputs"), {}
    wrong: dict[str, Any] = {}
    for node, given in prompt.items():
        errors = list(_wrong(given, prompt, files))
        if errors:
            hung = [one for one in saving if node in _needed(one, prompt)]
            wrong[node] = {"errors": errors, "dependent_outputs": hung, "class_type": given["class_type"]}
    good = [one for one in saving if not any(node in wrong for node in _needed(one, prompt))]
    return (None if good else _error("prompt_outputs_failed_validation", "Prompt outputs failed validation")), wrong


def _error(kind: str, message: str, details: str = "") -> dict[str, Any]:
    return {"type": kind, "message": message, "details": details, "extra_info": {}}


def _needed(node: str, prompt: dict[str, Any]) -> set[str]:
    inputs = prompt[node]["inputs"].values()
    return {node}.union(*(_needed(str(one[0]), prompt) for one in inputs if isinstance(one, list)))


def order_of(prompt: dict[str, Any], wrong: dict[str, Any]) -> list[str]:
    """Give the nodes to be run, each behind those it needs."""
    saving = [node for node, given in prompt.items() if CATALOGUE[given["class_type"]][2]]
    wanted: set[str] = set()
    for one in saving:
        needed = _needed(one, prompt)
        wanted |= set() if needed & set(wrong) else needed
    return sorted(wanted, key=lambda node: (len(_needed(node, prompt)), node))


def _wrong(given: dict[str, Any], prompt: dict[str, Any], files: Path) -> Iterator[dict[str, Any]]:
    for name, (kind, limits) in CATALOGUE[given["class_type"]][0].items():
        if name not in given["inputs"]:
            yield _error("required_input_missing", "Required input is missing", name)
            continue
        value = given["inputs"][name]
        if isinstance(value, list):
            gives = CATALOGUE[prompt[str(value[0])]["class_type"]][1][value[1]]
            if gives != kind:
                yield _error(
                    "return_type_mismatch", "Return type mismatch between linked nodes", f"{name}, {gives} != {kind}"
                )
        elif isinstance(kind, list):
            if value not in kind:
                yield _error("value_not_in_list", "Value not in list", f"{name}: '{value}' not in {kind}")
        elif kind == "FILE":
            if not (files / str(value)).is_file():
                yield _error(
                    "custom_validation_failed",
                    "Custom validation failed for node",
                    f"{name} - Invalid image file: {value}",
                )
        elif kind in ("INT", "FLOAT"):
            yield from _number(name, kind, value, limits)
        elif kind != "STRING":
            yield _error("bad_linked_input", "Bad linked input, must be a length-2 list of [node_id, slot_index]", name)


def _number(name: str, kind: str, value: Any, limits: dict[str, Any]) -> Iterator[dict[str, Any]]:
    try:
        number = int(value) if kind == "INT" else float(value)
    except (TypeError, ValueError) as error:
        yield _error(
            "invalid_input_type", f"Failed to convert an input value to a {kind} value", f"{name}, {value}, {error}"
        )
        return
    if number < limits["min"]:
        yield _error("value_smaller_than_min", f"Value {value} smaller than min of {limits['min']}", name)
    if number > limits["max"]:
        yield _error("value_bigger_than_max", f"Value {value} bigger than max of {limits['max']}", name)


def compute(kind: str, inputs: dict[str, Any], files: Path) -> tuple[Any, ...]:
    """Do what a node does, in small: pictures are n x height x width x 3, uint8."""
    from PIL import Image

    if kind == "CheckpointLoaderSimple":
        return ("model", "clip", "vae")
    if kind == "CLIPTextEncode":
        return (inputs["text"],)
    if kind == "EmptyLatentImage":
        return (np.zeros((int(inputs["batch_size"]), int(inputs["height"]), int(inputs["width"]), 3), np.uint8),)
    if kind == "KSampler":
        seed = hashlib.sha256(f"{inputs['seed']} {inputs['positive']} {inputs['negative']}".encode()).digest()
        start = np.asarray(inputs["latent_image"], float)
        noise = np.random.default_rng(list(seed)).integers(0, 255, start.shape)
        part = float(inputs["denoise"])
        return ((noise * part + start * (1 - part)).astype(np.uint8),)
    if kind == "LoadImage":
        with Image.open(files / inputs["image"]) as image:
            return (np.asarray(image.convert("RGB"))[None], None)
    return (inputs.get("samples", inputs.get("pixels")),)


def png(picture: np.ndarray[Any, Any]) -> bytes:
    """Write one picture."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def film(pictures: np.ndarray[Any, Any], rate: int) -> bytes:
    """Write pictures as a film that loses nothing."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264rgb", rate=rate, options={"crf": "0"})
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt = "rgb24"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    return buffer.getvalue()


__all__ = ["CATALOGUE", "compute", "film", "order_of", "png", "validate"]
