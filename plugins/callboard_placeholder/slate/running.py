"""The moving parts of a slate: timecode, frame counter, and how much of the shot is left."""

from __future__ import annotations

import math

import numpy as np

from callboard_placeholder.clock import timecode
from callboard_placeholder.engine import Array, Order
from callboard_placeholder.lettering import LEAST, Colour, Letters, Ticker
from callboard_placeholder.slate.card import FIELD, PLATE, YELLOW, Background, Plan
from callboard_placeholder.slate.flow import GREY, WHITE

_DIM = (96, 88, 40)
"""What of the countdown is over."""
_HOLE = 0.36
"""Radius of the hole in the ring, of its diameter."""


class Running:
    """Draws what differs from picture to picture, straight into a picture as it is stored."""

    def __init__(self, order: Order, letters: Letters, where: Plan, background: Background) -> None:
        self._order, self._where = order, where
        self._across = order.width / where.width
        """Stored pixels for one that is seen."""
        self._plate: Colour = FIELD if background == "grey" else PLATE
        aspect = order.pixel_aspect
        self._code = Ticker(letters, where.digits, aspect)
        self._count = Ticker(letters, max(round(where.unit * 0.32), LEAST), aspect, "frame")
        self._left = Ticker(letters, max(round(where.unit * 0.42), LEAST), aspect)
        self._code_colours = _between(self._plate, WHITE)
        self._count_colours = _between(self._plate, GREY)
        self._digits = len(str(order.frames))
        if not where.tiny:
            self._disc = _Disc(round(where.unit * 1.3), self._across)

    def draw(self, picture: Array, index: int) -> None:
        """Draw the parts of frame *index* of the shot."""
        order, where = self._order, self._where
        now = timecode(order.rate, order.start + index)
        left, top = round(where.foot.left * self._across), where.foot.top
        if where.tiny:
            code = self._code.line(now)
            middle = max((picture.shape[1] - code.shape[1]) // 2, 0)
            _paste(picture, self._code_colours[code], middle, top)
            self._bar(picture, index)
            return
        _paste(picture, self._code_colours[self._code.line(now)], left, top)
        below = top + self._code.height + round(where.unit * 0.14)
        counted = f"frame {index + 1:{self._digits}d} / {order.frames}"
        _paste(picture, self._count_colours[self._count.line(counted)], left, below)
        self._sweep(picture, index)

    def _sweep(self, picture: Array, index: int) -> None:
        """Draw a ring that empties clockwise, and the seconds that are left in it."""
        right = round(self._where.foot.right * self._across)
        left, top = right - self._disc.width, self._where.foot.top
        share = (self._order.frames - index) / self._order.frames
        area = picture[top : top + self._disc.height, left:right]
        self._disc.draw(area, share)
        line = self._left.line(self._remaining(index))
        x, y = (area.shape[1] - line.shape[1]) // 2, (area.shape[0] - line.shape[0]) // 2
        if x >= 0 and y >= 0:
            part = area[y : y + line.shape[0], x : x + line.shape[1]]
            part[...] = self._code_colours[line]

    def _remaining(self, index: int) -> str:
        """Count down the seconds that are left, the one that runs included."""
        left = math.ceil((self._order.frames - index) / self._order.rate.fps)
        return str(left) if left < 100 else f"{left // 60}:{left % 60:02d}"

    def _bar(self, picture: Array, index: int) -> None:
        """Draw a line along the lower edge that grows shorter."""
        width = picture.shape[1]
        lit = math.ceil((self._order.frames - index) * width / self._order.frames)
        picture[-2:, :lit] = YELLOW
        picture[-2:, lit:] = _DIM


class _Disc:
    """A ring of which a part is lit, with soft edges."""

    def __init__(self, size: int, across: float) -> None:
        self.height, self.width = size, max(round(size * across), 1)
        y, x = np.mgrid[0 : self.height, 0 : self.width].astype(np.float64)
        x, y = (x + 0.5) / across - size / 2, y + 0.5 - size / 2
        radius = np.round(np.sqrt(x * x + y * y), 6)
        self._cover = np.clip(size / 2 - radius, 0, 1) * np.clip(radius - size * _HOLE, 0, 1)
        angle = np.mod(np.arctan2(x, -y), 2 * np.pi)  # clockwise from the top
        self._angle = np.round(angle, 6)  # processors differ in the last digits, and pictures shall not
        self._soft = np.maximum(radius, 1)

    def draw(self, area: Array, share: float) -> None:
        """Draw it with *share*, 0 to 1, of it lit: what is gone is gone clockwise from the top."""
        gone = round((1 - share) * 2 * math.pi, 6)
        lit = np.clip((self._angle - gone) * self._soft + 0.5, 0, 1) if share < 1 else np.ones_like(self._angle)
        for channel in range(3):
            colour = _DIM[channel] + (YELLOW[channel] - _DIM[channel]) * lit
            mixed = area[..., channel] * (1 - self._cover) + colour * self._cover
            area[..., channel] = np.floor(mixed + 0.5).astype(np.uint8)


def _between(dark: Colour, light: Colour) -> Array:
    """List the 256 colours from one to another."""
    steps = np.arange(256)[:, None] / 255
    return np.floor(np.array(dark) * (1 - steps) + np.array(light) * steps + 0.5).astype(np.uint8)


def _paste(picture: Array, tile: Array, left: int, top: int) -> None:
    area = picture[top : top + tile.shape[0], left : left + tile.shape[1]]
    area[...] = tile[: area.shape[0], : area.shape[1]]


__all__ = ["Running"]
