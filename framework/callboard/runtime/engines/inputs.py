"""Compares what a call brings with what its pack says, for engines whose library would guess or convert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from callboard.errors import JobError
from callboard.packs import Pack, Tensor


def check_inputs(pack: Pack, tensors: tuple[Tensor, ...], inputs: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Compare names, types and shapes of *inputs* with *tensors*.

    Raises:
        JobError: they differ; the message names the input.
    """
    if set(inputs) != {tensor.name for tensor in tensors}:
        takes = sorted(tensor.name for tensor in tensors)
        raise JobError(f"model {pack.name!r} takes {takes}, not {sorted(inputs)}")
    for tensor in tensors:
        array = inputs[tensor.name]
        fits = len(array.shape) == len(tensor.shape) and all(
            want in (-1, have) for want, have in zip(tensor.shape, array.shape, strict=True)
        )
        if array.dtype.name != tensor.dtype or not fits:
            raise JobError(
                f"model {pack.name!r}: input {tensor.name!r} is {array.dtype.name} {list(array.shape)}, "
                f"not {tensor.dtype} {list(tensor.shape)} (-1: any)"
            )


def check_options(pack: Pack, options: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Refuse options that the engine does not know.

    Raises:
        JobError: there is one.
    """
    unknown = set(options) - set(known)
    if unknown:
        raise JobError(f"model {pack.name!r}: unknown options {sorted(unknown)}")


__all__ = ["check_inputs", "check_options"]
