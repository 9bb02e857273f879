"""How near an export comes to its original, measured through the engine that will run it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from callboard.config import RuntimeSettings
from callboard.export.graph import run_module
from callboard.export.towers import OUTPUT, Tower
from callboard.packs.packfile import Parity
from callboard.runtime import Control, make_engine

if TYPE_CHECKING:
    from callboard.packs import Pack

LEAST: Final = {False: 0.999, True: 0.98}
"""Cosine under which an export is not kept, in float32 and in int8."""


def measure(tower: Tower, pack: Pack, folder: Path) -> Parity:
    """Run the original and the export on the same fixed inputs, in batches of several sizes.

    Args:
        tower: The original.
        pack: The export.
        folder: Where its files are.

    Raises:
        ModelMissing: onnxruntime cannot load it.
        JobError: it cannot run it.
    """
    session = make_engine(pack).load(pack, folder, RuntimeSettings())
    worst, least, rows = 0.0, 1.0, 0
    try:
        for sample in tower.samples():
            wanted = run_module(tower, sample).astype(np.float64)
            given = session.run(sample, {}, Control())[OUTPUT].astype(np.float64)
            if given.shape != wanted.shape or not np.isfinite(given).all():
                return Parity(max_abs=float("inf"), cosine=-1.0, rows=rows, reference=tower.reference[:400])
            lengths = np.linalg.norm(wanted, axis=1) * np.linalg.norm(given, axis=1)
            worst = max(worst, float(np.abs(given - wanted).max()))
            least = min(least, float(((given * wanted).sum(axis=1) / lengths).min()))
            rows += len(wanted)
    finally:
        session.close()
    return Parity(max_abs=_short(worst), cosine=round(least, 9), rows=rows, reference=tower.reference[:400])


def _short(value: float) -> float:
    return float(f"{value:.3g}")


__all__ = ["LEAST", "measure"]
