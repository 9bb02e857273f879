"""What is exported: one torch module with what goes in and comes out, and a checkpoint that such modules come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec import Struct

from callboard.packs.packfile import Batch, Tensor

if TYPE_CHECKING:
    import torch

Array = np.ndarray[Any, Any]
OUTPUT: Final = "embedding"
ROWS: Final = (1, 2, 5)
"""Rows of the calls that parity is measured with: a graph may be right for the batch it was traced with alone."""
_SEED: Final = 20


class Checkpoint(Struct, frozen=True, kw_only=True):
    """Weights and their config in a folder, whole and trusted, with what is known of them."""

    folder: Path
    label: str
    """What the user called it: a pack's name or a folder."""
    version: str
    license: str
    kind: str
    """``open_clip`` or ``transformers``."""
    model: str = ""
    """The architecture's or the class's name; empty where the config says it."""
    space: str
    """Digest of the weights: what is embedded by towers of one checkpoint may be compared."""


class Tower(Struct, frozen=True, kw_only=True):
    """A module in evaluation mode that takes *inputs* in their order and gives rows of length one."""

    suffix: str
    """What the pack's name ends in: ``-image``, ``-text`` or nothing."""
    task: str
    summary: str
    module: torch.nn.Module
    inputs: tuple[Tensor, ...]
    length: int
    """Numbers in a row of the output."""
    batch: Batch
    preprocess: Mapping[str, Any]
    files: Mapping[str, bytes] = {}
    """Further files of the pack, such as the tokenizer's."""
    reference: str
    """What the export is compared with, in words."""
    vocabulary: int = 0
    """Token ids there are."""
    end: int = 0
    """The id that ends a text, for the fixed inputs."""

    def samples(self) -> Sequence[dict[str, Array]]:
        """Make the fixed inputs of several calls, always the same: pictures like noise, texts of all lengths."""
        draw = np.random.default_rng(_SEED)
        made = []
        for rows in ROWS:
            first = self.inputs[0]
            if first.dtype == "float32":
                made.append({first.name: draw.standard_normal((rows, *first.shape[1:]), dtype=np.float32)})
            else:
                made.append(self._texts(draw, rows))
        return made

    def _texts(self, draw: np.random.Generator, rows: int) -> dict[str, Array]:
        fixed = self.inputs[0].shape[1]
        length = fixed if fixed > 0 else 7 + rows
        ids = draw.integers(1, max(self.end, 2), (rows, length))
        ends = draw.integers(2, length, rows)
        after = np.arange(length)[None, :] > ends[:, None]
        ids[np.arange(rows), ends] = self.end
        ids[after] = int(self.preprocess.get("pad", 0))
        found = {}
        for tensor in self.inputs:
            values = ~after if "mask" in tensor.name else np.zeros_like(ids) if "type" in tensor.name else ids
            found[tensor.name] = values.astype(tensor.dtype)
        return found


__all__ = ["OUTPUT", "ROWS", "Checkpoint", "Tower"]
