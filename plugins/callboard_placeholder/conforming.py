"""Brings pictures of any size to the size of an order: whole, never stretched, with bars where they do not fill it."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numpy as np
from PIL import Image

from callboard_placeholder.engine import Array, Order
from callboard_placeholder.lettering import LEAST, fit, letters_for

_NEAR: Final = 2
"""Pixels by which a side may miss the frame's without a bar: sizes are rounded to even pixels."""


def black(order: Order) -> Array:
    """Give a black picture, not to be written to."""
    return _fixed(np.zeros((order.height, order.width, 3), np.uint8))


def fitted_size(order: Order, width: int, height: int) -> tuple[int, int]:
    """Give the stored pixels that a picture of square pixels takes in an order's frame."""
    across = Fraction(width, height) / order.pixel_aspect
    if across >= Fraction(order.width, order.height):
        wide, high = order.width, round(order.width / across)
    else:
        wide, high = round(order.height * across), order.height
    wide = order.width if order.width - wide <= _NEAR else max(wide - wide % 2, 1)
    high = order.height if order.height - high <= _NEAR else max(high - high % 2, 1)
    return wide, high


def conform(picture: Array, order: Order) -> Array:
    """Fit a picture of square pixels, height x width x 3, uint8, into an order's frame; not to be written to."""
    high, wide = picture.shape[:2]
    width, height = fitted_size(order, wide, high)
    if (width, height) != (wide, high):
        # Pillow counts in whole numbers here: the same picture on every processor
        picture = np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))
    if (width, height) == (order.width, order.height):
        return _fixed(np.ascontiguousarray(picture))
    frame = np.zeros((order.height, order.width, 3), np.uint8)
    left, top = (order.width - width) // 4 * 2, (order.height - height) // 4 * 2  # even: chroma lies on pairs
    frame[top : top + height, left : left + width] = picture
    return _fixed(frame)


def lettered(order: Order, text: str) -> Array:
    """Give a black picture with one line in its middle."""
    letters = letters_for(order.parameters)
    seen = max(round(order.width * order.pixel_aspect), 1)
    line = fit(letters, text, max(order.height // 16, LEAST), max(seen * 9 // 10, 1))
    picture = Image.new("RGB", (seen, order.height))
    left = (seen - letters.width(line.lines[0], line.size)) // 2
    letters.draw(
        picture, (max(left, 0), order.height // 2 + line.size // 3), line.lines[0], line.size, _GREY, "regular"
    )
    stored = picture.resize((order.width, order.height), Image.Resampling.BOX) if seen != order.width else picture
    return _fixed(np.asarray(stored).copy())


_GREY: Final = (160, 160, 160)


def _fixed(picture: Array) -> Array:
    """Let a picture be shown again and again: whoever draws on it must copy it."""
    picture.flags.writeable = False
    return picture


__all__ = ["black", "conform", "fitted_size", "lettered"]
