"""The still part of a slate, drawn once at the shape in which it is seen, and where its moving parts go."""

from __future__ import annotations

from fractions import Fraction
from typing import Final, Literal

import numpy as np
from callboard_schemas import Brief, Neighbour
from msgspec import Struct, structs
from PIL import Image, ImageDraw

from callboard_placeholder.engine import Array, Order
from callboard_placeholder.lettering import LEAST, Letters, fit
from callboard_placeholder.slate import bars
from callboard_placeholder.slate.flow import GREY, WHITE, flow
from callboard_placeholder.slate.words import guessed, technical, version

Background = Literal["grey", "smpte bars", "ebu bars"]

YELLOW: Final = (255, 208, 0)
INK: Final = (20, 20, 20)
FIELD: Final = (52, 52, 52)
"""Grey of the background: neutral, and dark enough for white letters."""
PLATE: Final = (24, 24, 24)
"""Below letters that stand on bars, and of the foot."""


_TINY: Final = 16
"""Pixels of a unit, 256 x 144, below which the least legible letters take more than the foot has."""
_SAFE: Final = 0.05
"""Of the width and height at each edge is outside the safe area for titles: SMPTE ST 2046-1."""


class Box(Struct, frozen=True):
    """A part of the picture as it is seen, in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top


class Plan(Struct, frozen=True):
    """Where everything goes, in pixels of the picture as it is seen."""

    width: int
    height: int
    unit: float
    """A ninth of the height of a 16:9 picture that fits; more in tall ones."""
    band: Box
    """The yellow one, with the word."""
    name: Box
    text: Box
    strip: Box
    """The neighbours' colours."""
    foot: Box
    digits: int
    """Pixels of an em of the timecode."""

    tall: bool
    """Higher than wide."""

    @property
    def tiny(self) -> bool:
        """Nothing but the word, the name and the timecode find room."""
        return self.unit < _TINY


def seen_width(order: Order) -> int:
    """Give the pixels across of the picture as it is seen, its height unchanged."""
    return max(round(order.width * order.pixel_aspect), 1)


def plan(order: Order, background: Background) -> Plan:
    """Share the picture out."""
    width, height = seen_width(order), order.height
    tall = width < height
    unit = width / 11 if tall else min(width / 16, height / 9)
    if unit < _TINY:
        return _tiny(width, height, unit)
    side, over = (max(round(length * _SAFE), 1) for length in (width, height))
    inset = 0 if background == "grey" else round(height * 0.11)
    top = inset or over // 2
    band = Box(0, inset, width, top + round(unit * 0.65))
    low = height - max(inset, over)
    foot = Box(side, low - round(unit * (2.5 if tall else 1.4)), width - side, low)
    name = Box(side, band.bottom + round(unit * 0.1), width - side, band.bottom + round(unit * (1 if inset else 1.3)))
    strip = Box(side, foot.top - round(unit * (0.55 if _colours(order.brief) else 0.2)), width - side, foot.top)
    strip = structs.replace(strip, bottom=foot.top - round(unit * 0.2))
    text = Box(side, name.bottom + round(unit * 0.1), width - side, strip.top - round(unit * 0.12))
    return Plan(width, height, unit, band, name, text, strip, foot, round(unit * 0.62), tall)


def _tiny(width: int, height: int, unit: float) -> Plan:
    """Share out a picture with room for three lines: the word, the name and the timecode."""
    word = max(min(round(height * 0.2), width // 7), LEAST + 1)
    band = Box(0, 0, width, round(word * 1.2))
    digits = max(min(round(height * 0.18), width // 7), LEAST)
    foot = Box(1, height - digits - 2, width - 1, height)
    none = Box(1, foot.top, width - 1, foot.top)
    return Plan(width, height, unit, band, Box(1, band.bottom, width - 1, foot.top), none, none, foot, digits, False)


class Card(Struct, frozen=True):
    """A picture without its moving parts."""

    picture: Array
    """As it is stored."""
    left_out: tuple[str, ...]
    """What of the brief found no room."""


def card(order: Order, letters: Letters, background: Background, where: Plan) -> Card:
    """Draw everything that stays the same."""
    picture = _background(background, where)
    pen = ImageDraw.Draw(picture)
    if background != "grey":
        pen.rectangle((0, where.band.top, where.width - 1, where.foot.bottom + round(where.unit * 0.1)), fill=PLATE)
    _band(picture, order, letters, where)
    name = fit(letters, order.shot, round(where.name.height * 0.78), where.name.width, "bold")
    baseline = where.name.top + round((where.name.height + name.size * 0.66) / 2)
    x = where.name.left if not where.tiny else (where.width - letters.width(name.lines[0], name.size, "bold")) // 2
    letters.draw(picture, (x, baseline), name.lines[0], name.size, WHITE, "bold")
    left_out: tuple[str, ...] = ()
    if where.tiny:
        left_out = ("all but the shot's name and its timecode",) if _says(order.brief) else ()
    else:
        roomy = min(max(where.height * 16 / (where.width * 9), 1), 1.3)
        body = flow(letters, order, where.text.width, where.text.height, round(where.unit * 0.36 * roomy))
        body.draw(letters, picture, where.text.left, where.text.top)
        left_out = body.left_out
        _strip(picture, order.brief, letters, where.strip)
        _numbers(picture, order, letters, where)
    if name.cut:
        left_out = ("the end of the shot's name", *left_out)
    stored = picture.resize((order.width, order.height), Image.Resampling.LANCZOS) if _squeezed(order) else picture
    return Card(np.asarray(stored), left_out)


def _squeezed(order: Order) -> bool:
    return seen_width(order) != order.width


def _says(brief: Brief) -> bool:
    return brief != Brief()


def _background(background: Background, where: Plan) -> Image.Image:
    if background == "grey":
        return Image.new("RGB", (where.width, where.height), FIELD)
    if background == "ebu bars":
        return Image.fromarray(bars.ebu(where.width, where.height))
    return Image.fromarray(bars.smpte(where.width, where.height, Fraction(where.width, where.height)))


def _band(picture: Image.Image, order: Order, letters: Letters, where: Plan) -> None:
    """Draw the yellow band with the word, and behind it which version this is."""
    band = where.band
    ImageDraw.Draw(picture).rectangle((band.left, band.top, band.right - 1, band.bottom - 1), fill=YELLOW)
    margin = 1 if where.tiny else where.text.left
    room = band.right - 2 * margin
    largest = round(band.height / 1.2) if where.tiny else round(where.unit * 0.5)
    word = fit(letters, "PLACEHOLDER", max(largest, LEAST + 1), room, "bold")
    high = round(word.size * 1.3)
    baseline = band.bottom - (high - round(word.size * 0.66)) // 2
    wide = letters.width(word.lines[0], word.size, "bold")
    x = (where.width - wide) // 2 if where.tiny else margin
    letters.draw(picture, (x, baseline), word.lines[0], word.size, INK, "bold")
    size = max(round(word.size * 0.62), LEAST)
    said = version(order)
    left = band.right - margin - letters.width(said, size)
    if left > x + wide + word.size:
        letters.draw(picture, (left, baseline), said, size, INK, "regular")


def _colours(brief: Brief) -> bool:
    return bool(brief.palette or any(one.palette for one in brief.neighbours))


def _strip(picture: Image.Image, brief: Brief, letters: Letters, box: Box) -> None:
    """Draw the colours of the shot before, of this one and of the shot behind, side by side."""
    beside = {one.side: one for one in brief.neighbours if one.palette}
    parts = [
        _named(beside.get("before"), "before"),
        ("wanted" + guessed(brief, "palette"), brief.palette),
        _named(beside.get("after"), "after"),
    ]
    parts = [(name, palette) for name, palette in parts if palette]
    if not parts:
        return
    pen = ImageDraw.Draw(picture)
    size = max(round(box.height * 0.62), LEAST)
    gap = size
    wide = (box.width - gap * (len(parts) - 1)) // len(parts)
    for index, (name, palette) in enumerate(parts):
        left = box.left + index * (wide + gap)
        short = name if letters.width(name, size) * 2 <= wide else name.partition(" ")[0]
        label = fit(letters, short, size, wide // 2)
        end = letters.draw(
            picture, (left, box.top + round(box.height * 0.72)), label.lines[0], label.size, GREY, "regular"
        )
        first, shown = end + size // 2, palette[:6]
        each = (left + wide - first) / len(shown)
        for number, colour in enumerate(shown):
            edges = (round(first + number * each), box.top, round(first + (number + 1) * each) - 1, box.bottom - 1)
            if edges[2] >= edges[0]:
                pen.rectangle(edges, fill=colour)


def _named(one: Neighbour | None, side: str) -> tuple[str, tuple[str, ...]]:
    return (f"{side} {one.name}".strip(), one.palette) if one else (side, ())


def _numbers(picture: Image.Image, order: Order, letters: Letters, where: Plan) -> None:
    """Draw how long it is and how large, beside what moves; below it in tall pictures."""
    size = max(round(where.unit * 0.3), LEAST)
    left = where.foot.left if where.tall else where.foot.left + round(where.unit * 4.6)
    right = where.foot.right - (0 if where.tall else round(where.unit * 1.8))
    top = where.foot.top + round(where.unit * (1.6 if where.tall else 0.1))
    for index, line in enumerate(technical(order)):
        shown = fit(letters, line, size, right - left)
        baseline = top + round((index * 1.4 + 1) * size)
        letters.draw(picture, (left, baseline), shown.lines[0], shown.size, GREY, "regular")


__all__ = ["FIELD", "PLATE", "YELLOW", "Background", "Box", "Card", "Plan", "card", "plan", "seen_width"]
