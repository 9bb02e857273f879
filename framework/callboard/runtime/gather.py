"""Which waiting calls make one batch, how they are put together, and how the answers are taken apart. Pure."""

from __future__ import annotations

import functools
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from callboard.errors import JobError, ModelFault
from callboard.packs.packfile import Batch, Pack

if TYPE_CHECKING:
    import numpy as np

    from callboard.context import Arrays

WASTE: Final = 0.15
"""Share of a batch that may be padding. Text of mixed lengths in batches of 16 ran at 0.4 of the speed of the same
texts sorted by length; with at most this much padding no speed is lost."""


_FEW: Final = 4096
"""Values that are looked at one by one."""


class Size(NamedTuple):
    """What a call brings to a batch: rows, and the length of axis 1 of its inputs that may be padded (0: none)."""

    rows: int
    length: int


class Shape(NamedTuple):
    """A call's size, and what calls must have in common to be run together: ``kind``, None for one that runs alone."""

    size: Size
    kind: Hashable


def check(pack: Pack, inputs: Arrays) -> None:
    """Compare *inputs* with what *pack* says; no inputs at all are for the engine to judge.

    Raises:
        JobError: one is missing, or has another type or shape.
    """
    for tensor in pack.inputs if inputs else ():
        array = inputs.get(tensor.name)
        if array is None:
            raise JobError(f"model {pack.name!r}: input {tensor.name!r} is missing")
        fits = len(array.shape) == len(tensor.shape) and all(
            want in (-1, have) for want, have in zip(tensor.shape, array.shape, strict=True)
        )
        if _name(array.dtype) != tensor.dtype or not fits:
            raise JobError(
                f"model {pack.name!r}: input {tensor.name!r} is {array.dtype.name} {list(array.shape)}, "
                f"not {tensor.dtype} {list(tensor.shape)} (-1: any)"
            )


@functools.cache
def _name(dtype: np.dtype[Any]) -> str:
    return dtype.name  # numpy makes it anew each time, which takes as long as all the rest of a check


def shape_of(batch: Batch | None, inputs: Arrays, options: Mapping[str, Any]) -> Shape:
    """Say how large a call is and with which others it may be run."""
    alone = Shape(Size(1, 0), None)
    if batch is None or not inputs or any(array.ndim == 0 for array in inputs.values()):
        return alone
    rows = {array.shape[0] for array in inputs.values()}
    padded = {array.shape[1] for name, array in inputs.items() if name in batch.pad and array.ndim > 1}
    if len(rows) != 1 or 0 in rows or len(padded) > 1:
        return alone
    try:
        wanted = msgspec.msgpack.encode(options, order="deterministic") if options else b""
    except (TypeError, msgspec.MsgspecError):
        return alone
    like = tuple(
        (name, array.dtype.str, array.shape[2:] if name in batch.pad else array.shape[1:])
        for name, array in sorted(inputs.items())
    )
    return Shape(Size(rows.pop(), padded.pop() if padded else 0), (wanted, like))


def choose(first: Size, others: Sequence[Size], limit: int, waste: float = WASTE) -> list[int]:
    """Choose which of *others* run with *first*: the nearest in length, then the earliest.

    Args:
        first: Runs in any case.
        others: Sizes of calls that may join, in the order in which they are due.
        limit: Rows of the whole batch.
        waste: Share of the batch that may be padding.

    Returns:
        Indexes into *others*.
    """
    chosen: list[int] = []
    rows, longest, used = first.rows, first.length, first.rows * first.length
    for index in sorted(range(len(others)), key=lambda index: abs(others[index].length - first.length)):
        if rows >= limit:
            break
        other = others[index]
        with_rows, with_longest = rows + other.rows, max(longest, other.length)
        with_used = used + other.rows * other.length
        if with_rows > limit or with_used < (1.0 - waste) * with_longest * with_rows:
            continue
        chosen.append(index)
        rows, longest, used = with_rows, with_longest, with_used
    return chosen


def join(parts: Sequence[Arrays], pad: Mapping[str, float]) -> dict[str, np.ndarray[Any, Any]]:
    """Put the inputs of several calls together, shorter ones filled up at the end of axis 1."""
    import numpy as np

    if len(parts) == 1:
        return dict(parts[0])
    joined: dict[str, np.ndarray[Any, Any]] = {}
    for name in parts[0]:
        arrays = [part[name] for part in parts]
        longest = max(array.shape[1] for array in arrays) if name in pad and arrays[0].ndim > 1 else 0
        if all(array.shape[1] == longest for array in arrays if longest):
            joined[name] = np.concatenate(arrays)
            continue
        rows = sum(len(array) for array in arrays)
        whole = np.full((rows, longest, *arrays[0].shape[2:]), pad[name], arrays[0].dtype)
        at = 0
        for array in arrays:
            whole[at : at + len(array), : array.shape[1]] = array
            at += len(array)
        joined[name] = whole
    return joined


def split(
    outputs: Mapping[str, np.ndarray[Any, Any]], sizes: Sequence[Size], trim: Sequence[str]
) -> list[dict[str, np.ndarray[Any, Any]]]:
    """Give each call of a batch its own rows, as arrays of its own."""
    if len(sizes) == 1:
        return [dict(outputs)]
    answers: list[dict[str, np.ndarray[Any, Any]]] = []
    at = 0
    for size in sizes:
        rows = slice(at, at + size.rows)
        answers.append(
            {
                name: array[rows, : size.length].copy() if name in trim and array.ndim > 1 else array[rows].copy()
                for name, array in outputs.items()
            }
        )
        at += size.rows
    return answers


def require_rows(model: str, outputs: Mapping[str, Any], rows: int) -> None:
    """See that a batch's outputs can be taken apart.

    Raises:
        ModelFault: an output has not one row for each row of the inputs.
    """
    for name, value in outputs.items():
        shape = getattr(value, "shape", ())
        if not shape or shape[0] != rows:
            raise ModelFault(
                model,
                name,
                f"has shape {list(shape)} for {rows} rows of input; the pack's [batch] promises one for each",
            )


def not_finite(outputs: Mapping[str, Any]) -> str:
    """Name the first output that holds NaN or infinity; empty when there is none."""
    import numpy as np

    for name, value in outputs.items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not _finite(value):
            return name
    return ""


def _finite(array: np.ndarray[Any, Any]) -> bool:
    import numpy as np

    if array.size <= _FEW:
        return bool(np.isfinite(array).all())
    with np.errstate(invalid="ignore"):
        # NaN passes through both, and on many values they are several times as fast as looking at each
        return math.isfinite(array.min()) and math.isfinite(array.max())


__all__ = [
    "WASTE",
    "Shape",
    "Size",
    "check",
    "choose",
    "join",
    "not_finite",
    "require_rows",
    "shape_of",
    "split",
]
