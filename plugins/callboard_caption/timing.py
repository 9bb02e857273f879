"""When a cue is on the screen: in with its first word, out when it could be read, and neither a few frames off a cut.

How times keep to shot changes is what Netflix publishes
(https://partnerhelp.netflixstudios.com/hc/en-us/articles/360051554394, and for the zones of 7 and of 8 to 11 frames the
general requirements, https://partnerhelp.netflixstudios.com/hc/en-us/articles/215758617): a cue starts on the shot
change or at least half a second from it, and ends two frames before it or at least half a second from it.

A cue's times depend on the words at its two ends alone. So the optimiser knows them for every possible cue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from callboard_schemas import Word
from msgspec import Struct

from callboard_caption.layout import Layout

Array = np.ndarray[Any, Any]

FAR = 1 << 50
"""A unit that no recording reaches."""
_RED = (7, 12)
"""Share of the half second around a shot change from which a time moves onto it, and not away from it."""
_LONGEST_READ = 2.0
"""Seconds that a cue may outstay its last word so that it can be read, where its profile's ``linger`` is not enough."""


class Limits(Struct, frozen=True):
    """A layout's limits in its units."""

    gap: int
    close: int
    snap: int
    red: int
    shortest: int
    longest: int
    linger: int
    read: int


def limits_of(layout: Layout) -> Limits:
    """Turn the limits of a profile into units: what must last at least is rounded up, what at most down."""
    second, profile = layout.per_second, layout.profile
    linger = int(profile.linger * second)
    return Limits(
        gap=layout.gap,
        close=layout.close,
        snap=layout.snap,
        red=layout.snap * _RED[0] // _RED[1],
        shortest=int(np.ceil(profile.shortest * second - 1e-6)),
        longest=int(profile.longest * second + 1e-6),
        linger=linger,
        read=max(linger, int(_LONGEST_READ * second)),
    )


class Clock:
    """The times of every cue that a list of words could be divided into, in units."""

    def __init__(self, words: Sequence[Word], layout: Layout, duration: float) -> None:
        """Read the words' times.

        Args:
            words: In order, not overlapping.
            layout: The limits and the shot changes.
            duration: Seconds of media; 0 where that is unknown.
        """
        self.limits = limits_of(layout)
        last = layout.last(duration)
        self.last = FAR if last is None else last
        second = layout.per_second
        self.cuts = np.array(sorted({layout.unit_at(cut) for cut in layout.cuts}) if self.limits.snap else [], np.int64)
        heard = np.array([layout.unit_at(word.start) for word in words], np.int64)
        over = np.array([np.ceil(word.end * second - 1e-6) for word in words], np.int64)
        self.over = np.minimum(np.maximum.accumulate(over), self.last)
        """Where each word is over."""
        self.starts = np.minimum(self._on_shots(heard), self.last)
        """Where a cue comes that begins with each word."""
        after = FAR if last is None else last + self.limits.gap
        self._next = np.append(self.starts, after)

    def ceilings(self, stops: Array) -> Array:
        """Give where a cue must be gone, for the index of the word after each cue."""
        ceilings: Array = self._next[stops] - self.limits.gap
        return ceilings

    def ends(self, firsts: Array, stops: Array, needed: Array) -> Array:
        """Give where cues go.

        Args:
            firsts: Index of each cue's first word.
            stops: Index of the word after it.
            needed: Units that each must stay to be read.
        """
        limits = self.limits
        start, over, ceiling = self.starts[firsts], self.over[stops - 1], self.ceilings(stops)
        least = start + limits.shortest
        most = np.minimum(ceiling, start + limits.longest)
        read = start + np.ceil(needed - 1e-6).astype(np.int64)
        wanted = np.maximum(np.maximum(over, least), np.minimum(read, over + limits.read))
        end = self._closed(np.minimum(wanted, most), start, ceiling, over)
        if len(self.cuts):
            end = self._off_shots(end, start, over, most, np.minimum(np.maximum(read, least), most))
            end = self._closed(end, start, ceiling, over)
        shown: Array = np.maximum(end, np.minimum(start, ceiling))
        return shown

    def _closed(self, end: Array, start: Array, ceiling: Array, over: Array) -> Array:
        """Close short gaps to the next cue: a flash of empty screen disturbs more than a cue that stays."""
        limits = self.limits
        short = (end < ceiling) & (ceiling - end <= limits.close - limits.gap)
        filled = np.minimum(ceiling, start + limits.longest)
        parted = np.maximum(ceiling + limits.gap - limits.close - 1, start + limits.shortest)
        # The longest time ends inside the gap: rather a gap that is long enough to be seen as one.
        parted = np.where((filled < ceiling) & (parted >= over) & (parted < end), parted, filled)
        closed: Array = np.where(short, parted, end)
        return closed

    def _off_shots(self, end: Array, start: Array, over: Array, most: Array, needed: Array) -> Array:
        """Move ends to two frames before a shot change, or half a second past it."""
        limits = self.limits
        at = np.searchsorted(self.cuts, end, side="right")
        padded = np.concatenate([[-FAR], self.cuts, [FAR]])
        before, after = padded[at], padded[at + 1]  # the cut at or before the end, and the one after it
        crossing = before > start
        pulled, pushed = before - limits.gap, before + limits.snap
        close = end - before < limits.snap
        may = crossing & (over <= before + limits.red) & (pulled > start)
        reads = pulled >= needed
        pull = may & (reads | (close & (pushed > most) & (pulled - start >= limits.shortest)))
        push = crossing & close & ~pull & (pushed <= most)
        rest = may & close & ~pull & ~push & (pulled - start >= limits.shortest)
        moved = np.where(pull | rest, pulled, np.where(push, pushed, end))
        near = ~(pull | rest) & (after - moved < limits.snap) & (after - limits.gap <= most)
        settled: Array = np.where(near & (after - limits.gap > start), after - limits.gap, moved)
        return settled

    def _on_shots(self, heard: Array) -> Array:
        """Move starts onto shot changes, or half a second before them; in order as the words are."""
        snap, red = self.limits.snap, self.limits.red
        if not len(self.cuts):
            return np.maximum.accumulate(heard)
        at = np.searchsorted(self.cuts, heard, side="right")
        padded = np.concatenate([[-FAR], self.cuts, [FAR]])
        before, after = padded[at], padded[at + 1]
        spoken = np.concatenate([[-FAR], self.over[:-1]])
        back = (heard - before < snap) & (spoken <= before + red)
        onto = (after - heard <= red) & ~(back & (heard - before <= after - heard))
        away = ~onto & ~back & (after - heard < snap) & (after - snap - before >= snap)
        moved = np.where(onto, after, np.where(back, before, np.where(away, after - snap, heard)))
        return np.maximum.accumulate(np.maximum(moved, 0))


__all__ = ["FAR", "Clock", "Limits", "limits_of"]
