"""The burn-in: says over other pictures that this is a placeholder, for which shot, and its timecode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from msgspec import Struct
from PIL import Image

from callboard_placeholder.clock import timecode
from callboard_placeholder.engine import Array, Order
from callboard_placeholder.lettering import LEAST, Colour, Letters, Ticker, fit, letters_for

WORD: Final = "PLACEHOLDER"
_YELLOW: Final[Colour] = (255, 208, 0)
_WHITE: Final[Colour] = (255, 255, 255)
_KEEPS: Final = 80
"""Of 256, what is left of the picture below a plate: letters on white keep a contrast of 7:1."""
_SAFE: Final = 0.05
"""Of the width and height at each edge is outside the safe area for titles: SMPTE ST 2046-1."""
_LINE: Final = 1.3
"""Height of a line with its plate, of an em."""
_MOST_COVERED: Final = 0.4
"""Of the height that two lines may take; where they took more, the word stands alone."""


class Plate(Struct, frozen=True):
    """Where something is written over a picture, in stored pixels."""

    left: int
    top: int
    width: int
    height: int

    def write(self, picture: Array, cover: Array, colour: Colour) -> None:
        """Darken what is there, and lay letters over it.

        Args:
            picture: height x width x 3, uint8; changed on this plate and nowhere else.
            cover: Of the letters, as large as the plate, uint8.
            colour: Of the letters.
        """
        area = picture[self.top : self.top + self.height, self.left : self.left + self.width]
        dark = (area.astype(np.uint32) * _KEEPS) >> 8
        ink = cover[: area.shape[0], : area.shape[1], None].astype(np.uint32)
        area[...] = (dark * (255 - ink) + np.array(colour, np.uint32) * ink + 127) // 255


class Label:
    """The two plates of an order: what it is at the top, its timecode at the bottom."""

    def __init__(self, order: Order, engine: str) -> None:
        """Draw what stays the same.

        Args:
            order: With the parameters, of which ``font`` counts.
            engine: That made the pictures.
        """
        self._order = order
        letters = letters_for(order.parameters, order.brief)
        seen = max(round(order.width * order.pixel_aspect), 1)
        unit = seen / 11 if seen < order.height else min(seen / 16, order.height / 9)
        side, over = (max(round(length * _SAFE), 0) if unit >= 8 else 0 for length in (seen, order.height))
        across = order.width / seen
        cover = _lettered(letters, _said(letters, order, engine, seen - 2 * side, unit), unit, seen - 2 * side)
        self._cover = np.asarray(
            cover.resize((max(round(cover.width * across), 1), cover.height), Image.Resampling.BOX)
        )
        left = round(side * across)
        self.label = Plate(left, over, self._cover.shape[1], self._cover.shape[0])
        """Where it says what it is."""
        self._ticker = Ticker(letters, max(round(unit * 0.36), LEAST), order.pixel_aspect)
        line = self._ticker.line(timecode(order.rate, order.start + order.frames - 1))
        pad = max(self._ticker.height // 6, 1)
        self._pad = ((pad, pad), (max(round(pad * across), 1),) * 2)
        wide, high = line.shape[1] + sum(self._pad[1]), line.shape[0] + sum(self._pad[0])
        self.clock = Plate(left, order.height - over - high, min(wide, order.width - left), high)
        """Where its timecode is."""

    def write(self, picture: Array, index: int) -> None:
        """Write over frame *index* of the shot."""
        self.label.write(picture, self._cover, _YELLOW)
        line = self._ticker.line(timecode(self._order.rate, self._order.start + index))
        self.clock.write(picture, np.pad(line, self._pad), _WHITE)


def _said(letters: Letters, order: Order, engine: str, width: int, unit: float) -> tuple[str, ...]:
    """Choose how much is said: the word always, the shot's name and the engine where they find room."""
    size = max(_size(unit) * 2 // 3, LEAST)
    for text in (f"{WORD} - {order.shot} - {engine}", f"{WORD} - {order.shot}"):
        if letters.width(text, size, "bold") + size <= width:
            return (text,)
    if 2 * _LINE * size <= order.height * _MOST_COVERED:
        return (WORD, order.shot)
    return (WORD,)


def _size(unit: float) -> int:
    return max(round(unit * 0.36), LEAST)


def _lettered(letters: Letters, texts: tuple[str, ...], unit: float, width: int) -> Image.Image:
    """Draw the lines with their margins, as they are seen."""
    pad = max(round(_size(unit) * 0.35), 1)
    lines = [fit(letters, text, _size(unit), max(width - 2 * pad, 1), "bold") for text in texts]
    wide = max(letters.width(line.lines[0], line.size, "bold") for line in lines) + 2 * pad
    high = [round(line.size * _LINE) for line in lines]
    cover = Image.new("L", (min(wide, max(width, 1)), sum(high)))
    for index, line in enumerate(lines):
        baseline = sum(high[:index]) + round((high[index] + line.size * 0.66) / 2)
        letters.draw(cover, (pad, baseline), line.lines[0], line.size, 255, "bold")
    return cover


def over(pictures: Iterator[Array], order: Order, engine: str) -> Iterator[Array]:
    """Write over each picture that it is a placeholder; the pictures given are left as they are.

    Raises:
        JobError: the font that the project names cannot be read.
    """
    label = Label(order, engine)
    for index, picture in enumerate(pictures):
        written = picture.copy()
        label.write(written, index)
        yield written


__all__ = ["WORD", "Label", "Plate", "over"]
