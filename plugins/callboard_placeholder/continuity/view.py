"""A picture as it is compared: without black bars, without what is written over it, small, and as the eye sees it."""

from __future__ import annotations

import numpy as np
from callboard.colour import to_lab
from callboard.media.bars import frame_bars
from msgspec import Struct
from PIL import Image

from callboard_placeholder.engine import Array

ROWS, COLUMNS = 90, 160
"""Of the grid on which pictures are compared, whatever their sizes."""
_BARS = 320
"""Pixels of the longest side at which black bars are looked for: to a third of a percent of the picture."""


class View(Struct, frozen=True):
    """One picture."""

    whole: Array
    """Without its black bars: height x width x 3, uint8."""
    lab: Array
    """L*a*b* (CIE 1976) of it, ``ROWS`` x ``COLUMNS`` x 3, float32."""


def view(pixels: Array) -> View:
    """Make a picture ready.

    Args:
        pixels: height x width x 3, uint8, RGB.
    """
    whole = _without_bars(pixels)
    small = Image.fromarray(np.ascontiguousarray(whole)).resize((COLUMNS, ROWS), Image.Resampling.BOX)
    return View(whole=whole, lab=to_lab(np.asarray(small)))


def _without_bars(pixels: Array) -> Array:
    step = max(1, max(pixels.shape[:2]) // _BARS)
    rows, columns = (bars * step for bars in frame_bars(pixels[::step, ::step]))
    # scaled pictures have a soft line between bar and picture, which belongs to neither
    rows, columns = (bars + step if bars else 0 for bars in (rows, columns))
    if min(pixels.shape[0] - 2 * rows, pixels.shape[1] - 2 * columns) < 1:
        return pixels
    return pixels[rows : pixels.shape[0] - rows, columns : pixels.shape[1] - columns]


__all__ = ["COLUMNS", "ROWS", "View", "view"]
