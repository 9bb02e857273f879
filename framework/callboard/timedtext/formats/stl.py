"""EBU STL (Tech 3264-E): a header of 1024 bytes and blocks of 128. No maintained library writes it: it is read only.

ttconv decodes its character set, ISO 6937, which Python does not know. The blocks are read here: ttconv 1.2.3 leaves
out subtitles with impossible times, counts comments as subtitles, and puts a space for every change of italics.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from callboard.errors import MissingExtra
from callboard.timedtext import plain
from callboard.timedtext.formats.decoding import check_size
from callboard.timedtext.formats.position import numpad
from callboard.timedtext.formats.reading import Raw, Reading
from callboard.timedtext.markup import Run, style, tidy
from callboard.timedtext.rate import Rate

try:
    from ttconv.stl import iso6937
except ImportError as error:
    raise MissingExtra("reading EBU STL", error.name or "ttconv", "caption") from None

_HEADER: Final = 1024
_BLOCK: Final = 128
_RATES: Final = {
    b"STL23.01": Rate(24000, 1001),
    b"STL24.01": Rate(24),
    b"STL25.01": Rate(25),
    b"STL30.01": Rate(30000, 1001),
    b"STL50.01": Rate(50),
}
"""Disk format codes; 25 and 30 are the standard's, the others are in use."""
_USER_DATA: Final = range(0xF0, 0xFF)
_LAST_BLOCK: Final = 0xFF
_ALONE, _FIRST, _LAST = 0, 1, 3
"""Cumulative status: a subtitle that adds lines to what is shown comes in a set, from the first to the last."""
_CODEPAGES: Final = {b"01": "iso8859_5", b"02": "iso8859_6", b"03": "iso8859_7", b"04": "iso8859_8"}
_NAMED: Final = (
    "sq br ca hr cy cs da de en es eo et eu fo fr fy ga gd gl is it se la lv lb lt hu mt nl no oc pl pt ro rm sr sk sl"
    " fi sv tr nl wa"
)
_LANGUAGES: Final = dict(enumerate(_NAMED.split(), start=1))
"""Language codes of Europe, Tech 3264-E appendix 3."""
_ROWS: Final = 23
"""Rows of teletext."""


class _Block(NamedTuple):
    number: int
    """Of the subtitle."""
    extension: int
    cumulative: int
    begin: str
    end: str
    row: int
    column: int
    comment: bool
    text: bytes


def read_stl(data: bytes, reading: Reading) -> None:
    """Read EBU STL into *reading*.

    Raises:
        SubtitleError: it is damaged, or a subtitle has no possible times; the error names the subtitle.
        MissingExtra: ttconv is not installed.
    """
    check_size(data, reading)
    rate = _RATES.get(data[3:11])
    if rate is None or len(data) < _HEADER:
        raise reading.refuse(0, "is no EBU STL file: its header names no frame rate")
    if (len(data) - _HEADER) % _BLOCK:
        reading.note(0, "ends in the middle of a subtitle: the broken one is left out")
    blocks = [block for block in _blocks(data) if _wanted(block, reading)]
    rate = _counted(rate, blocks, reading)
    if reading.rate is not None and reading.rate.fps != rate.fps:
        reading.note(0, f"counts {rate} frames a second, not {reading.rate} as told: read as it says")
    reading.rate = rate
    reading.title = plain.one_line(data[16:48].decode("cp437", "replace"))
    reading.language = _language(data[14:16])
    offset = _start(data, rate, blocks, reading)
    rows = int(data[253:255]) if data[253:255].isdigit() and data[11:12] not in b"12" else _ROWS
    shown: list[Raw] = []
    for block in blocks:
        raw = _raw(block, rate, offset, data[12:14], rows or _ROWS, reading)
        if block.cumulative in (_ALONE, _FIRST):
            _show(shown, reading)
            shown = []
        shown.append(raw)
    _show(shown, reading)


def _language(code: bytes) -> str:
    try:
        return _LANGUAGES.get(int(code, 16), "")
    except ValueError:
        return ""


def _blocks(data: bytes) -> Iterator[_Block]:
    """Give the subtitles; the texts of blocks that extend one are joined."""
    held = b""
    for at in range(_HEADER, len(data) - _BLOCK + 1, _BLOCK):
        block = data[at : at + _BLOCK]
        _, number, extension, cumulative, *times, row, column, comment = struct.unpack("<BHBB4B4BBBB", block[:16])
        if extension in _USER_DATA:
            continue
        held += block[16:].rstrip(b"\x8f")
        if extension == _LAST_BLOCK:
            begin, end = ("{:02d}:{:02d}:{:02d}:{:02d}".format(*four) for four in (times[:4], times[4:8]))
            yield _Block(number, extension, cumulative, begin, end, row, column, comment == 1, held)
            held = b""


def _raw(block: _Block, rate: Rate, offset: int, codepage: bytes, rows: int, reading: Reading) -> Raw:
    begin = _frame(block, block.begin, rate, reading) - offset
    end = _frame(block, block.end, rate, reading) - offset
    if end <= begin:
        raise reading.refuse(block.number, f"subtitle {block.number} ends before it starts")
    lines = tidy(_runs(block, codepage, reading))
    height = len(lines) * (2 if b"\x0d" in block.text else 1)
    row = 2 if block.row * 3 < rows else 0 if (block.row + height) * 3 > rows * 2 else 1
    align = numpad(block.column - 1 if block.column in (1, 2, 3) else 1, row if block.row else 0)
    return Raw(line=block.number, start=rate.seconds(begin), end=rate.seconds(end), lines=lines, align=align)


def _runs(block: _Block, codepage: bytes, reading: Reading) -> list[Run]:
    """Read a text field: control codes of teletext stand where a space is, those of open subtitles take no room."""
    found: list[Run] = []
    letters: set[str] = set()
    for piece in re.split(rb"([\x00-\x1f]+|[\x80-\x9f])", block.text):
        code = piece[0] if piece else 0xFF
        if code < 0x20:
            found.append(Run(" ", style(letters)))
        elif code == 0x8A:
            found.append(Run("\n"))
        elif code in (0x80, 0x81, 0x82, 0x83):
            letter = "i" if code < 0x82 else "u"
            letters = letters - {letter} if code % 2 else letters | {letter}
        elif 0x80 <= code <= 0x9F:
            continue
        elif piece:
            text = _decoded(piece, codepage)
            if "\ufffd" in text:
                reading.note(block.number, f"subtitle {block.number}: characters that its code page does not have")
            found.append(Run(text, style(letters)))
    return _single_spaced(found)


def _single_spaced(pieces: list[Run]) -> list[Run]:
    """Leave one space of several, which teletext needs for its codes."""
    out: list[Run] = []
    for text, letters in pieces:
        cut = re.sub(" +", " ", text)
        ends = not out or out[-1].text.endswith((" ", "\n"))
        out.append(Run(cut.lstrip(" ") if ends else cut, letters))
    return [run for run in out if run.text]


def _decoded(piece: bytes, codepage: bytes) -> str:
    if codepage in _CODEPAGES:
        return piece.decode(_CODEPAGES[codepage], "replace")
    text: str = iso6937.decode(piece, "replace")[0]
    return text


def _show(shown: list[Raw], reading: Reading) -> None:
    """Add a subtitle, or a set of them that adds line to line: a cue for each time that lines are added."""
    for index, raw in enumerate(shown):
        raw.lines = [line for before in shown[: index + 1] for line in before.lines] if index else raw.lines
        raw.end = shown[index + 1].start if index + 1 < len(shown) else raw.end
    if len(shown) > 1:
        reading.note(shown[0].line, f"lines are added one after the other: read as {len(shown)} cues")
    for raw in shown:
        reading.add(raw)


def _wanted(block: _Block, reading: Reading) -> bool:
    if block.comment:
        reading.note(block.number, "a translator's comment: left out")
    return not block.comment


def _counted(rate: Rate, blocks: list[_Block], reading: Reading) -> Rate:
    """Say whether timecode drops frames, which the format does not: as told, else if no number contradicts it."""
    if rate.fps.denominator == 1 or rate.nominal % 30:
        return rate
    dropped = Rate(rate.numerator, rate.denominator, drop=True)
    if reading.rate is not None and reading.rate.fps == rate.fps:
        return reading.rate
    for block in blocks:
        for code in (block.begin, block.end):
            try:
                dropped.frame_of(code)
            except ValueError:
                return rate
    reading.note(0, "does not say whether its timecode drops frames: read as drop frame, which no number contradicts")
    return dropped


def _start(data: bytes, rate: Rate, blocks: list[_Block], reading: Reading) -> int:
    """Frames that the timecode of the first picture counts."""
    digits = data[256:264]
    if not digits.isdigit():
        return 0
    text = digits.decode("ascii")
    code = ":".join(text[at : at + 2] for at in (0, 2, 4, 6))
    try:
        counted = rate.frame_of(code)
    except ValueError as error:
        reading.note(0, f"the programme's start: {error}; taken for 00:00:00:00")
        return 0
    if counted and any(_frame(block, block.begin, rate, reading) < counted for block in blocks):
        reading.note(0, f"subtitles before the programme's start {code}: times are read as counting from zero")
        return 0
    if counted:
        reading.start = rate.timecode(counted)
    return counted


def _frame(block: _Block, code: str, rate: Rate, reading: Reading) -> int:
    try:
        return rate.frame_of(code)
    except ValueError as error:
        raise reading.refuse(block.number, f"subtitle {block.number}: {error}") from None


__all__ = ["read_stl"]
