"""Other times that a cue may have: on its frames, out of the next cue's way, longer where there is room."""

from __future__ import annotations

import math
from collections.abc import Iterator

from callboard_schemas import Cue
from msgspec import Struct
from msgspec.structs import replace

from callboard.timedtext.checktime import reading
from callboard.timedtext.profile import Profile
from callboard.timedtext.rate import Rate

_LEAST = 0.1
"""Seconds that an end may always move back: about the least gap, at any rate."""


class Room(Struct, frozen=True):
    """What bounds the times of a cue."""

    profile: Profile
    rate: Rate | None
    duration: float
    """Seconds of media; 0 where it is not known."""
    following: float | None
    """When the next cue starts."""

    @property
    def latest(self) -> float:
        """Give the latest end that keeps the gap before the next cue and stays in the media."""
        ends = [math.inf]
        if self.following is not None and self.rate is None:
            ends.append(self.following - math.ceil(self.profile.gap * 1000 / 60) / 1000)
        elif self.following is not None and self.rate is not None:
            ends.append(self.rate.seconds(self.rate.frame_at(self.following) - self.profile.gap))
        if self.duration > 0:
            ends.append(self.floored(self.duration))
        return min(ends)

    def floored(self, seconds: float) -> float:
        """Give the last frame, or millisecond, that starts by then."""
        if self.rate is None:
            return math.floor(seconds * 1000 + 1e-6) / 1000
        return self.rate.seconds(math.floor(seconds * self.rate.fps + 1e-6))

    def ceiled(self, seconds: float) -> float:
        """Give the first frame, or millisecond, that does not start before."""
        if self.rate is None:
            return math.ceil(seconds * 1000 - 1e-6) / 1000
        return self.rate.seconds(math.ceil(seconds * self.rate.fps - 1e-6))


def offers(cue: Cue, room: Room) -> Iterator[Cue]:
    """Give the cue with other times, in no order; whoever asks chooses what is right.

    An end moves back only out of the way of the next cue or into the media, no further than the profile lets a cue
    linger after its last word, since what it shows may still be spoken, and not so far that it could not be read.
    """
    latest = room.latest
    for one in [cue] if room.rate is None else [cue, _snapped(cue, room.rate)]:
        yield one
        if one.end > latest and _may_end(one, latest, room.profile):
            yield replace(one, end=latest)
        wishes = (latest, one.start + room.profile.shortest, _readable(one, room))
        for wish in wishes:
            if wish is not None and wish < math.inf and (end := min(room.ceiled(wish), latest)) > one.end:
                yield replace(one, end=end)


def _may_end(cue: Cue, end: float, profile: Profile) -> bool:
    amount, a_second, _ = reading(cue, profile)
    back, length = cue.end - end, end - cue.start
    readable = amount <= a_second * length or back <= _LEAST
    return readable and length >= profile.shortest and back <= max(profile.linger, _LEAST)


def _snapped(cue: Cue, rate: Rate) -> Cue:
    return replace(cue, start=rate.snap(cue.start), end=rate.snap(cue.end))


def _readable(cue: Cue, room: Room) -> float | None:
    """Give the end by which a cue can be read, unless it would stay longer than the profile lets it linger."""
    amount, a_second, _ = reading(cue, room.profile)
    end = max(cue.start + amount / a_second, cue.start + room.profile.shortest)
    return end if end <= cue.end + room.profile.linger else None


__all__ = ["Room", "offers"]
