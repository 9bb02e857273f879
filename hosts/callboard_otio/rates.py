"""Frames and timecode of a timeline: which rate it has, whether numbers are dropped, and times as whole frames."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

from callboard.timedtext.rate import Rate, parse_rate, rate_of
from opentimelineio import opentime, schema

from callboard_otio.ours import ours

_SAME = 0.005
"""Frames per second by which two writings of one rate differ at most; 23.976 and 24 are 0.024 apart."""


def frames(time: Any, rate: Rate) -> int:
    """Give a ``RationalTime`` in frames of *rate*: the nearest one where it lies between two."""
    return round(exactly(time, rate))


def exactly(time: Any, rate: Rate) -> Fraction | int:
    """Give a ``RationalTime`` in frames of *rate*, unrounded, so that many can be added up."""
    said = time.value
    value = int(said) if said.is_integer() else Fraction(said)  # fractions are slow, and most times are whole frames
    if abs(time.rate - rate.numerator / rate.denominator) < _SAME:
        return value
    own = rate_of(time.rate).fps if time.rate <= 1000 else Fraction(time.rate)  # sound is counted in samples
    return value * rate.fps / own


def time_at(frame: int, rate: Rate) -> Any:
    """Give a frame count as a ``RationalTime``."""
    return opentime.RationalTime(frame, float(rate.fps))


def span(start: int, count: int, rate: Rate) -> Any:
    """Give *count* frames from *start* as a ``TimeRange``."""
    return opentime.TimeRange(time_at(start, rate), time_at(count, rate))


def timeline_rate(timeline: Any) -> Rate:
    """Say which rate a timeline has: what it says itself, else that of its start, else of most of its items."""
    said = ours(timeline).get("rate")
    if isinstance(said, str):
        try:
            return parse_rate(said)
        except ValueError:
            pass
    lengths = (item.trimmed_range().duration for item in _items(timeline))
    rates = Counter(length.rate for length in lengths if length.rate <= 1000)
    start = timeline.global_start_time
    if start is not None and (start.rate in rates or (start.rate > 1 and not rates)):
        return _with_drop(timeline, start.rate)
    return _with_drop(timeline, rates.most_common(1)[0][0]) if rates else Rate(24)


def other_rates(timeline: Any, rate: Rate) -> tuple[str, ...]:
    """Name the rates that items have besides the timeline's own, the most frequent first."""
    found = Counter(rate_name(item.trimmed_range().duration.rate) for item in _items(timeline))
    return tuple(name for name, _ in found.most_common() if name != str(Rate(rate.numerator, rate.denominator)))


def start_frame(timeline: Any, rate: Rate) -> int:
    """Give the timeline's first frame, as its timecode counts."""
    start = timeline.global_start_time
    return 0 if start is None else frames(start, rate)


def set_rate(timeline: Any, rate: Rate) -> None:
    """Write down which rate a timeline has, where only its file's own words tell drop frame."""
    timeline.metadata.setdefault("callboard", {})["rate"] = str(rate)


def drops(fps: float) -> bool:
    """Say whether a rate has drop frame timecode at all."""
    try:
        return rate_of(fps, drop=True).drop
    except ValueError:
        return False


def rate_name(fps: float) -> str:
    """Write a rate as people do; a sound's as its number."""
    return str(rate_of(fps)) if fps <= 1000 else f"{fps:g}"


def _items(timeline: Any) -> list[Any]:
    return [
        item
        for track in timeline.tracks
        if isinstance(track, schema.Track)
        for item in track
        if isinstance(item, schema.Clip | schema.Gap) and item.trimmed_range().duration.value > 0
    ]


def _with_drop(timeline: Any, fps: float) -> Rate:
    timecode = timeline.metadata.get("fcp_xml", {}).get("timecode", {})
    says = timecode.get("displayformat") == "DF" if hasattr(timecode, "get") else False
    return rate_of(fps, drop=says and drops(fps))


__all__ = [
    "drops",
    "exactly",
    "frames",
    "other_rates",
    "rate_name",
    "set_rate",
    "span",
    "start_frame",
    "time_at",
    "timeline_rate",
]
