"""What makes a repository of a model hub one that draws: a pipeline of diffusers, in safetensors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from msgspec import Struct

from callboard.errors import PullError

TASK: Final = "text-to-image"
CONTROL: Final = "controlnet"
"""What a pack's ``task`` says that is a ControlNet alone, to be loaded together with one that draws."""
SUGGESTED: Final = "SimianLuo/LCM_Dreamshaper_v7"
"""The first to be named where none is here: its licence permits every work, and four steps suffice."""
INDEX: Final = "model_index.json"
_CONFIG: Final = "config.json"
_CONTROLNET: Final = "ControlNetModel"
_PLAIN: Final = re.compile(r"^(diffusion_pytorch_model|model)(-\d+-of-\d+)?\.safetensors$")
_HALF: Final = re.compile(r"^(diffusion_pytorch_model|model)\.fp16(-\d+-of-\d+)?\.safetensors$")
_SHARDS: Final = re.compile(r"\.safetensors\.index(\.fp16)?\.json$")
_TEXTS: Final = frozenset({".json", ".txt", ".model"})
_NETWORKS: Final = frozenset(
    {"unet", "transformer", "vae", "text_encoder", "text_encoder_2", "text_encoder_3", "controlnet", "image_encoder"}
)
_OPTIONAL: Final = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
_SHOWN: Final = {"openpose": "pose", "depth": "depth"}
"""A part of a ControlNet's name to what it goes by, of that which can be given; see ``diffusion`` of placeholders."""
_EIGHTH: Final = 8
"""Pixels of a side to one of what the network works on."""
_FEW: Final = {
    "turbo": {"steps": 4, "guidance": 0.0},
    "LatentConsistency": {"steps": 4, "guidance": 8.0},
    "schnell": {"steps": 4, "guidance": 0.0},
}
"""A part of a repository's or pipeline's name to how such distilled models are run, after their own pages."""


class Pipeline(Struct, frozen=True, kw_only=True):
    """How a repository is described as a pack that draws."""

    files: tuple[str, ...]
    """The largest network's weights first."""
    kind: str
    """The class of diffusers."""
    size: int
    """Pixels of a side that it was taught on."""
    variant: str = ""
    """``fp16`` where half the bytes are fetched."""
    condition: str = ""
    """Of a ControlNet alone: what it goes by."""

    @property
    def task(self) -> str:
        """What its pack is for."""
        return CONTROL if self.condition else TASK


def recognise(repository: str, there: Collection[str], read: Callable[[str], bytes]) -> Pipeline | None:
    """Say how a repository draws; ``None`` where its files are neither a pipeline nor a ControlNet.

    Args:
        repository: Its name.
        there: The names of its files.
        read: Reads one of them.

    Raises:
        PullError: a part of it is there as a pickle only, or it is a ControlNet for what nobody here can show it.
    """
    if INDEX not in there:
        return _control(repository, there, read) if _CONFIG in there else None
    index: Any = json.loads(read(INDEX))
    kind = index.get("_class_name") if isinstance(index, dict) else None
    if not isinstance(kind, str):
        return None
    parts = [name for name, given in index.items() if isinstance(given, list) and given[:1] != [None]]
    half = all(_weights(there, part, _HALF) for part in parts if part in _NETWORKS)
    files = list(_files(repository, there, parts, _HALF if half else _PLAIN))
    network = "unet" if "unet" in parts else "transformer"
    return Pipeline(
        files=(
            *sorted(files, key=lambda name: not (name.startswith(f"{network}/") and name.endswith(".safetensors"))),
        ),
        kind=kind,
        size=_size(there, network, read),
        variant="fp16" if half else "",
    )


def _control(repository: str, there: Collection[str], read: Callable[[str], bytes]) -> Pipeline | None:
    try:
        config: Any = json.loads(read(_CONFIG))
    except ValueError:
        return None  # which is said of any repository
    if not isinstance(config, dict) or config.get("_class_name") != _CONTROLNET:
        return None
    name = repository.rpartition("/")[2].lower()
    condition = next((given for part, given in _SHOWN.items() if part in name), "")
    if not condition:
        raise PullError(
            repository,
            "it is a ControlNet, and its name says neither depth nor openpose",
            "Those two can be shown what they go by: the depth and the pose of a previs.",
        )
    half = _weights(there, "", _HALF)
    weights = half or _weights(there, "", _PLAIN)
    if not weights:
        raise PullError(
            repository, "it is there as a pickle only", "Only safetensors are taken. Look for another release of it."
        )
    return Pipeline(
        files=(*weights, _CONFIG),
        kind=_CONTROLNET,
        size=0,
        variant="fp16" if half else "",
        condition=condition,
    )


def _weights(there: Collection[str], part: str, form: re.Pattern[str]) -> list[str]:
    inside = [PurePosixPath(name) for name in there if PurePosixPath(name).parent == PurePosixPath(part)]
    return sorted(str(path) for path in inside if form.match(path.name))


def _files(repository: str, there: Collection[str], parts: list[str], form: re.Pattern[str]) -> Iterator[str]:
    yield INDEX
    for part in parts:
        texts = [
            name
            for name in sorted(there)
            if PurePosixPath(name).parent == PurePosixPath(part) and PurePosixPath(name).suffix in _TEXTS
        ]
        weights = _weights(there, part, form) or _weights(there, part, _PLAIN)
        if not weights and (part in _NETWORKS or part == "safety_checker"):
            if part in _OPTIONAL:
                continue  # left out as a whole, and the pack says so by not having it
            raise PullError(
                repository,
                f"its part {part!r} is there as a pickle only, or not at all",
                "Only safetensors are taken. Look for another release of it.",
            )
        yield from weights
        yield from (name for name in texts if not _SHARDS.search(name) or (".fp16." in name) == (form is _HALF))


def _size(there: Collection[str], network: str, read: Callable[[str], bytes]) -> int:
    name = f"{network}/config.json"
    config: Any = json.loads(read(name)) if name in there else {}
    side = config.get("sample_size") if isinstance(config, dict) else None
    return side * _EIGHTH if isinstance(side, int) and network == "unet" else 1024 if network == "transformer" else 512


def about(pipeline: Pipeline, repository: str, size: int) -> dict[str, Any]:
    """Give what a pack says of a pipeline.

    Args:
        pipeline: As recognised.
        repository: Where it is from.
        size: Bytes of all its files.
    """
    variant = {"variant": pipeline.variant} if pipeline.variant else {}
    if pipeline.condition:
        return {
            "task": CONTROL,
            "engine": "torch",
            "summary": f"{repository}: a ControlNet, by which what is drawn keeps to the {pipeline.condition}.",
            "memory_mb": max(256, size >> 20),
            "options": {"architecture": "diffusers", "condition": pipeline.condition, **variant},
        }
    options: dict[str, str | int | float] = {
        "architecture": "diffusers",
        "dtype": "float16" if "StableDiffusion" in pipeline.kind or "Latent" in pipeline.kind else "bfloat16",
        "size": pipeline.size,
        **_steps(pipeline, repository),
        **variant,
    }
    return {
        "task": TASK,
        "engine": "torch",
        "summary": f"{repository} draws what a text says ({pipeline.kind}).",
        "memory_mb": max(256, size >> 20),
        "options": options,
    }


def _steps(pipeline: Pipeline, repository: str) -> Mapping[str, float]:
    names = f"{repository.lower()} {pipeline.kind}"
    return next((how for part, how in _FEW.items() if part in names), {"steps": 30, "guidance": 7.5})


__all__ = ["CONTROL", "INDEX", "SUGGESTED", "TASK", "Pipeline", "about", "recognise"]
