"""A user's ComfyUI workflow in API format: which of its nodes take what, by their titles. Pure.

A node takes part when its title begins with ``callboard:``; behind that stand fields, ``callboard:prompt`` or
``callboard:width,height``. A field goes to the input that fits its name; ``callboard:seed=noise_seed`` names another.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from callboard.errors import JobError
from msgspec import Struct

MARK: Final = "callboard:"
OUTPUT: Final = "output"
_INPUTS: Final[dict[str, tuple[str, ...]]] = {
    "prompt": ("text", "prompt", "string", "value", "text_g", "text_l", "clip_l", "t5xxl"),
    "negative": ("text", "negative_prompt", "prompt", "string", "value", "text_g", "text_l"),
    "seed": ("seed", "noise_seed", "value"),
    "width": ("width", "value"),
    "height": ("height", "value"),
    "frames": ("length", "frames", "num_frames", "batch_size", "amount", "value"),
    "rate": ("frame_rate", "fps", "value"),
    "strength": ("denoise", "strength", "value"),
    "image": ("image",),
}
"""Field to the inputs that take it, as the nodes that come with ComfyUI and the usual ones call them."""
_MODELS: Final = ("ckpt_name", "unet_name", "clip_name", "vae_name", "lora_name", "control_net_name", "model_name")
_BYTES: Final = 16 << 20
_API: Final = "In ComfyUI: Workflow > Export (API)."

FIELDS: Final = (*_INPUTS, OUTPUT)
Nodes = dict[str, dict[str, Any]]


class Slot(Struct, frozen=True):
    """An input of a node that takes a field."""

    node: str
    input: str


class Workflow(Struct, frozen=True):
    """What was read: the nodes by their ids, and where each field goes."""

    nodes: Nodes
    slots: dict[str, tuple[Slot, ...]]
    outputs: tuple[str, ...]
    """Ids of the nodes titled ``callboard:output``."""

    def title(self, node: str) -> str:
        """Name a node as its user knows it."""
        return title(self.nodes, node)

    @property
    def models(self) -> list[str]:
        """The files of weights that its nodes name."""
        named = {str(node["inputs"].get(key)) for node in self.nodes.values() for key in _MODELS}
        return sorted(named - {"None"})


def title(nodes: Mapping[str, Any], node: str) -> str:
    """Name a node by title, kind and id, so that it is found in a graph of many."""
    given = nodes.get(node)
    if not isinstance(given, dict):
        return f"node {node}"
    meta = given.get("_meta")
    named = str(meta.get("title", "")) if isinstance(meta, dict) else ""
    return f"{named or given.get('class_type')!s} ({given.get('class_type')}, node {node})"


def read(path: Path) -> Workflow:
    """Read a workflow.

    Raises:
        JobError: it is none in API format, or a title asks for what its node does not take.
    """
    try:
        if path.stat().st_size > _BYTES:
            raise JobError(f"the workflow {path} has more than {_BYTES >> 20} MiB", _API)
        nodes = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise JobError(f"the workflow {path} cannot be read: {error}", _API) from None
    if isinstance(nodes, dict) and isinstance(nodes.get("nodes"), list):
        raise JobError(f"{path} is saved for ComfyUI's canvas, not for its API", _API)
    if not isinstance(nodes, dict) or not nodes or not all(map(_is_node, nodes.values())):
        raise JobError(f"{path} is no workflow of ComfyUI in API format", _API)
    slots: dict[str, tuple[Slot, ...]] = {}
    outputs: list[str] = []
    for node, field, named in _marked(nodes):
        if field == OUTPUT:
            outputs.append(node)
        else:
            slots[field] = (*slots.get(field, ()), *_slots(nodes, node, field, named))
    if "prompt" not in slots and "image" not in slots:
        raise JobError(
            f"no node of {path} takes the prompt", 'Title the node that has the text "callboard:prompt", then export.'
        )
    return Workflow(nodes, slots, tuple(outputs))


def filled(workflow: Workflow, values: Mapping[str, str | int | float]) -> Nodes:
    """Give the nodes with *values* in the inputs that take them; what none takes is left out."""
    nodes = copy.deepcopy(workflow.nodes)
    for field, value in values.items():
        for slot in workflow.slots.get(field, ()):
            nodes[slot.node]["inputs"][slot.input] = value
    return nodes


def _is_node(given: object) -> bool:
    return (
        isinstance(given, dict) and isinstance(given.get("class_type"), str) and isinstance(given.get("inputs"), dict)
    )


def _marked(nodes: Nodes) -> Iterator[tuple[str, str, str]]:
    """Walk the fields in titles: node, field, and the input that it names itself."""
    for node, given in nodes.items():
        meta = given.get("_meta")
        named = str(meta.get("title", "")).strip() if isinstance(meta, dict) else ""
        if not named.lower().startswith(MARK):
            continue
        for part in named[len(MARK) :].split(","):
            field, _, own = (each.strip() for each in part.partition("="))
            if field.lower() not in FIELDS:
                raise JobError(
                    f"{title(nodes, node)}: there is no field {field!r}", f"There are: {', '.join(sorted(FIELDS))}."
                )
            yield node, field.lower(), own


def _slots(nodes: Nodes, node: str, field: str, named: str) -> list[Slot]:
    has: dict[str, Any] = nodes[node]["inputs"]
    fit = [named] if named else [name for name in _INPUTS[field] if name in has]
    # Of several names the first is meant; only the texts of one prompt for two encoders go together.
    fit = [name for name in fit if name.startswith(("text_", "clip_", "t5"))] or fit[:1]
    if not fit or fit[0] not in has:
        raise JobError(
            f"{title(nodes, node)} has no input {named or field!r}",
            f"Its inputs: {', '.join(sorted(has)) or 'none'}. Name one: {MARK}{field}=INPUT.",
        )
    for name in fit:
        if isinstance(has[name], list):
            source = title(nodes, str(has[name][0])) if has[name] else "another node"
            raise JobError(
                f"{title(nodes, node)}: its input {name!r} comes from {source}",
                f"Title that one {MARK}{field} instead.",
            )
    return [Slot(node, name) for name in fit]


__all__ = ["FIELDS", "MARK", "Nodes", "Slot", "Workflow", "filled", "read", "title"]
