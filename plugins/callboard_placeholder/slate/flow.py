"""The text of a slate between its head and its foot: as large as the room allows, and what finds none is told of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from callboard_schemas import Brief
from msgspec import Struct, structs
from PIL import Image

from callboard_placeholder.engine import Order
from callboard_placeholder.lettering import LEAST, Colour, Letters, Weight, cut, wrap
from callboard_placeholder.slate.words import Fact, facts, guessed

WHITE: Final = (238, 238, 238)
GREY: Final = (168, 168, 168)
AMBER: Final = (255, 184, 64)
"""Of what was guessed."""

_LINE: Final = 1.28
"""Pixels from one baseline to the next, of an em."""
_ABOVE: Final = 0.98
"""From the top of a line to its baseline: the ascent of most of the fonts."""
_GAP: Final = 0.45
"""Between two parts, of an em."""
_AIR: Final = 0.6
"""Behind a label, of an em."""
_READABLE: Final = LEAST + 1
"""Pixels of an em from which sentences are read without a mistake by text recognition; 8 were not."""


class Text(Struct, frozen=True):
    """A line somewhere in a part."""

    x: int
    line: int
    text: str
    colour: Colour
    weight: Weight = "regular"


class Part(Struct, frozen=True):
    """What stands or falls together when room is short."""

    texts: tuple[Text, ...]
    lines: int
    what: str = ""
    """Named when it finds no room."""
    cut: bool = False
    spaced: bool = True
    """With air above it."""


class Flow(Struct, frozen=True):
    """Parts set at one size."""

    parts: tuple[Part, ...]
    size: int
    height: int
    left_out: tuple[str, ...] = ()
    """What of the brief is not there, or not whole."""

    def draw(self, letters: Letters, picture: Image.Image, left: int, top: int) -> None:
        """Draw them below one another."""
        y = float(top)
        for index, part in enumerate(self.parts):
            y += _GAP * self.size if part.spaced and index else 0
            for one in part.texts:
                baseline = round(y + (one.line * _LINE + _ABOVE) * self.size)
                letters.draw(picture, (left + one.x, baseline), one.text, self.size, one.colour, one.weight)
            y += part.lines * _LINE * self.size


def flow(letters: Letters, order: Order, width: int, height: int, ideal: int) -> Flow:
    """Set what the brief says into *width* x *height* pixels.

    Args:
        letters: That measure.
        order: With the brief.
        width: Pixels.
        height: Pixels.
        ideal: Pixels of an em where room is plenty; smaller where that brings more in, down to what can be read.
    """
    low, high = max(_READABLE, round(ideal * 0.5)), max(ideal, _READABLE)
    best = _cut_to(_Setter(letters, high, width), order.brief, height)
    if not best.left_out or low >= high:
        return best
    best = _cut_to(_Setter(letters, low, width), order.brief, height)
    while not best.left_out and high - low > 1:
        size = (low + high) // 2
        made = _cut_to(_Setter(letters, size, width), order.brief, height)
        low, high, best = (low, size, best) if made.left_out else (size, high, made)
    return best


def _cut_to(setter: _Setter, brief: Brief, height: int) -> Flow:
    """Keep what finds room, in order; where a part does not, all behind it is left out, and a line says so."""
    size = setter.size
    kept: list[Part] = []
    left_out: list[str] = []
    used = 0.0
    for what, make in setter.parts(brief):
        if left_out:
            left_out.append(what)
            continue
        part = make()
        more = part.lines * _LINE * size + (_GAP * size if part.spaced and kept else 0)
        if used + more > height:
            left_out.append(what)
            continue
        kept.append(part)
        used += more
    if left_out and kept and used + _LINE * size <= height:
        kept.append(Part(texts=(Text(0, 0, "… more in the brief", GREY),), lines=1, spaced=False))
        used += _LINE * size
    short = [f"the end of {part.what}" for part in kept if part.cut]
    return Flow(tuple(kept), size, round(used), tuple(short + left_out))


class _Setter:
    """Sets the parts of a brief at one size; each only when it is asked for, since most briefs are cut somewhere."""

    def __init__(self, letters: Letters, size: int, width: int) -> None:
        self._letters, self.size, self._width = letters, size, width

    def parts(self, brief: Brief) -> Iterator[tuple[str, Callable[[], Part]]]:
        """Name the parts in order, each with what sets it."""
        if brief.purpose:
            what = "the purpose"
            yield what, partial(self._paragraph, what, *_marked(brief, "purpose", brief.purpose), most=4)
        known = facts(brief)
        speakers = [line.speaker.upper() for line in brief.dialogue]
        indent = self._indent([*(fact.label for fact in known), *speakers, "NOTES"])
        yield from self._grid(known, indent)
        for index, line in enumerate(brief.dialogue):
            what = f"line {index + 1} of the dialogue"
            said, colour = _marked(brief, "dialogue", f"“{line.text}”")
            label = line.speaker.upper()
            yield what, partial(self._labelled, what, label, said, colour, indent=indent, spaced=index == 0)
        if brief.notes:
            what = "the notes"
            yield what, partial(self._labelled, what, "NOTES", *_marked(brief, "notes", brief.notes), indent=indent)

    def _indent(self, names: list[str]) -> int:
        """Give the width of the widest name that is no wider than a quarter of the room."""
        wide = (self._letters.width(name, self.size, "bold") for name in dict.fromkeys(names))
        return max([one for one in wide if one * 4 < self._width], default=0)

    def _paragraph(self, what: str, said: str, colour: Colour, *, most: int = 6, spaced: bool = True) -> Part:
        done = wrap(self._letters, said, self.size, self._width, most)
        texts = tuple(Text(0, index, line, colour) for index, line in enumerate(done.lines))
        return Part(texts, len(done.lines), what, done.cut, spaced)

    def _labelled(
        self, what: str, label: str, said: str, colour: Colour, *, indent: int = 0, spaced: bool = True, width: int = 0
    ) -> Part:
        """Set a text behind its label, *indent* pixels from the left at least; below where that took a third."""
        if not label:
            return self._paragraph(what, said, colour, spaced=spaced)
        width = width or self._width
        head = cut(self._letters, label, self.size, width, "bold")
        indent = max(self._letters.width(head, self.size, "bold"), indent) + round(self.size * _AIR)
        below = indent * 3 > width
        done = wrap(self._letters, said, self.size, width if below else width - indent, 6)
        x, first = (0, 1) if below else (indent, 0)
        texts = [Text(x, first + index, line, colour) for index, line in enumerate(done.lines)]
        return Part((Text(0, 0, head, GREY, "bold"), *texts), first + len(done.lines), what, done.cut, spaced)

    def _grid(self, known: list[Fact], indent: int) -> Iterator[tuple[str, Callable[[], Part]]]:
        """Set facts in as many columns as are wide enough for them."""
        columns = 2 if self._width > 34 * self.size else 1
        gap = 2 * self.size if columns == 2 else 0
        wide = (self._width - gap) // columns
        for index in range(0, len(known), columns):
            row = known[index : index + columns]
            what = " and ".join(fact.label.lower() for fact in row)
            yield what, partial(self._row, what, row, wide, gap, indent, spaced=index == 0)

    def _row(self, what: str, row: list[Fact], wide: int, gap: int, indent: int, *, spaced: bool) -> Part:
        cells = [
            self._labelled(
                fact.label.lower(), fact.label, fact.said, AMBER if fact.guess else WHITE, indent=indent, width=wide
            )
            for fact in row
        ]
        texts = [
            structs.replace(text, x=text.x + number * (wide + gap))
            for number, cell in enumerate(cells)
            for text in cell.texts
        ]
        lines = max(cell.lines for cell in cells)
        return Part(tuple(texts), lines, what, any(cell.cut for cell in cells), spaced)


def _marked(brief: Brief, field: str, said: str) -> tuple[str, Colour]:
    """Give a text and its colour; one that was guessed says so."""
    guess = guessed(brief, field)
    return said + guess, AMBER if guess else WHITE


__all__ = ["AMBER", "GREY", "WHITE", "Flow", "flow"]
