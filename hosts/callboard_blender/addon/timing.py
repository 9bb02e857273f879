"""Frames of a timeline, seconds of a timeline, and seconds of the media that a strip shows. All pure.

Frame *f* is at ``f / rate`` seconds of the timeline, as Blender's own seconds are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple


class Shown(NamedTuple):
    """What part of its media a strip shows."""

    source_in: float
    """Seconds into the media at the strip's first frame; negative where the first frame is held before."""
    speed: float
    """Seconds of media in a second of the timeline; negative where it runs backwards."""


class Span(NamedTuple):
    """Frames from ``first`` up to, not including, ``end``, for the item of that number."""

    number: int
    first: int
    end: int


def shown(*, head: float, length: float, tail: float, content: float, trim: float, media: float, rate: float) -> Shown:
    """Say what a strip shows.

    Args:
        head: Frames of the timeline cut off at the start; negative where the first frame is held.
        length: Frames of the timeline that are left.
        tail: Frames of the timeline cut off at the end, as ``head``.
        content: Frames of media.
        trim: Frames of media that are passed over for good at the start.
        media: Frames a second of the media.
        rate: Frames a second of the timeline.
    """
    laid = head + length + tail
    ratio = content / laid if laid > 0 and content > 0 else 1.0
    return Shown((trim + head * ratio) / media, ratio * rate / media)


def backwards(strip: Shown, seconds: float) -> Shown:
    """Say what a strip shows that runs backwards through media of so many seconds."""
    return Shown(seconds - strip.source_in, -strip.speed)


def on_timeline(use: Mapping[str, Any], seconds: float) -> float:
    """Turn seconds of the media into seconds of the timeline."""
    speed = float(use.get("speed", 1.0)) or 1.0
    return float(use.get("start", 0.0)) + (seconds - float(use.get("source_in", 0.0))) / speed


def spans(use: Mapping[str, Any], times: Iterable[tuple[float, float]], rate: float) -> tuple[list[Span], int]:
    """Lay stretches of media on the frames of a use, cut where the use ends.

    Args:
        use: The use; one without ``duration`` is not cut.
        times: Seconds of the media: start and end of each.
        rate: Frames a second of the timeline.

    Returns:
        The spans by their first frame, at least one frame each, and how many lie outside of the use.
    """
    low = round(float(use.get("start", 0.0)) * rate)
    length = float(use.get("duration", 0.0))
    high = round((float(use.get("start", 0.0)) + length) * rate) if length > 0 else None
    found = []
    outside = 0
    for number, (start, end) in enumerate(times):
        here, there = sorted((on_timeline(use, start) * rate, on_timeline(use, end) * rate))
        if (high is not None and (here >= high or there <= low)) or (high is None and there < 0):
            outside += 1
            continue
        first = max(round(here), low if high is not None else 0)
        last = max(round(there), first + 1)
        if high is not None:
            first = min(first, high - 1)
            last = min(last, high)
        found.append(Span(number, first, last))
    found.sort(key=lambda span: (span.first, span.end))
    return _apart(found), outside


def _apart(found: Sequence[Span]) -> list[Span]:
    """Take away an overlap of one frame, which comes of rounding."""
    apart: list[Span] = []
    for span in found:
        if apart and apart[-1].end == span.first + 1 and apart[-1].first < span.first:
            apart[-1] = apart[-1]._replace(end=span.first)
        apart.append(span)
    return apart


def lanes(found: Iterable[Span]) -> list[list[Span]]:
    """Deal spans out so that no two of a lane overlap, in as few lanes as that takes."""
    dealt: list[list[Span]] = []
    for span in sorted(found, key=lambda span: span.first):
        for lane in dealt:
            if lane[-1].end <= span.first:
                lane.append(span)
                break
        else:
            dealt.append([span])
    return dealt
