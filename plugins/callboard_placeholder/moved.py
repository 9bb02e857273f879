"""A single picture as a shot: conformed without stretching, and moved a little, as the brief's camera does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import numpy as np
from callboard_schemas import Movement
from msgspec import Struct
from PIL import Image

from callboard_placeholder.engine import Array, Order

_PUSH: Final = 0.08
"""Share by which a push or pull changes the size of the picture over the whole shot."""
_PAN: Final = 0.10
"""Share of the picture that lies outside the frame for a pan to go to."""
_SWAY: Final = 0.012
"""Share of the frame by which a hand that holds a camera sways."""
_HERTZ: Final = ((0.7, 1.0), (1.3, 0.5), (2.3, 0.2))
"""Swings a second and strength of what makes up the sway."""


class Window(Struct, frozen=True):
    """The part of the picture that is in the frame: its size as a share, and where its middle is, -1 to 1."""

    size: float
    x: float = 0.0
    y: float = 0.0


_PANS: Final[dict[str, tuple[int, int]]] = {
    "pan left": (-1, 0),
    "truck left": (-1, 0),
    "pan right": (1, 0),
    "truck right": (1, 0),
    "tilt up": (0, -1),
    "crane up": (0, -1),
    "tilt down": (0, 1),
    "crane down": (0, 1),
}
_PULLS: Final = ("dolly out", "zoom out")


def window(movement: Movement | None, at: float, seconds: float = 0.0, seed: int = 0) -> Window:
    """Say what is in the frame.

    Args:
        movement: The camera's; nothing is a slow push.
        at: How much of the shot is over, 0 to 1.
        seconds: The same in seconds, for a camera that is held in a hand.
        seed: For the same.
    """
    if movement == "static":
        return Window(1.0)
    if movement in _PANS:
        x, y = _PANS[movement]
        return Window(1.0 - _PAN, x * (2 * at - 1), y * (2 * at - 1))
    if movement in _PULLS:
        return Window(1.0 - _PUSH * (1.0 - at))
    if movement == "orbit":
        return Window(1.0 - _PAN + _PUSH * (0.5 - at) / 2, 2 * at - 1)
    if movement == "handheld":
        return Window(1.0 - 2 * _SWAY, *_sway(seconds, seed))
    return Window(1.0 - _PUSH * at)


def _sway(seconds: float, seed: int) -> tuple[float, float]:
    phases = np.random.default_rng(seed).uniform(0, 2 * math.pi, (2, len(_HERTZ)))
    most = sum(part for _, part in _HERTZ)

    def axis(turns: Array) -> float:
        pairs = zip(_HERTZ, turns.tolist(), strict=True)
        return sum(part * math.sin(2 * math.pi * swings * seconds + turn) for (swings, part), turn in pairs) / most

    return axis(phases[0]), axis(phases[1])


def moved(picture: Array, order: Order) -> Iterator[Array]:
    """Give the pictures of a shot that a camera takes of *picture*; between pixels it goes linearly.

    Args:
        picture: height x width x 3, uint8, of square pixels; what is too high or too wide is cut off evenly.
        order: How many, how large, and the movement.
    """
    whole = _fitted(picture, order.width, order.height, order.pixel_aspect)
    last = max(order.frames - 1, 1)
    for index in range(order.frames):
        seen = window(order.brief.movement, index / last, order.rate.seconds(index), order.seed)
        yield _sampled(whole, seen, order)


def conformed(picture: Array, width: int, height: int, pixel_aspect: Fraction = Fraction(1)) -> Array:
    """Give *picture* at another size: nothing is stretched, what is too high or too wide is cut off evenly.

    Args:
        picture: height x width x 3, uint8, of square pixels.
        width: Pixels as they are stored.
        height: The same.
        pixel_aspect: Width to height of a pixel of what comes out.
    """
    return np.asarray(_fitted(picture, width, height, pixel_aspect))


def _fitted(picture: Array, width: int, height: int, pixel_aspect: Fraction) -> Image.Image:
    rows, columns = picture.shape[:2]
    shape = float(width * pixel_aspect / height)
    wide, high = min(float(columns), rows * shape), min(float(rows), columns / shape)
    image = Image.fromarray(np.ascontiguousarray(picture))
    if (columns, rows) == (width, height) == (wide, high):
        return image
    left, top = (columns - wide) / 2, (rows - high) / 2
    return image.resize((width, height), Image.Resampling.LANCZOS, box=(left, top, left + wide, top + high))


def _sampled(whole: Image.Image, seen: Window, order: Order) -> Array:
    if seen == Window(1.0):
        return np.asarray(whole)
    width, height = order.width, order.height
    left = (1.0 - seen.size) / 2 * width * (1.0 + seen.x)
    top = (1.0 - seen.size) / 2 * height * (1.0 + seen.y)
    numbers = (seen.size, 0.0, left, 0.0, seen.size, top)
    return np.asarray(whole.transform((width, height), Image.Transform.AFFINE, numbers, Image.Resampling.BILINEAR))


__all__ = ["Window", "conformed", "moved", "window"]
