"""The text of a slate between its head and its foot: as large as the room allows, and what finds none is told of."""

from __future__ import annotations

from typing import Final

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
    best = _cut_to(_parts(letters, order, width, high), high, height)
    if not best.left_out or low >= high:
        return best
    best = _cut_to(_parts(letters, order, width, low), low, height)
    while not best.left_out and high - low > 1:
        size = (low + high) // 2
        made = _cut_to(_parts(letters, order, width, size), size, height)
        low, high, best = (low, size, best) if made.left_out else (size, high, made)
    return best


def _cut_to(parts: list[Part], size: int, height: int) -> Flow:
    """Keep what finds room, in order; where a part does not, all behind it is left out, and a line says so."""
    kept: list[Part] = []
    left_out: list[str] = []
    used = 0.0
    for part in parts:
        more = part.lines * _LINE * size + (_GAP * size if part.spaced and kept else 0)
        if left_out or used + more > height:
            left_out.append(part.what)
            continue
        kept.append(part)
        used += more
    if left_out and kept and used + _LINE * size <= height:
        kept.append(Part(texts=(Text(0, 0, "… more in the brief", GREY),), lines=1, spaced=False))
        used += _LINE * size
    short = [f"the end of {part.what}" for part in kept if part.cut]
    return Flow(tuple(kept), size, round(used), tuple(dict.fromkeys(short + left_out)))


def _parts(letters: Letters, order: Order, width: int, size: int) -> list[Part]:
    brief = order.brief
    parts: list[Part] = []
    if brief.purpose:
        said = brief.purpose + guessed(brief, "purpose")
        colour = AMBER if "purpose" in brief.guesses else WHITE
        parts.append(_paragraph(letters, said, size, width, colour, "the purpose", most=4))
    parts += _grid(letters, facts(brief), size, width)
    names = [letters.width(line.speaker.upper(), size, "bold") for line in brief.dialogue]
    indent = max([wide for wide in names if wide * 4 < width], default=0)
    for index, line in enumerate(brief.dialogue):
        said = f"“{line.text}”" + (guessed(brief, "dialogue") if index == 0 else "")
        what = f"line {index + 1} of the dialogue"
        colour = AMBER if "dialogue" in brief.guesses else WHITE
        label = line.speaker.upper()
        parts.append(_labelled(letters, label, said, size, width, colour, what, indent=indent, spaced=index == 0))
    if brief.notes:
        said = brief.notes + guessed(brief, "notes")
        parts.append(_labelled(letters, "NOTES", said, size, width, WHITE, "the notes"))
    return parts


def _paragraph(letters: Letters, said: str, size: int, width: int, colour: Colour, what: str, most: int = 6) -> Part:
    done = wrap(letters, said, size, width, most)
    texts = tuple(Text(0, index, line, colour) for index, line in enumerate(done.lines))
    return Part(texts, len(done.lines), what, done.cut)


def _labelled(
    letters: Letters,
    label: str,
    said: str,
    size: int,
    width: int,
    colour: Colour,
    what: str,
    *,
    indent: int = 0,
    spaced: bool = True,
) -> Part:
    """Set a text behind its label, *indent* pixels from the left at least; below where that took a third."""
    if not label:
        return structs.replace(_paragraph(letters, said, size, width, colour, what), spaced=spaced)
    head = cut(letters, label, size, width, "bold")
    indent = max(letters.width(head, size, "bold"), indent) + round(size * _AIR)
    below = indent * 3 > width
    done = wrap(letters, said, size, width if below else width - indent, 6)
    x, first = (0, 1) if below else (indent, 0)
    texts = [Text(x, first + index, line, colour) for index, line in enumerate(done.lines)]
    return Part((Text(0, 0, head, GREY, "bold"), *texts), first + len(done.lines), what, done.cut, spaced)


def _grid(letters: Letters, known: list[Fact], size: int, width: int) -> list[Part]:
    """Set facts in as many columns as are wide enough for them."""
    columns = 2 if width > 34 * size else 1
    gap = 2 * size if columns == 2 else 0
    wide = (width - gap) // columns
    indent = max((letters.width(fact.label, size, "bold") for fact in known), default=0)
    cells = [
        _labelled(
            letters,
            fact.label,
            fact.said,
            size,
            wide,
            AMBER if fact.guess else WHITE,
            fact.label.lower(),
            indent=indent,
        )
        for fact in known
    ]
    rows: list[Part] = []
    for index in range(0, len(cells), columns):
        row = cells[index : index + columns]
        texts = [
            structs.replace(text, x=text.x + number * (wide + gap))
            for number, cell in enumerate(row)
            for text in cell.texts
        ]
        rows.append(
            Part(
                tuple(texts),
                max(cell.lines for cell in row),
                " and ".join(cell.what for cell in row),
                any(cell.cut for cell in row),
                spaced=index == 0,
            )
        )
    return rows


__all__ = ["AMBER", "GREY", "WHITE", "Flow", "flow"]
