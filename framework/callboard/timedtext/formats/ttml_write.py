"""IMSC 1.1 text, written through ttconv, with speakers and roles added to what it writes.

Times are frame counts where the document has a rate and all its cues lie on frames: ``HH:MM:SS:FF`` on the media's
clock is not timecode at fractional rates, and most programs read it as if it were. Else they are clock times.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final
from xml.etree import ElementTree

from callboard_schemas import Cue

from callboard.errors import MissingExtra
from callboard.timedtext import plain
from callboard.timedtext.formats.reading import LANGUAGE
from callboard.timedtext.formats.srt import span, spoken
from callboard.timedtext.markup import Lines
from callboard.timedtext.rate import Rate

try:
    from ttconv import model
    from ttconv.imsc.attributes import TimeExpressionSyntaxEnum
    from ttconv.imsc.config import ContentProfilesSignaling, IMSCWriterConfiguration
    from ttconv.imsc.designators import IMSC_11_TEXT_PROFILE_DESIGNATOR
    from ttconv.imsc.writer import from_model
    from ttconv.style_properties import (
        CoordinateType,
        DisplayAlignType,
        ExtentType,
        FontStyleType,
        FontWeightType,
        LengthType,
        StyleProperties,
        TextAlignType,
        TextDecorationType,
    )
except ImportError as error:
    raise MissingExtra("writing TTML", error.name or "ttconv", "caption") from None

_TTML: Final = "{http://www.w3.org/ns/ttml}"
_META: Final = "{http://www.w3.org/ns/ttml#metadata}"
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
_NEAR: Final = 0.0005
"""Seconds from a frame within which a time lies on it: half of the millisecond that other formats count in."""
_ROWS: Final = (DisplayAlignType.after, DisplayAlignType.center, DisplayAlignType.before)
_COLUMNS: Final = (TextAlignType.start, TextAlignType.center, TextAlignType.end)


def ttml(cues: Sequence[Cue], language: str = "", title: str = "", rate: Rate | None = None) -> bytes:
    """Write IMSC 1.1 text; UTF-8.

    Args:
        cues: what to write.
        language: BCP 47, of the document.
        title: of the document.
        rate: what frames are counted by; nothing writes clock times.
    """
    shown = spoken(cues)
    rate = rate if rate is not None and rate.fps >= 1 else None  # ttp:frameRate is a whole number
    document = model.ContentDocument()
    document.set_lang(language if LANGUAGE.fullmatch(language) else "")
    document.set_content_profiles({IMSC_11_TEXT_PROFILE_DESIGNATOR})
    regions = {key: _region(document, key) for key in sorted({cue.align or 2 for cue, _ in shown})}
    body, div = model.Body(document), model.Div(document)
    framed = rate if rate is not None and all(_lies_on(rate, cue) for cue, _ in shown) else None
    for cue, lines in shown:
        div.push_child(_paragraph(document, cue, lines, regions[cue.align or 2], framed))
    body.push_child(div)
    document.set_body(body)
    counted = TimeExpressionSyntaxEnum.frames if framed else TimeExpressionSyntaxEnum.clock_time
    tree = from_model(
        document,
        IMSCWriterConfiguration(
            time_format=counted,
            fps=rate.fps if rate else None,
            profile_signaling=ContentProfilesSignaling.CONTENT_PROFILES,
        ),
    )
    root: Any = tree.getroot()
    _describe(root, [cue for cue, _ in shown], plain.one_line(title))
    _indent(root)
    ElementTree.register_namespace("ttm", _META[1:-1])
    text: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _lies_on(rate: Rate, cue: Cue) -> bool:
    frames = rate.frame_at(cue.start), rate.frame_at(cue.end)
    near = all(
        abs(rate.seconds(frame) - time) <= _NEAR for frame, time in zip(frames, (cue.start, cue.end), strict=True)
    )
    return near and frames[0] < frames[1]


def _region(document: Any, key: int) -> Any:
    """Make one of nine regions, each the middle 80 % of the picture, which all broadcasters call safe."""
    region = model.Region(f"r{key}", document)

    def share(value: float) -> Any:
        return LengthType(value, LengthType.Units.pct)

    region.set_style(StyleProperties.Origin, CoordinateType(x=share(10), y=share(10)))
    region.set_style(StyleProperties.Extent, ExtentType(width=share(80), height=share(80)))
    region.set_style(StyleProperties.DisplayAlign, _ROWS[(key - 1) // 3])
    region.set_style(StyleProperties.TextAlign, _COLUMNS[(key - 1) % 3])
    document.put_region(region)
    return region


def _paragraph(document: Any, cue: Cue, lines: Lines, region: Any, rate: Rate | None) -> Any:
    made = model.P(document)
    if rate is None:
        start, end = (Fraction(time, 1000) for time in span(cue))
    else:
        start, end = (Fraction(rate.frame_at(time)) / rate.fps for time in (cue.start, cue.end))
    made.set_begin(start)
    made.set_end(end)
    made.set_region(region)
    if any("  " in run.text for line in lines for run in line):
        made.set_space(model.WhiteSpaceHandling.PRESERVE)
    for number, line in enumerate(lines):
        if number:
            made.push_child(model.Br(document))
        for run in line:
            made.push_child(_span(document, run.text, run.style, made))
    return made


def _span(document: Any, text: str, letters: str, parent: Any) -> Any:
    made = model.Span(document)
    made.set_space(parent.get_space())
    if "i" in letters:
        made.set_style(StyleProperties.FontStyle, FontStyleType.italic)
    if "b" in letters:
        made.set_style(StyleProperties.FontWeight, FontWeightType.bold)
    if "u" in letters:
        made.set_style(StyleProperties.TextDecoration, TextDecorationType(underline=True))
    made.push_child(model.Text(document, text))
    return made


def _describe(root: Any, cues: Sequence[Cue], title: str) -> None:
    """Add what ttconv's model has no place for: the title, who speaks, and what describes a sound."""
    head = root.find(f"{_TTML}head")
    if head is None:
        head = ElementTree.Element(f"{_TTML}head")
        root.insert(0, head)
    ids: dict[str, str] = {}
    for cue, node in zip(cues, root.iter(f"{_TTML}p"), strict=True):
        speaker = plain.one_line(cue.speaker or "")
        if speaker:
            node.set(f"{_META}agent", ids.setdefault(speaker, f"speaker{len(ids) + 1}"))
        if cue.kind == "sound":
            node.set(f"{_META}role", "sound")
        if cue.language:
            node.set(f"{_XML}lang", cue.language)
    if not ids and not title:
        return
    metadata = ElementTree.Element(f"{_TTML}metadata")
    head.insert(0, metadata)
    if title:
        ElementTree.SubElement(metadata, f"{_META}title").text = title
    for name, key in ids.items():
        agent = ElementTree.SubElement(metadata, f"{_META}agent", {f"{_XML}id": key, "type": "person"})
        ElementTree.SubElement(agent, f"{_META}name", {"type": "full"}).text = name


def _indent(root: Any) -> None:
    """Put each paragraph on its own line; white space outside of paragraphs means nothing."""
    for node in root.iter():
        if node.tag in {_TTML + name for name in ("tt", "head", "body", "div", "layout", "styling", "metadata")}:
            node.text = (node.text or "") + "\n"
            for child in node:
                child.tail = "\n"


__all__ = ["ttml"]
