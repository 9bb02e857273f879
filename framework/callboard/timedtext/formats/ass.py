r"""Advanced SubStation Alpha, read and written through pysubs2.

It has no escapes. Braces are written ``\{`` and ``\}``, as ffmpeg does and libass shows them, and a word joiner goes
behind a backslash that would begin a code.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Final

from callboard_schemas import Cue

from callboard.errors import MissingExtra, SubtitleError
from callboard.timedtext import plain
from callboard.timedtext.formats.decoding import lines_of
from callboard.timedtext.formats.joiner import JOINER
from callboard.timedtext.formats.reading import LANGUAGE, Raw, Reading
from callboard.timedtext.formats.srt import span, spoken
from callboard.timedtext.markup import Run, style, tagged, tidy

try:
    import pysubs2
    from pysubs2.formats.substation import EVENT_FORMAT_LINE, STYLE_FORMAT_LINE
except ImportError as error:
    raise MissingExtra("reading and writing ASS", error.name or "pysubs2", "caption") from None

_EVENT: Final = re.compile(r"\s*(Dialogue|Comment)\s*:(.*)")
_TIME: Final = re.compile(r"\s*\d{1,4}:\d{1,2}:\d{1,2}[.:,]\d{1,3}\s*")
_FAULTS: Final = (ValueError, TypeError, IndexError, KeyError)
"""What pysubs2 raises where a field is not what it should be."""
_OVERRIDE: Final = re.compile(r"\{([^}]*)\}")
_KEY: Final = re.compile(r"\\an([1-9])")
_OLD: Final = re.compile(r"\\a(1[01]|[1-79])(?!\d)")
_OLD_KEYS: Final = {1: 1, 2: 2, 3: 3, 5: 7, 6: 8, 7: 9, 9: 4, 10: 5, 11: 6}
_CODE: Final = re.compile(
    r"\\(?P<letter>[ibu])(?P<on>\d{0,4})(?![a-z])|\\r(?P<style>[^\\}]*)|\\p(?P<drawing>\d{1,2})(?!\d)"
)
_KEPT: Final = re.compile(r"\\an?\d+|\\[ibu]\d*|\\r[^\\}]*")
_HELD: Final = {r"\{": "\ufdd0", r"\}": "\ufdd1"}
"""Code points that are no characters stand for escaped braces while pysubs2 looks for blocks in braces."""
_COMMA: Final = "\uff0c"
"""A full-width comma stands for a comma in names, because commas part the columns."""
_LAST: Final = 36_000_000 - 10
"""Milliseconds: pysubs2 writes one digit of hours, as the format says."""


def read_ass(text: str, reading: Reading) -> None:
    """Read ASS or SSA into *reading*.

    Raises:
        SubtitleError: an event cannot be read; the error names its line.
        MissingExtra: pysubs2 is not installed.
    """
    lines = lines_of(text, reading)
    kind = "ssa" if re.search(r"^\s*\[V4 Styles\]", text, re.MULTILINE | re.IGNORECASE) else "ass"
    if not any(line.strip().lower().startswith(("[events]", "[script info]")) for line in lines):
        raise reading.refuse(1, "holds no [Events], so it is no SubStation file")
    numbers = list(_events(lines, kind, reading))
    joined = "\n".join(lines).replace("\t", " ")
    for written, held in _HELD.items():
        joined = joined.replace(held, "\ufffd").replace(written, held)
    found = _parsed(joined, kind, reading)
    reading.language = _info(found, "Language") if LANGUAGE.fullmatch(_info(found, "Language")) else ""
    title = plain.one_line(_info(found, "Title"))
    reading.title = "" if title == "Default Aegisub file" else title
    if len(found.events) != len(numbers):
        raise reading.refuse(0, "events that pysubs2 does not find")
    for number, event in zip(numbers, found.events, strict=True):
        _add(event, number, found, reading)


def _parsed(text: str, kind: str, reading: Reading) -> Any:
    """Have pysubs2 read a script; a style that it does not take is refused by its line."""
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = pysubs2.SSAFile.from_string(text, format_=kind)
    except _FAULTS as error:
        raise reading.refuse(_bad_style(text, kind), f"cannot be read as SubStation: {error}") from None
    for words in dict.fromkeys(str(one.message) for one in said):
        reading.note(0, f"pysubs2 says: {words}")
    return found


def _bad_style(text: str, kind: str) -> int:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip().startswith("Style:"):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    pysubs2.SSAFile.from_string(line + "\n", format_=kind)
            except _FAULTS:
                return number
    return 0


def _info(found: Any, name: str) -> str:
    return str(found.info.get(name, "")).strip()


def _events(lines: Sequence[str], kind: str, reading: Reading) -> Iterator[int]:
    """Give the lines of the events, and refuse what pysubs2 would take wrongly."""
    section = ""
    for number, line in enumerate(lines, start=1):
        heading = line.strip().lower()
        if re.fullmatch(r"\[[a-z0-9+ ]+\]", heading):
            section = heading
            if heading in ("[fonts]", "[graphics]"):
                reading.note(number, f"{line.strip()}: left out")
        elif heading.startswith("format:") and (section == "[events]" or section.startswith("[v4")):
            standard = (EVENT_FORMAT_LINE if section == "[events]" else STYLE_FORMAT_LINE)[kind]
            if heading.replace(" ", "") != standard.lower().replace(" ", ""):
                raise reading.refuse(number, "its columns are in another order than the format says")
        elif (found := _EVENT.match(line)) is not None and section not in ("[fonts]", "[graphics]"):
            fields = found[2].split(",", 9)
            if len(fields) < 10 or not _TIME.fullmatch(fields[1]) or not _TIME.fullmatch(fields[2]):
                raise reading.refuse(number, "an event without ten columns, or without times in the second and third")
            yield number
        elif section == "[events]" and heading and not heading.startswith((";", "!:")):
            raise reading.refuse(number, f"no event: {line.strip()[:60]!r}")


def _add(event: Any, number: int, found: Any, reading: Reading) -> None:
    if event.is_comment:
        reading.note(number, "a comment: left out")
        return
    own = found.styles.get(event.style) or found.styles.get("Default") or pysubs2.SSAStyle()
    head, brace, tail = event.text.rpartition("}")
    text = head + brace + tail.replace("{", _HELD[r"\{"])  # a brace that nothing closes is text
    runs = _runs(text, own, found.styles, number, reading)
    overrides = "".join(_OVERRIDE.findall(text))
    rest = _KEPT.sub("", overrides)
    if rest:
        reading.note(number, f"{rest[:60]!r}: left out")
    align = int(own.alignment)
    if key := _KEY.search(overrides):
        align = int(key[1])
    elif old := _OLD.search(overrides):
        align = _OLD_KEYS[int(old[1])]
    reading.add(
        Raw(
            line=number,
            start=event.start / 1000,
            end=event.end / 1000,
            lines=tidy(runs),
            speaker=plain.one_line(event.name).replace(_COMMA, ","),
            align=align,
        )
    )


def _runs(text: str, own: Any, styles: Any, number: int, reading: Reading) -> list[Run]:
    """Part a text by its blocks of codes; pysubs2 can too, in time that grows with the square of the blocks."""
    found: list[Run] = []
    look, drawing = _looks(own), False
    for index, piece in enumerate(_OVERRIDE.split(text)):
        if index % 2 == 0:
            if drawing and piece.strip():
                reading.note(number, "a drawing: left out")
            elif not drawing:
                found.append(Run(_plain(piece), style(look)))
            continue
        for code in _CODE.finditer(piece):
            if code["style"] is not None:
                look = _looks(styles.get(code["style"].strip(), own))
            elif code["drawing"] is not None:
                drawing = int(code["drawing"]) > 0
            elif code["on"] == "":
                look = (look - {code["letter"]}) | (_looks(own) & {code["letter"]})
            else:
                look = look | {code["letter"]} if int(code["on"]) else look - {code["letter"]}
    return found


def _looks(own: Any) -> frozenset[str]:
    return frozenset(k for k, on in (("b", own.bold), ("i", own.italic), ("u", own.underline)) if on)


def _plain(fragment: str) -> str:
    text = re.sub(r"\\[Nn]", "\n", fragment).replace(r"\h", "\xa0").replace("\\" + JOINER, "\\")
    for written, held in _HELD.items():
        text = text.replace(held, written[1])
    return text


def ass(cues: Sequence[Cue], language: str = "", title: str = "") -> bytes:
    """Write ASS; UTF-8. Times are rounded to hundredths of a second, which still name the frame up to 60 a second.

    Raises:
        SubtitleError: a cue lies past ten hours, which the format cannot say.
    """
    made = pysubs2.SSAFile()
    made.info["Title"] = plain.one_line(title)
    made.info |= {"PlayResX": "1920", "PlayResY": "1080", "WrapStyle": "0", "ScaledBorderAndShadow": "yes"}
    if language:
        made.info["Language"] = language
    if not title:
        del made.info["Title"]
    # 54 pixels of 1080 are the size at which 42 characters fill four fifths of the width.
    made.styles["Default"] = pysubs2.SSAStyle(
        fontname="Arial", fontsize=54.0, outline=3.0, marginl=96, marginr=96, marginv=54
    )
    for cue, lines in spoken(cues):
        start, end = span(cue)
        if end > _LAST:
            raise SubtitleError("ASS", f"cue {cue.id} lies past ten hours, which ASS cannot say")
        text = r"\N".join(tagged(lines, _escaped, lambda letter, opens: rf"{{\{letter}{int(opens)}}}"))
        where = rf"{{\an{cue.align}}}" if cue.align not in (None, 2) else ""
        begin = round(start, -1)
        event = pysubs2.SSAEvent(start=begin, end=max(round(end, -1), begin + 10), text=where + text)
        event.name = plain.one_line(cue.speaker or "").replace(",", _COMMA)
        made.events.append(event)
    return made.to_string("ass", header_notice="").encode("utf-8")


def _escaped(text: str) -> str:
    text = re.sub(r"\\(?=[Nnh{}])|\\$", lambda found: found[0] + JOINER, text)
    return text.replace("{", r"\{").replace("}", r"\}")


__all__ = ["ass", "read_ass"]
