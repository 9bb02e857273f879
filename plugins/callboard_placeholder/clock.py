"""Timecode of a frame of the timeline, as it is written over pictures."""

from __future__ import annotations

from functools import lru_cache

from callboard.timedtext.rate import Rate


@lru_cache(maxsize=64)
def _day(rate: Rate) -> int:
    return rate.frame_of(f"23:59:59:{rate.nominal - 1:02d}") + 1


def timecode(rate: Rate, frame: int) -> str:
    """Write a frame of the timeline as ``HH:MM:SS:FF``; behind 24 hours it begins again, as SMPTE ST 12-1 has it."""
    return rate.timecode(frame % _day(rate))


__all__ = ["timecode"]
