"""Times as SRT and WebVTT write them, and as people write them who do not know how."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from callboard.timedtext.formats.reading import Reading

_TIME: Final = r"(-?)(?:(\d{1,4})\s?:\s?)?(\d{1,3})\s?:\s?(\d{1,3})(?:\s?([,.:;])\s?(\d{1,9}))?"
_TIMES: Final = re.compile(rf"\s*{_TIME}\s*(--?-?>|[–—→]>?|=>|--|&gt;|--?&gt;)\s*{_TIME}(?:\s+(\S.*))?\s*")
_CLOCKED: Final = re.compile(r"\d\s?[:.,]\s?\d")


class Times(NamedTuple):
    """The line that says when a cue is shown."""

    start: float
    end: float
    rest: str
    """What follows the times on their line."""


def times(line: str, number: int, reading: Reading, *, point: str) -> Times | None:
    """Read a line with two times, or give nothing where it is text.

    Args:
        line: the line.
        number: of the line, from 1.
        reading: takes notes; its rate counts frames.
        point: what stands before milliseconds where the format is kept: ``,`` in SRT, ``.`` in WebVTT.

    Raises:
        SubtitleError: it holds an arrow between times, and they cannot be read.
    """
    found = _TIMES.fullmatch(line) if ":" in line else None
    if found is None:
        before, arrow, after = line.partition("-->")
        if arrow and (_CLOCKED.search(before) or _CLOCKED.search(after)) and len(before) < 40:
            raise reading.refuse(number, f"times that cannot be read: {line.strip()[:60]!r}")
        return None
    if found[7] != "-->":
        if None in (found[2], found[6], found[9], found[12]):
            return None  # such as opening hours, "10:30 – 11:45"
        reading.note(number, f"{found[7]!r} between the times: read as '-->'")
    start = _seconds(found.groups()[0:6], number, reading, point)
    end = _seconds(found.groups()[7:13], number, reading, point)
    return Times(start, end, (found[14] or "").strip())


def _seconds(parts: tuple[str | None, ...], number: int, reading: Reading, point: str) -> float:
    sign, hours, minutes, seconds, mark, fraction = parts
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    if (int(minutes or 0) > 59 and hours is not None) or int(seconds or 0) > 59:
        reading.note(number, "more than 59 minutes or seconds: carried over")
    if mark in (":", ";") and fraction is not None:
        return _framed(parts, number, reading)
    if hours is None and point == ",":
        reading.note(number, "a time without hours: read as minutes and seconds")
    if fraction is None or len(fraction) != 3:
        reading.note(number, "milliseconds do not have three digits: read as a decimal fraction")
    elif mark != point:
        reading.note(number, f"{mark!r} before milliseconds: read as {point!r}")
    exact = float(f"{whole}.{fraction or 0}")
    return -exact if sign else exact


def _framed(parts: tuple[str | None, ...], number: int, reading: Reading) -> float:
    """Read ``HH:MM:SS:FF``, which is timecode and needs a frame rate."""
    sign, hours, minutes, seconds, mark, frames = parts
    if reading.rate is None:
        raise reading.refuse(number, "times in frames, and no frame rate is known", "Say it, such as --rate 25.")
    try:
        counted = reading.rate.frame_of(f"{int(hours or 0):02d}:{minutes}:{seconds}{mark}{int(frames or 0):02d}")
    except ValueError as error:
        raise reading.refuse(number, str(error), "Is this its frame rate?") from None
    if not any(note.text.startswith("times in frames") for note in reading.notes):
        reading.note(number, f"times in frames: read as timecode at {reading.rate}")
    return reading.rate.seconds(-counted if sign else counted)


def milliseconds(seconds: float) -> int:
    """Round to the nearest millisecond, halves up, as the decimal number reads (1.0005 gives 1001)."""
    return int((Decimal(repr(float(seconds))) * 1000).quantize(Decimal(1), ROUND_HALF_UP))


def clock(ms: int, point: str) -> str:
    """Write milliseconds as ``HH:MM:SS``, *point* and three digits."""
    minutes, ms = divmod(ms, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{ms // 1000:02d}{point}{ms % 1000:03d}"


__all__ = ["Times", "clock", "milliseconds", "times"]
