"""all-MiniLM-L6-v2 as an ONNX graph: texts to vectors of length one, by whose cosines they are compared.

Six layers of BERT, the mean over each text's tokens and the division by its length, all in the graph (Wang et al. 2020,
https://arxiv.org/abs/2002.10957; Reimers & Gurevych 2019, https://arxiv.org/abs/1908.10084).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from callboard.errors import WeightsRefused
from callboard.graphs.graph import Graph

Array = np.ndarray[Any, Any]
State = Mapping[str, Array]

_LAYERS, _HEADS, _WIDTH = 6, 12, 384
_HEAD = _WIDTH // _HEADS
_EPSILON = 1e-12  # layer_norm_eps of the published config.json
_LEAST = float(np.finfo(np.float32).min)
_LONGEST: Final = 512
"""Tokens; the model's own documentation advises 256 at most."""


def build(members: Mapping[str, Path], out: Path) -> None:
    """Build ``model.onnx`` in *out* and copy ``tokenizer.json`` beside it.

    Args:
        members: Has ``model.safetensors`` and ``tokenizer.json``.
        out: An existing folder.

    Raises:
        WeightsRefused: the weights are not what they were published as.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    name = "model.safetensors"
    graph = Graph("all-MiniLM-L6-v2")
    tokens, mask, kinds = (
        graph.input(each, "int64", ["texts", "tokens"]) for each in ("input_ids", "attention_mask", "token_type_ids")
    )
    try:
        state = load_file(members[name])
        _embed(graph, state, tokens, mask, kinds)
    except (SafetensorError, KeyError) as error:
        raise WeightsRefused(name, str(error)) from None
    metadata = {"source": "sentence-transformers/all-MiniLM-L6-v2", "license": "Apache-2.0"}
    graph.write(out / "model.onnx", metadata)
    shutil.copyfile(members["tokenizer.json"], out / "tokenizer.json")


def _embed(graph: Graph, state: State, tokens: str, mask: str, kinds: str) -> None:
    share = graph.add("Cast", mask, to=1)  # 1 for a token, 0 for what fills up
    hidden = graph.add("Unsqueeze", graph.add("Sub", graph.constant(1.0), share), graph.ints(1, 2))
    hidden = graph.add("Mul", hidden, graph.constant(_LEAST))  # texts x 1 x 1 x tokens: added, it hides what fills up
    x = _first(graph, state, tokens, kinds)
    for layer in range(_LAYERS):
        x = _layer(graph, state, f"encoder.layer.{layer}", x, hidden)
    share = graph.add("Unsqueeze", share, graph.ints(2))
    total = graph.add("ReduceSum", graph.add("Mul", x, share), graph.ints(1), keepdims=0)
    count = graph.add("Max", graph.add("ReduceSum", share, graph.ints(1), keepdims=0), graph.constant(1e-9))
    mean = graph.add("Div", total, count)
    length = graph.add("Max", graph.add("ReduceL2", mean, axes=[1], keepdims=1), graph.constant(1e-12))
    graph.output(graph.add("Div", mean, length), "embedding", "float32", ["texts", _WIDTH])


def _first(graph: Graph, state: State, tokens: str, kinds: str) -> str:
    """Look up tokens, kinds of text and places."""
    words = graph.add("Gather", graph.constant(state["embeddings.word_embeddings.weight"]), tokens)
    types = graph.add("Gather", graph.constant(state["embeddings.token_type_embeddings.weight"]), kinds)
    count = graph.add("Slice", graph.add("Shape", tokens), graph.ints(1), graph.ints(2))
    places = graph.constant(state["embeddings.position_embeddings.weight"][:_LONGEST])
    places = graph.add("Slice", places, graph.ints(0), count, graph.ints(0))
    return _norm(graph, state, "embeddings", graph.add("Add", graph.add("Add", words, types), places))


def _layer(graph: Graph, state: State, name: str, x: str, hidden: str) -> str:
    seen = _attend(graph, state, f"{name}.attention.self", x, hidden)
    seen = _linear(graph, state, f"{name}.attention.output.dense", seen)
    x = _norm(graph, state, f"{name}.attention.output", graph.add("Add", seen, x))
    wide = _gelu(graph, _linear(graph, state, f"{name}.intermediate.dense", x))
    narrow = _linear(graph, state, f"{name}.output.dense", wide)
    return _norm(graph, state, f"{name}.output", graph.add("Add", narrow, x))


def _attend(graph: Graph, state: State, name: str, x: str, hidden: str) -> str:
    asked, kept, said = (
        graph.add("Reshape", _linear(graph, state, f"{name}.{part}", x), graph.ints(0, 0, _HEADS, _HEAD))
        for part in ("query", "key", "value")
    )
    asked = graph.add("Transpose", asked, perm=[0, 2, 1, 3])
    scores = graph.add("MatMul", asked, graph.add("Transpose", kept, perm=[0, 2, 3, 1]))
    scores = graph.add("Add", graph.add("Div", scores, graph.constant(_HEAD**0.5)), hidden)
    heard = graph.add("MatMul", graph.add("Softmax", scores, axis=3), graph.add("Transpose", said, perm=[0, 2, 1, 3]))
    heard = graph.add("Transpose", heard, perm=[0, 2, 1, 3])
    return graph.add("Reshape", heard, graph.ints(0, 0, _WIDTH))


def _gelu(graph: Graph, x: str) -> str:
    """Apply GELU by the error function, as the model was trained, and not by its approximation."""
    share = graph.add("Erf", graph.add("Div", x, graph.constant(2**0.5)))
    half = graph.add("Mul", graph.add("Add", share, graph.constant(1.0)), graph.constant(0.5))
    return graph.add("Mul", x, half)


def _norm(graph: Graph, state: State, name: str, x: str) -> str:
    weights = (graph.constant(state[f"{name}.LayerNorm.{part}"]) for part in ("weight", "bias"))
    return graph.add("LayerNormalization", x, *weights, axis=-1, epsilon=_EPSILON)


def _linear(graph: Graph, state: State, name: str, x: str) -> str:
    product = graph.add("MatMul", x, graph.constant(state[f"{name}.weight"].T))
    return graph.add("Add", product, graph.constant(state[f"{name}.bias"]))


__all__ = ["build"]
