"""ttconv's model of a document to cues: nested times, inherited styles, regions as number pad positions."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, Final, NamedTuple

from callboard.errors import MissingExtra
from callboard.timedtext.formats.position import numpad
from callboard.timedtext.formats.reading import Raw, Reading
from callboard.timedtext.markup import Run, style, tidy

try:
    from ttconv import model
    from ttconv.style_properties import (
        DisplayAlignType,
        FontStyleType,
        FontWeightType,
        LengthType,
        StyleProperties,
        TextAlignType,
    )
except ImportError as error:
    raise MissingExtra("reading and writing TTML and STL", error.name or "ttconv", "caption") from None

_SPACES: Final = re.compile(r"[\t\r\n ]+")
FAR: Final = Fraction(10**9)
"""Seconds: an end from which on there is none."""
_OPEN_END: Final = 5
"""Seconds that a last cue stays where nothing says when it goes."""


class Paragraph(NamedTuple):
    """What is known of a paragraph beside its text and times."""

    line: int
    speaker: str = ""
    sound: bool = False
    has_text: bool = True
    language: str = ""
    empty: bool = False
    """Whether it ends as it starts."""


class _Leaf(NamedTuple):
    begin: Fraction
    end: Fraction | None
    run: Run


class _Heard(logging.Handler):
    """Takes what ttconv says in this thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.thread = threading.get_ident()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        if record.thread == self.thread:
            self.said.append(record.getMessage())


@contextmanager
def attend(reading: Reading) -> Iterator[None]:
    """Note whatever ttconv has to say: it logs what it does not understand and goes on."""
    logger, heard = logging.getLogger("ttconv"), _Heard()
    logger.addHandler(heard)
    try:
        yield
    finally:
        logger.removeHandler(heard)
    for said in dict.fromkeys(heard.said):
        if "xml:lang" not in said:
            reading.note(0, f"ttconv says: {said[:200]}")


def paragraphs(tree: Any, named: Mapping[str, Paragraph], reading: Reading, attending: Any) -> Iterator[Raw]:
    """Read an IMSC tree.

    Args:
        tree: of the standard library's ElementTree; every paragraph has a name.
        named: what is known of each paragraph, by name.
        reading: takes notes.
        attending: what to read in, see ``attend``.

    Raises:
        SubtitleError: ttconv did not take a paragraph.
    """
    from ttconv.imsc.reader import to_model

    with attending:
        try:
            made: Any = to_model(tree)
        except (
            ValueError,
            TypeError,
            AttributeError,
            LookupError,
            ArithmeticError,
            RuntimeError,
            AssertionError,
        ) as error:
            raise reading.refuse(0, f"cannot be read as TTML: {type(error).__name__}: {error}") from None
    found: dict[str, Any] = {}
    if made is not None and made.get_body() is not None:
        found = {node.get_lang(): node for node in made.get_body().dfs_iterator() if isinstance(node, model.P)}
    for name, about in named.items():
        if name in found:
            yield from cues_of(found[name], about, reading)
        elif about.has_text:
            raise reading.refuse(about.line, "a paragraph that cannot be read, or stands where none may")


def cues_of(node: Any, about: Paragraph, reading: Reading) -> Iterator[Raw]:
    """Give the cues of one paragraph: one, or one for each time that its text changes."""
    begin, end = _span(node)
    end = None if end is not None and end >= FAR else end
    leaves = list(_leaves(node, begin, end, about, reading))
    if not leaves:
        reading.note(about.line, "a cue without text: left out")
        return
    edges = sorted({leaf.begin for leaf in leaves} | {leaf.end for leaf in leaves if leaf.end is not None})
    last = None if any(leaf.end is None for leaf in leaves) else edges.pop()
    slabs: list[tuple[Fraction, Fraction | None, list[Run]]] = []
    for index, edge in enumerate(edges):
        until = edges[index + 1] if index + 1 < len(edges) else last
        shown = [leaf.run for leaf in leaves if leaf.begin <= edge and (leaf.end is None or leaf.end > edge)]
        if slabs and slabs[-1][2] == shown and slabs[-1][1] == edge:
            slabs[-1] = (slabs[-1][0], until, shown)
        elif any(run.text.strip() for run in shown):
            slabs.append((edge, until, shown))
    if not edges and last is not None:
        slabs.append((last, last, [leaf.run for leaf in leaves]))
    if len(slabs) > 1:
        reading.note(about.line, f"words with times of their own: read as {len(slabs)} cues")
    for start, stop, shown in slabs[:1] if about.empty else slabs:
        if about.empty:
            stop = start
        elif stop is None:
            reading.note(about.line, f"a cue without an end: read as {_OPEN_END} s long")
        yield Raw(
            line=about.line,
            start=float(start),
            end=float(start + _OPEN_END if stop is None else stop),
            lines=tidy(shown),
            speaker=about.speaker,
            sound=about.sound,
            align=_align(node),
            language=about.language,
        )


def _span(node: Any) -> tuple[Fraction, Fraction | None]:
    """Absolute begin and end; times count from the parent's begin and end with the parent."""
    line = [node]
    while line[-1].parent() is not None:
        line.append(line[-1].parent())
    begin, end = Fraction(0), None
    for one in reversed(line):
        begin, end = _inside(one, begin, end)
    return begin, end


def _inside(node: Any, begin: Fraction, end: Fraction | None) -> tuple[Fraction, Fraction | None]:
    own = None if node.get_end() is None or node.get_end() >= FAR else begin + node.get_end()
    ends = [time for time in (end, own) if time is not None]
    return begin + (node.get_begin() or 0), min(ends) if ends else None


def _leaves(node: Any, begin: Fraction, end: Fraction | None, about: Paragraph, reading: Reading) -> Iterator[_Leaf]:
    for child in node:
        if isinstance(child, model.Text):
            preserved = node.get_space() is model.WhiteSpaceHandling.PRESERVE
            text = child.get_text() if preserved else _SPACES.sub(" ", child.get_text())
            yield _Leaf(begin, end, Run(text, _style(node)))
        elif isinstance(child, model.Br):
            yield _Leaf(begin, end, Run("\n"))
        elif isinstance(child, model.Rp):
            continue
        else:
            note = isinstance(child, model.Rt)
            inner = list(_leaves(child, *_inside(child, begin, end), about, reading))
            if note and inner:
                reading.note(about.line, "ruby: read in round brackets behind its base")
                yield inner[0]._replace(run=Run("("))
            yield from inner
            if note and inner:
                yield inner[-1]._replace(run=Run(")"))


def _inherited(node: Any, wanted: Any) -> Any:
    region = None
    at = node
    while at is not None:
        if at.get_style(wanted) is not None:
            return at.get_style(wanted)
        region = at.get_region() if region is None else region  # a region is falsy: it has no children
        at = at.parent()
    if region is not None and region.get_style(wanted) is not None:
        return region.get_style(wanted)
    return node.get_doc().get_initial_value(wanted)


def _style(node: Any) -> str:
    letters = []
    if _inherited(node, StyleProperties.FontStyle) in (FontStyleType.italic, FontStyleType.oblique):
        letters.append("i")
    if _inherited(node, StyleProperties.FontWeight) is FontWeightType.bold:
        letters.append("b")
    decoration = _inherited(node, StyleProperties.TextDecoration)
    if decoration is not None and decoration.underline is True:
        letters.append("u")
    return style(letters)


def _align(node: Any) -> int | None:
    text = _inherited(node, StyleProperties.TextAlign)
    column = {TextAlignType.end: 2, TextAlignType.center: 1}.get(text, 1 if text is None else 0)
    region, at = None, node
    while at is not None and region is None:
        region, at = at.get_region(), at.parent()
    if region is None:
        return None if column == 1 else numpad(column, 0)
    row = _row(region)
    align = numpad(column, row)
    return None if align == 2 else align


def _row(region: Any) -> int:
    """Rows from below, 0 to 2: where the region holds its text."""
    document = region.get_doc()
    extent, origin = region.get_style(StyleProperties.Extent), region.get_style(StyleProperties.Origin)
    place = region.get_style(StyleProperties.Position)
    height = _share(extent.height, document) if extent is not None else 1.0
    top = _share(origin.y, document) if origin is not None else 0.0
    if place is not None:
        offset = _share(place.v_offset, document)
        from_top = offset * (1 - height) if place.v_offset.units is LengthType.Units.pct else offset
        top = 1 - height - from_top if str(place.v_edge).endswith("bottom") else from_top
    held = region.get_style(StyleProperties.DisplayAlign)
    if held is DisplayAlignType.after:
        at = top + height
    elif held is DisplayAlignType.center:
        at = top + height / 2
    else:
        at = top
    return 2 if at < 1 / 3 else 0 if at > 2 / 3 else 1


def _share(length: Any, document: Any) -> float:
    """A vertical length as a share of the picture."""
    pixels, cells = document.get_px_resolution(), document.get_cell_resolution()
    units = LengthType.Units
    per: dict[Any, Callable[[], float]] = {
        units.px: lambda: pixels.height if pixels else 1080,
        units.c: lambda: cells.rows,
        units.em: lambda: cells.rows,
    }
    return float(length.value) / per.get(length.units, lambda: 100)()


__all__ = ["Paragraph", "attend", "cues_of", "paragraphs"]
