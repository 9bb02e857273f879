"""EBU STL (Tech 3264), read through ttconv. No maintained library writes it, so it is read only.

The blocks are looked at first: comments are taken out, and times that ttconv would skip with no more than a line in a
log refuse the file, by the number of their subtitle.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from callboard.timedtext import plain
from callboard.timedtext.formats.decoding import check_size
from callboard.timedtext.formats.reading import Reading
from callboard.timedtext.formats.timed import Paragraph, attend, cues_of
from callboard.timedtext.rate import Rate

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


class _Block(NamedTuple):
    at: int
    number: int
    """Of the subtitle."""
    extension: int
    cumulative: int
    begin: str
    end: str
    comment: bool
    data: bytes


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
    reading.rate = rate
    reading.title = plain.one_line(data[16:48].decode("cp437", "replace"))
    offset = _start(data, rate, blocks, reading)
    shown = _retimed(data[:_HEADER], blocks, rate, offset, reading)
    for node, number in shown:
        for raw in cues_of(node, Paragraph(number), reading):
            raw.number = None
            reading.add(raw)


def _blocks(data: bytes) -> Iterator[_Block]:
    for at in range(_HEADER, len(data) - _BLOCK + 1, _BLOCK):
        block = data[at : at + _BLOCK]
        _, number, extension, cumulative, *times, _, _, comment = struct.unpack("<BHBB4B4BBBB", block[:16])
        begin, end = ("{:02d}:{:02d}:{:02d}:{:02d}".format(*four) for four in (times[:4], times[4:8]))
        yield _Block(at, number, extension, cumulative, begin, end, comment == 1, block)


def _wanted(block: _Block, reading: Reading) -> bool:
    if block.extension in _USER_DATA:
        return False
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


def _retimed(header: bytes, blocks: list[_Block], rate: Rate, offset: int, reading: Reading) -> list[tuple[Any, int]]:
    """Give the paragraphs that ttconv makes, with the numbers of their subtitles.

    ttconv counts STL30.01 in drop frame always; each time is handed to it as it would write the right frame.
    """
    from ttconv.stl.reader import to_model
    from ttconv.time_code import SmpteTimeCode

    def four(frames: int) -> bytes:
        code = SmpteTimeCode.from_frames(frames, rate.fps)
        return bytes((code.get_hours(), code.get_minutes(), code.get_seconds(), code.get_frames()))

    body, numbers = [], []
    for block in blocks:
        begin = _frame(block, block.begin, rate, reading) - offset
        end = _frame(block, block.end, rate, reading) - offset
        if end <= begin and block.extension == _LAST_BLOCK:
            raise reading.refuse(block.number, f"subtitle {block.number} ends before it starts")
        body.append(block.data[:5] + four(begin) + four(max(end, begin)) + block.data[13:])
        if block.extension == _LAST_BLOCK and block.cumulative in (0, 1):
            numbers.append(block.number)
    with attend(reading):
        try:
            made = to_model(io.BytesIO(header + b"".join(body)))
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, AssertionError, struct.error) as error:
            raise reading.refuse(0, f"cannot be read as EBU STL: {type(error).__name__}: {error}") from None
    reading.language = made.get_lang() or ""
    shown = [node for node in made.get_body().dfs_iterator() if type(node).__name__ == "P"]
    if len(shown) != len(numbers):
        raise reading.refuse(0, f"{len(numbers)} subtitles, of which {len(shown)} can be read; some overlap", "")
    return list(zip(shown, numbers, strict=True))


__all__ = ["read_stl"]
