"""A CLIP that sees colours and knows their names: two linear ONNX towers in one space, made in milliseconds.

Its image tower gives the mean colour of a picture, its text tower the sum of the colours of the words that it knows, so
which pictures fit which words is known beforehand. It takes the same path as a real one: packs, tokenizer, runtime.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from callboard.packs.packfile import Batch, FileSource, Pack, PackFile, Tensor
from callboard.packs.packtext import write_pack

SIDE: Final = 8
"""Pixels: side of the pictures that the image tower takes."""
CONTEXT: Final = 77
_LENGTH = 4
_OPSET = 17
COLOURS: Final[Mapping[str, tuple[int, int, int]]] = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}


def make_tiny_clip(
    folder: Path,
    words: Mapping[str, tuple[float, float, float]] | None = None,
    *,
    name: str = "tiny",
    **constants: float,
) -> tuple[Pack, Pack]:
    """Write the packs ``NAME-image`` and ``NAME-text`` into *folder*.

    Args:
        folder: For packs: ``RuntimeSettings(models=…)`` finds them there.
        words: Lower case, to the RGB colour that each means; five colours where None.
        name: NAME.
        constants: For ``preprocess`` of the image pack, such as ``logit_scale``.

    Returns:
        The image pack and the text pack.
    """
    words = COLOURS if words is None else words
    vocabulary, ids = _vocabulary(sorted(words))
    table = np.zeros((max(ids.values()) + 3, _LENGTH), np.float32)
    for word, colour in words.items():
        table[ids[word], :3] = np.asarray(colour, np.float32) / 255 - 0.5
    files = {
        f"{name}-image/model.onnx": _image_tower(),
        f"{name}-text/model.onnx": _text_tower(table),
        f"{name}-text/bpe_simple_vocab.txt": vocabulary,
    }
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    space = hashlib.sha256(b"".join(files.values())).hexdigest()
    image = _pack(f"{name}-image", files, {"size": SIDE, "mean": (0.5, 0.5, 0.5), "std": (1.0, 1.0, 1.0)}, space)
    image = _with(image, inputs=(Tensor("image", "float32", (-1, 3, SIDE, SIDE)),), constants=constants)
    text = _pack(f"{name}-text", files, {"context": CONTEXT, "clean": "lower"}, space)
    text = _with(text, inputs=(Tensor("text", "int64", (-1, CONTEXT)),), constants={})
    for pack in (image, text):
        write_pack(pack, folder / f"{pack.name}.toml")
    return image, text


def _pack(name: str, files: Mapping[str, bytes], preprocess: dict[str, Any], space: str) -> Pack:
    mine = {path.partition("/")[2]: content for path, content in files.items() if path.startswith(f"{name}/")}
    return Pack(
        name=name,
        version="1",
        task="image-embedding" if name.endswith("-image") else "text-embedding",
        engine="onnxruntime",
        license="CC0-1.0",
        summary="Sees mean colours and knows their names; for tests.",
        files=tuple(
            PackFile(path, hashlib.sha256(content).hexdigest(), len(content)) for path, content in mine.items()
        ),
        source=FileSource(name),
        outputs=(Tensor("embedding", "float32", (-1, _LENGTH)),),
        memory_mb=1,
        batch=Batch(most=8),
        preprocess={**preprocess, "space": space},
    )


def _with(pack: Pack, inputs: tuple[Tensor, ...], constants: Mapping[str, float]) -> Pack:
    from msgspec.structs import replace

    return replace(pack, inputs=inputs, preprocess={**pack.preprocess, **constants})


def _vocabulary(words: list[str]) -> tuple[bytes, dict[str, int]]:
    """Make merges that put each of *words* together, and say which id each gets."""
    merges: list[str] = []
    made: dict[str, str] = {}
    for word in words:
        letters = [*word[:-1], f"{word[-1]}</w>"]
        whole = letters[0]
        for letter in letters[1:]:
            if f"{whole} {letter}" not in merges:
                merges.append(f"{whole} {letter}")
            whole += letter
        made[word] = f"{whole[: -len(letters[-1])]} {letters[-1]}" if len(letters) > 1 else ""
    ids = {word: 512 + merges.index(merge) for word, merge in made.items() if merge}
    return "\n".join(["#version: tiny", *merges]).encode(), ids


def _image_tower() -> bytes:
    from onnx import helper

    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("Pad", ["mean", "pads", "one"], ["embedding"]),
    ]
    return _model(nodes, ("image", np.float32, ["rows", 3, SIDE, SIDE]), {"pads": _PADS, "one": _ONE})


def _text_tower(table: np.ndarray[Any, Any]) -> bytes:
    from onnx import helper

    nodes = [
        helper.make_node("Gather", ["table", "text"], ["known"]),
        helper.make_node("ReduceSum", ["known", "axes"], ["sum"], keepdims=0),
        helper.make_node("Add", ["sum", "constant"], ["embedding"]),
    ]
    constant = np.asarray([[0, 0, 0, 0.1]], np.float32)
    weights = {"table": table, "axes": np.asarray([1], np.int64), "constant": constant}
    return _model(nodes, ("text", np.int64, ["rows", CONTEXT]), weights)


_PADS = np.asarray([0, 0, 0, 1], np.int64)
_ONE = np.asarray(0.1, np.float32)


def _model(nodes: list[Any], given: tuple[str, Any, list[Any]], weights: dict[str, np.ndarray[Any, Any]]) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    kind = TensorProto.FLOAT if given[1] is np.float32 else TensorProto.INT64
    graph = helper.make_graph(
        nodes,
        "tower",
        [helper.make_tensor_value_info(given[0], kind, given[2])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["rows", _LENGTH])],
        [numpy_helper.from_array(value, key) for key, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
    return bytes(model.SerializeToString(deterministic=True))


__all__ = ["COLOURS", "CONTEXT", "SIDE", "make_tiny_clip"]
