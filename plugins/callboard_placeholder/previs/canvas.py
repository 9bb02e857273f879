"""Pictures out of what Blender renders: corners laid together into pixels, parts laid over the picture before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from callboard.errors import JobError
from PIL import Image

from callboard_placeholder.engine import Array
from callboard_placeholder.previs.plan import Plan


class Canvas:
    """The picture as it is at the frame that was told last."""

    def __init__(self, plan: Plan) -> None:
        """Begin without a picture."""
        self._size = (plan.width, plan.height)
        wide, high = (max(side * plan.percent // 100, 1) for side in self._size)
        self._corners: Array = np.zeros((high + 1, wide + 1, 3), np.uint8)
        self._picture: Array | None = None

    def laid(self, told: Mapping[str, Any]) -> Array:
        """Lay over what Blender told of a frame, remove its file, and give the whole picture.

        Args:
            told: ``file``, empty where nothing changed, and ``at``: left, top, right and bottom of it, in corners.

        Returns:
            Height x width x 3, uint8, as large as it was ordered; not to be written to.

        Raises:
            JobError: the file has another size than was told.
        """
        if told["file"]:
            self._lay(Path(str(told["file"])), told["at"])
            self._picture = None
        if self._picture is None:
            self._picture = self._pixels()
        return self._picture

    def _lay(self, path: Path, at: tuple[int, int, int, int]) -> None:
        left, top, right, bottom = at
        with Image.open(path) as image:
            part = np.asarray(image.convert("RGB"), np.uint8)
        if part.shape != (bottom - top, right - left, 3):
            raise JobError(f"Blender rendered {part.shape[1]} x {part.shape[0]} for {at}", "Try another Blender.")
        self._corners[top:bottom, left:right] = part
        path.unlink()

    def _pixels(self) -> Array:
        corners = self._corners.astype(np.uint16)
        rows = corners[1:] + corners[:-1]
        pixels = ((rows[:, 1:] + rows[:, :-1] + 2) >> 2).astype(np.uint8)
        if pixels.shape[1::-1] != self._size:
            whole = Image.fromarray(pixels).resize(self._size, Image.Resampling.BICUBIC)
            pixels = np.asarray(whole, np.uint8)
        return pixels


__all__ = ["Canvas"]
