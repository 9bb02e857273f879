"""Times as MLT writes them: frames, clock times and timecodes."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

_TIME: Final = re.compile(r"-?[0-9]{1,10}|(?:[0-9]{1,6}[:;]){1,3}[0-9]{1,2}(?:\.[0-9]{1,9})?")
"""No more digits than a day of any rate has, so that no file makes us count for long."""


def frames_of(text: str, fps: Fraction) -> int:
    """Read a time: ``125``, ``00:00:05.000``, or ``00:00:05:00`` with frames last.

    Args:
        text: as an attribute or a property holds it.
        fps: frames a second, above 0.

    Raises:
        ValueError: it is no time.
    """
    plain = text.strip().replace(",", ".")
    if not _TIME.fullmatch(plain):
        raise ValueError(f"no time: {plain[:40]!r}")
    if ":" not in plain:
        return int(plain)
    parts = plain.replace(";", ":").split(":")
    if len(parts) == 4:
        hours, minutes, seconds = (int(part) for part in parts[:3])
        return (hours * 3600 + minutes * 60 + seconds) * round(fps) + int(parts[3])
    total = Fraction(0)
    for part in parts:
        total = total * 60 + Fraction(part)
    return round(total * fps)


def clock_of(frames: int, fps: Fraction) -> str:
    """Write frames as ``00:00:05.000``, to the millisecond, as Kdenlive does."""
    milliseconds = round(Fraction(frames * 1000) / fps)
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def frame_at(seconds: float, fps: Fraction) -> int:
    """Give the frame nearest to a time in seconds."""
    return round(Fraction(seconds).limit_denominator(1_000_000) * fps)


__all__ = ["clock_of", "frame_at", "frames_of"]
