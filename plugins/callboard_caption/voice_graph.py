"""A voice encoder as an ONNX graph: what a voice is like, of 1.6 s of it (Wan et al. 2018, https://arxiv.org/abs/1710.10467).

Three LSTMs of 256 hear mel frames one after another; what the last one holds at the end becomes a vector of length one.
Vectors of one voice lie near each other. Any number of frames will do; the weights were trained on 160, of 10 ms each.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from callboard.errors import WeightsRefused
from callboard.graphs.graph import Graph
from callboard.graphs.tensors import read_torch

Array = np.ndarray[Any, Any]
State = Mapping[str, Array]

MEMBER: Final = "pretrained.pt"
BANDS: Final = 40
_LAYERS, _SIZE = 3, 256
_ORDER = (
    0,
    3,
    1,
    2,
)  # torch holds input, forget, cell and output gates in this order; ONNX input, output, forget, cell


def build(members: Mapping[str, Path], out: Path) -> None:
    """Build ``voice.onnx`` in *out*.

    Args:
        members: Has ``pretrained.pt``, by its last part.
        out: An existing folder.

    Raises:
        WeightsRefused: the weights are not what they were published as.
    """
    state = read_torch(members[MEMBER], part="model_state")
    graph = Graph("GE2E voice encoder")
    x = graph.add("Transpose", graph.input("mels", "float32", ["pieces", "frames", BANDS]), perm=[1, 0, 2])
    try:
        for layer in range(_LAYERS):
            x = _lstm(graph, state, layer, x)
        last = graph.add("Gather", x, graph.constant(-1, "int64"), axis=0)
        weights = graph.constant(state["linear.weight"]), graph.constant(state["linear.bias"])
    except KeyError as error:
        raise WeightsRefused(MEMBER, f"it has no tensor {error}") from None
    felt = graph.add("Relu", graph.add("Gemm", last, *weights, transB=1))
    length = graph.add("Max", graph.add("ReduceL2", felt, axes=[1], keepdims=1), graph.constant(1e-12))
    graph.output(graph.add("Div", felt, length), "voice", "float32", ["pieces", _SIZE])
    graph.write(
        out / "voice.onnx",
        {"source": "Resemblyzer 0.1.4", "license": "Apache-2.0", "paper": "https://arxiv.org/abs/1710.10467"},
    )


def _lstm(graph: Graph, state: State, layer: int, x: str) -> str:
    """Hear frames x pieces x numbers; give frames x pieces x 256."""
    given = [graph.constant(_reordered(state[f"lstm.weight_{part}_l{layer}"])[None]) for part in ("ih", "hh")]
    bias = np.concatenate([_reordered(state[f"lstm.bias_{part}_l{layer}"]) for part in ("ih", "hh")])
    held = graph.split("LSTM", 1, x, *given, graph.constant(bias[None]), hidden_size=_SIZE)
    return graph.add("Squeeze", held[0], graph.ints(1))


def _reordered(gates: Array) -> Array:
    parts = np.split(gates, 4)
    return np.concatenate([parts[at] for at in _ORDER])


__all__ = ["BANDS", "MEMBER", "build"]
