"""A small builder over ``onnx.helper``: names nodes in order, holds the initialisers, writes the same bytes each time.

Nothing in the file depends on the release of onnx that wrote it: IR version, opset and producer are fixed here, and
protobuf writes fields in the order of their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper

Array = np.ndarray[Any, Any]

OPSET: Final = 17
"""Has LayerNormalization; onnxruntime runs it since 1.12."""
_IR_VERSION = 8  # of onnx 1.12, the first with opset 17
_TYPES: Final = {
    np.dtype("float32"): TensorProto.FLOAT,
    np.dtype("int64"): TensorProto.INT64,
    np.dtype("int32"): TensorProto.INT32,
    np.dtype("uint8"): TensorProto.UINT8,
    np.dtype("bool"): TensorProto.BOOL,
}


class Graph:
    """Nodes in the order in which they are added; a value is its name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._same: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, dtype: str, shape: Sequence[int | str]) -> str:
        """Declare an input; a word in *shape* is an axis of any length."""
        self._inputs.append(helper.make_tensor_value_info(name, _TYPES[np.dtype(dtype)], list(shape)))
        return name

    def output(self, value: str, name: str, dtype: str, shape: Sequence[int | str]) -> None:
        """Declare that *value* leaves the graph as *name*."""
        self._nodes.append(helper.make_node("Identity", [value], [name], name=name))
        self._outputs.append(helper.make_tensor_value_info(name, _TYPES[np.dtype(dtype)], list(shape)))

    def constant(self, values: object, dtype: str = "float32") -> str:
        """Hold numbers in the graph; the same ones only once."""
        array = np.asarray(values, np.dtype(dtype).newbyteorder("<"))
        raw = np.ascontiguousarray(array).tobytes()
        key = (dtype, array.shape, raw)
        if key not in self._same:
            self._same[key] = f"c{len(self._constants)}"
            tensor = TensorProto(
                name=self._same[key], data_type=_TYPES[np.dtype(dtype)], dims=array.shape, raw_data=raw
            )
            self._constants.append(tensor)
        return self._same[key]

    def ints(self, *values: int) -> str:
        """Hold whole numbers as a list: axes, shapes, places."""
        return self.constant(list(values), "int64")

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, and give the output's name."""
        return self.split(operator, 1, *inputs, **attributes)[0]

    def split(self, operator: str, count: int, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node with *count* outputs, and give their names."""
        place = len(self._nodes)
        outputs = [f"n{place}" if count == 1 else f"n{place}_{at}" for at in range(count)]
        self._nodes.append(helper.make_node(operator, list(inputs), outputs, name=f"n{place}", **attributes))
        return outputs

    def write(self, path: Path, metadata: dict[str, str] | None = None) -> None:
        """Check the graph and write it to *path*.

        Args:
            path: Of the ``.onnx`` file.
            metadata: Strings that the file carries: what it was made of, and under which licence.
        """
        graph = helper.make_graph(self._nodes, self._name, self._inputs, self._outputs, self._constants)
        model = onnx.ModelProto(ir_version=_IR_VERSION, producer_name="callboard", graph=graph)
        model.opset_import.add(domain="", version=OPSET)
        for key, value in sorted((metadata or {}).items()):
            model.metadata_props.add(key=key, value=value)
        onnx.checker.check_model(model, full_check=True)
        path.write_bytes(model.SerializeToString(deterministic=True))


__all__ = ["OPSET", "Graph"]
