"""Rules about when a cue is on the screen."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

from callboard_schemas import Cue

from callboard.timedtext.found import SLACK, Found
from callboard.timedtext.profile import Profile
from callboard.timedtext.rate import Rate
from callboard.timedtext.styled import plain
from callboard.timedtext.widths import width

_GRID: Final = 0.00105
"""Seconds that a time may be off its frame: whole milliseconds, rounded or cut off."""
_FASTEST: Final = 60
"""Frames a second that a gap is counted at where the rate is not known."""


def alone(
    index: int, cue: Cue, profile: Profile, rate: Rate | None, shot_frames: Sequence[int], duration: float
) -> Iterator[Found]:
    """Check the times of one cue."""
    length = cue.end - cue.start
    if length <= 0:
        yield Found(index, "times", f"ends {-length:.3f} s before it starts" if length else "ends as it starts", length)
    else:
        yield from _length(index, cue, length, profile)
    if duration > 0 and cue.end > duration + SLACK:
        yield Found(index, "past-end", f"ends {cue.end - duration:.3f} s after the media", cue.end, duration)
    if rate is not None:
        yield from _grid(index, cue, rate)
        yield from _shots(index, cue, profile, rate, shot_frames)


def _length(index: int, cue: Cue, length: float, profile: Profile) -> Iterator[Found]:
    if length < profile.shortest - SLACK:
        told = f"is on the screen for {length:.3f} s, shortest is {profile.shortest:.3f} s"
        yield Found(index, "shortest", told, length, profile.shortest)
    if length > profile.longest + SLACK:
        told = f"is on the screen for {length:.3f} s, longest is {profile.longest:.3f} s"
        yield Found(index, "longest", told, length, profile.longest)
    amount, limit, unit = reading(cue, profile)
    speed = amount / length
    if amount > limit * (length + SLACK) + 1e-9:
        yield Found(index, "reading-speed", f"{speed:.1f} {unit}, at most {limit:g}", speed, limit)


def reading(cue: Cue, profile: Profile) -> tuple[float, float, str]:
    """Give what there is to read in a cue, how much of it a second allows, and what is counted.

    Words are counted where the profile says ``words_per_minute``, told per second.
    """
    if profile.words_per_minute:
        words = sum(len(plain(line, styled=cue.styled).split()) for line in cue.lines)
        return float(words), profile.words_per_minute / 60, "words a second"
    return (
        sum(width(line, profile, styled=cue.styled) for line in cue.lines),
        profile.reading_speed,
        "characters a second",
    )


def _grid(index: int, cue: Cue, rate: Rate) -> Iterator[Found]:
    for line, (what, time) in enumerate((("starts", cue.start), ("ends", cue.end))):
        off = abs(rate.snap(time) - time)
        if off > _GRID:
            yield Found(index, "frame-grid", f"{what} {off * 1000:.0f} ms off a frame of {rate}", off, line=line)


def _shots(index: int, cue: Cue, profile: Profile, rate: Rate, shot_frames: Sequence[int]) -> Iterator[Found]:
    within = profile.snapped_within(rate)
    if not within or not shot_frames:
        return
    start, end = rate.frame_at(cue.start), rate.frame_at(cue.end)
    off = start - nearest(shot_frames, start)
    if 0 < abs(off) < within:
        where = "after" if off > 0 else "before"
        yield Found(index, "shot-start", f"starts {abs(off)} frames {where} a shot change", float(off), float(within))
    off = end - nearest(shot_frames, end)
    if abs(off) < within and not -profile.gap <= off <= 0:
        where = "after" if off > 0 else "before"
        yield Found(index, "shot-end", f"ends {abs(off)} frames {where} a shot change", float(off), float(within))


def nearest(frames: Sequence[int], frame: int) -> int:
    """Give the one of *frames*, in ascending order, that is nearest to *frame*; the earlier of two."""
    at = bisect_left(frames, frame)
    around = frames[max(at - 1, 0) : at + 1]
    return min(around, key=lambda one: (abs(one - frame), one))


def between(cues: Sequence[Cue], profile: Profile, rate: Rate | None) -> Iterator[Found]:
    """Check how cues follow each other, told of the later one."""
    for index in range(1, len(cues)):
        early = cues[index - 1].start - cues[index].start
        if early > 1e-9:
            yield Found(index, "order", f"starts {early:.3f} s before the cue before it", -early, 0.0)
    order = sorted(range(len(cues)), key=lambda index: (cues[index].start, index))
    last = -1
    for index in order:
        if last >= 0:
            yield from _gap(index, cues[last], cues[index], profile, rate)
        if last < 0 or cues[index].end > cues[last].end:
            last = index


def _gap(index: int, before: Cue, cue: Cue, profile: Profile, rate: Rate | None) -> Iterator[Found]:
    """Check the time between a cue and the one that is the last to end before it."""
    seconds = cue.start - before.end
    if seconds < -SLACK:
        apart = (before.align, before.settings) != (cue.align, cue.settings)
        yield Found(
            index,
            "overlap",
            f"starts {-seconds:.3f} s before cue {before.id} ends",
            seconds,
            0.0,
            severity="warning" if apart else None,
        )
        return
    if rate is None:
        least = profile.gap / _FASTEST
        if seconds < least - SLACK:
            yield Found(index, "gap", f"starts {seconds:.3f} s after cue {before.id} ends", seconds, least)
        return
    frames = rate.frame_at(cue.start) - rate.frame_at(before.end)
    told = f"starts {frames} frames after cue {before.id} ends"
    if frames < profile.gap:
        yield Found(index, "gap", f"{told}, at least {profile.gap}", float(frames), float(profile.gap))
    elif profile.gap < frames <= profile.closed_within(rate):
        yield Found(
            index,
            "close-gap",
            f"{told}: either {profile.gap} or more than {profile.closed_within(rate)}",
            float(frames),
            float(profile.gap),
        )


__all__ = ["alone", "between", "nearest", "reading"]
