"""MTCNN's three networks as ONNX graphs: faces and five landmarks (Zhang et al. 2016, https://arxiv.org/abs/1604.02878).

P-Net proposes at every place of a picture of any size, R-Net judges crops of 24 pixels, O-Net crops of 48. All take
pictures as they are, uint8 and RGB; the scaling to -1 to 1 is in the graphs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from callboard.errors import WeightsRefused
from callboard.graphs.graph import Graph
from callboard.graphs.tensors import read_torch

Array = np.ndarray[Any, Any]
State = Mapping[str, Array]


def build_p(members: Mapping[str, Path], out: Path) -> None:
    """Build ``pnet.onnx`` in *out* from ``pnet.pt``.

    Raises:
        WeightsRefused: the weights are not what they were published as.
    """
    state, graph = _read(members, "pnet.pt"), Graph("MTCNN P-Net")
    x = _pictures(graph, ["pictures", "height", "width", 3])
    x = _pool(graph, _look(graph, state, 1, x), 2)
    x = _look(graph, state, 3, _look(graph, state, 2, x))
    chance = graph.add("Softmax", _conv(graph, state, "conv4_1", x), axis=1)
    chance = graph.add("Gather", chance, graph.constant(1, "int64"), axis=1)
    graph.output(chance, "chance", "float32", ["pictures", "rows", "columns"])
    graph.output(_conv(graph, state, "conv4_2", x), "shift", "float32", ["pictures", 4, "rows", "columns"])
    _write(graph, out, "pnet")


def build_r(members: Mapping[str, Path], out: Path) -> None:
    """Build ``rnet.onnx`` in *out* from ``rnet.pt``.

    Raises:
        WeightsRefused: the weights are not what they were published as.
    """
    state, graph = _read(members, "rnet.pt"), Graph("MTCNN R-Net")
    x = _pictures(graph, ["crops", 24, 24, 3])
    x = _pool(graph, _look(graph, state, 1, x), 3)
    x = _pool(graph, _look(graph, state, 2, x), 3)
    x = _flat(graph, state, "dense4", _look(graph, state, 3, x), 4)
    _judge(graph, state, x, "dense5")
    _write(graph, out, "rnet")


def build_o(members: Mapping[str, Path], out: Path) -> None:
    """Build ``onet.onnx`` in *out* from ``onet.pt``.

    Raises:
        WeightsRefused: the weights are not what they were published as.
    """
    state, graph = _read(members, "onet.pt"), Graph("MTCNN O-Net")
    x = _pictures(graph, ["crops", 48, 48, 3])
    x = _pool(graph, _look(graph, state, 1, x), 3)
    x = _pool(graph, _look(graph, state, 2, x), 3)
    x = _pool(graph, _look(graph, state, 3, x), 2)
    x = _flat(graph, state, "dense5", _look(graph, state, 4, x), 5)
    _judge(graph, state, x, "dense6")
    graph.output(_linear(graph, state, "dense6_3", x), "points", "float32", ["crops", 10])
    _write(graph, out, "onet")


class _Named(dict[str, Array]):
    """A state dict that says which file lacks a tensor."""

    def __init__(self, name: str, state: State) -> None:
        super().__init__(state)
        self._name = name

    def __missing__(self, key: str) -> Array:
        raise WeightsRefused(self._name, f"it has no tensor {key!r}")


def _read(members: Mapping[str, Path], name: str) -> State:
    return _Named(name, read_torch(members[name]))


def _pictures(graph: Graph, shape: list[int | str]) -> str:
    pictures = graph.add("Cast", graph.input("pictures", "uint8", shape), to=1)
    scaled = graph.add("Mul", graph.add("Sub", pictures, graph.constant(127.5)), graph.constant(1 / 128))
    return graph.add("Transpose", scaled, perm=[0, 3, 1, 2])


def _conv(graph: Graph, state: State, name: str, x: str) -> str:
    weight = state[f"{name}.weight"]
    constants = graph.constant(weight), graph.constant(state[f"{name}.bias"])
    return graph.add("Conv", x, *constants, kernel_shape=list(weight.shape[2:]))


def _look(graph: Graph, state: State, number: int, x: str) -> str:
    slope = graph.constant(state[f"prelu{number}.weight"].reshape(-1, 1, 1))
    return graph.add("PRelu", _conv(graph, state, f"conv{number}", x), slope)


def _pool(graph: Graph, x: str, size: int) -> str:
    return graph.add("MaxPool", x, kernel_shape=[size, size], strides=[2, 2], ceil_mode=1)


def _flat(graph: Graph, state: State, layer: str, x: str, number: int) -> str:
    """Lay out crops by column, row and channel, which is the order that these weights were trained in."""
    laid = graph.add("Flatten", graph.add("Transpose", x, perm=[0, 3, 2, 1]), axis=1)
    slope = graph.constant(state[f"prelu{number}.weight"])
    return graph.add("PRelu", _linear(graph, state, layer, laid), slope)


def _judge(graph: Graph, state: State, x: str, layer: str) -> None:
    chance = graph.add("Softmax", _linear(graph, state, f"{layer}_1", x), axis=1)
    chance = graph.add("Gather", chance, graph.constant(1, "int64"), axis=1)
    graph.output(chance, "chance", "float32", ["crops"])
    graph.output(_linear(graph, state, f"{layer}_2", x), "shift", "float32", ["crops", 4])


def _linear(graph: Graph, state: State, layer: str, x: str) -> str:
    return graph.add(
        "Gemm", x, graph.constant(state[f"{layer}.weight"]), graph.constant(state[f"{layer}.bias"]), transB=1
    )


def _write(graph: Graph, out: Path, name: str) -> None:
    metadata = {"source": "facenet-pytorch 2.6.0", "license": "MIT", "paper": "https://arxiv.org/abs/1604.02878"}
    graph.write(out / f"{name}.onnx", metadata)


__all__ = ["build_o", "build_p", "build_r"]
