"""A torch module to the files of an ONNX graph, the same bytes for the same versions, in float32 or int8."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from callboard.errors import ExportError
from callboard.export.towers import OUTPUT, Tower
from callboard.runtime import engines as engines  # has onnxruntime keep its silence before it is imported below

if TYPE_CHECKING:
    import onnx

GRAPH: Final = "model.onnx"
WEIGHTS: Final = "model.onnx_data"
_OPSET: Final = 17
"""The first with LayerNormalization; every onnxruntime that Callboard takes runs it."""
_INLINE: Final = 1 << 30
"""Bytes of weights up to which they lie in the graph's own file: protobuf ends at 2 GiB."""


def write_graph(tower: Tower, folder: Path, *, int8: bool = False, inline: int = _INLINE) -> list[str]:
    """Write ``model.onnx``, and ``model.onnx_data`` beside it where the weights are large, into *folder*.

    Args:
        tower: What to write.
        folder: An empty one.
        int8: Quantise the weights of matrix products, each channel on its own.
        inline: Bytes of weights above which they get a file of their own.

    Returns:
        The names of the files.

    Raises:
        ExportError: the exporter cannot express the model.
    """
    import onnx

    work = folder / "work"
    work.mkdir()
    made = work / "traced.onnx"
    try:
        with _quiet():
            _trace(tower, made)
            if int8:
                made = _quantised(made, work)
        model = onnx.load(str(made))
    except Exception as error:  # noqa: BLE001 - the exporter and the quantiser raise whatever they meet
        raise ExportError(
            tower.suffix.removeprefix("-") or "model", f"cannot be written as ONNX: {error}"[:600], _HINT
        ) from None
    _strip(model)
    size = sum(len(weight.raw_data) for weight in model.graph.initializer)
    if size > inline:
        # Everything but small constants goes into the second file, in the order of the graph.
        onnx.save_model(model, str(folder / GRAPH), save_as_external_data=True, location=WEIGHTS, size_threshold=1024)
    else:
        (folder / GRAPH).write_bytes(model.SerializeToString(deterministic=True))
    _empty(work)
    return [name for name in (GRAPH, WEIGHTS) if (folder / name).is_file()]


_HINT: Final = "This architecture cannot be exported; it still runs with the torch engine."


def _trace(tower: Tower, path: Path) -> None:
    import torch

    sample = tower.samples()[1]
    given = tuple(torch.from_numpy(sample[tensor.name]) for tensor in tower.inputs)
    names = [tensor.name for tensor in tower.inputs]
    open_axes = {
        tensor.name: {0: "rows", **{n: f"axis{n}" for n, side in enumerate(tensor.shape) if n and side < 0}}
        for tensor in tower.inputs
    }
    # The fused attention of torch's fast path has no ONNX form.
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        torch.onnx.export(
            tower.module,
            given,
            str(path),
            dynamo=False,
            opset_version=_OPSET,
            input_names=names,
            output_names=[OUTPUT],
            dynamic_axes={**open_axes, OUTPUT: {0: "rows"}},
        )
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _quantised(path: Path, work: Path) -> Path:
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    ready, small = work / "ready.onnx", work / "int8.onnx"
    quant_pre_process(str(path), str(ready), skip_symbolic_shape=True)
    # Convolutions stay in float32: onnxruntime has no fast integer one that takes its scale at run time.
    quantize_dynamic(
        str(ready), str(small), weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul", "Gather"]
    )
    return small


def _strip(model: onnx.ModelProto) -> None:
    """Take out what says where and how the graph was made: lines of source and paths."""
    model.doc_string = model.graph.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del model.metadata_props[:], model.graph.metadata_props[:]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the warnings of tracing to ourselves: parity says whether they mattered."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(before)


def _empty(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder)


def run_module(tower: Tower, sample: dict[str, Any]) -> Any:
    """Run the module itself on one sample: float32, rows x length."""
    import torch

    with torch.inference_mode():
        return tower.module(*(torch.from_numpy(sample[tensor.name]) for tensor in tower.inputs)).numpy()


__all__ = ["GRAPH", "WEIGHTS", "run_module", "write_graph"]
