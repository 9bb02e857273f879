"""Which words share a cue: the cheapest division of them all, by dynamic programming over the place of each break.

What a cue costs depends on its words and its times, and its times on the words at its ends alone. So the cost of every
cue that there could be is known beforehand, computed for all cues of one length at once, and the cheapest division is
found exactly.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from callboard.timedtext.breaking import starts_turn
from callboard.timedtext.phrases import phrases
from callboard.timedtext.pieces import Piece
from callboard.timedtext.styled import Rich
from callboard.timedtext.syntax import LEANING, break_cost
from callboard.timedtext.widths import width
from callboard_schemas import Word

from callboard_caption.layout import Layout
from callboard_caption.timing import Clock

Array = np.ndarray[Any, Any]
Span = tuple[int, int]
"""Index of a cue's first word, and of the word after it."""

NEVER = 1e6
"""What a division costs that may be made only where there is no other."""
_CUE = 1.0  # fewer cues are better
_HURRY = 4.0  # times the square of how much too fast it is; a quarter too fast counts as much as a bad break
_TOO_FAST = 1.5  # on top: past the limit it is a fault
_TOO_SHORT = 4.0
_ORPHAN = 1.0  # one word that is no sentence
_BREATH = 0.7  # seconds; a breath is about half a second
_PAUSE = 2.0  # for each second of a longer pause inside
_SENTENCE = 0.5  # another sentence begins inside
_INSIDE_LINE = 0.8  # and begins inside a line
_CUT = 1.2  # times the cost of the break, where a cue ends
_CUT_IN_PAUSE = 0.36  # where it ends in a pause of more than half a second
_LINE = 0.6  # times the cost of the break, where a line ends
_TORN_LINE = 1.0  # on top, where a line would end in a word that leans on the next
_UNEVEN = 1.0  # for lines of which one is empty
_TOP_HEAVY = 0.1  # a longer lower line hides less of the picture
_ACROSS = 0.7  # for each shot change that it stays across
_NEAR_CUT = 2.0  # for a start or an end a few frames from one
_DASHES = 0.7  # two speakers in one cue
_MAY_ANSWER = frozenset('.!?…"”»)]')  # what ends a turn before a dash
_SHORT_TURN = 0.6  # of a line: a longer turn has a cue to itself


class Costs:
    """The cost of every cue that a list of words could be divided into."""

    def __init__(
        self,
        words: Sequence[Word],
        layout: Layout,
        clock: Clock,
        phrase_ends: Collection[int] = (),
        speakers: Sequence[int] = (),
    ) -> None:
        """Weigh what does not depend on where cues end.

        Args:
            words: In order, not overlapping; none blank.
            layout: The limits.
            clock: Of the same words.
            phrase_ends: Indices of words after which a cue may well end, whatever their punctuation.
            speakers: Who says each word, -1 where that is unknown; empty where it is for all.
        """
        self._layout, self._clock, self._count = layout, clock, len(words)
        profile = layout.profile
        self._joint = width(layout.joint, profile)
        self._dash = width(profile.dash, profile)
        sizes = np.array([width(word.text, profile, styled=False) for word in words])
        self._ends = np.concatenate([[0.0], np.cumsum(sizes + self._joint)])
        self._pauses(words)
        self._breaks = np.array(break_costs([word.text for word in words], layout.language))
        self._sentences = self._breaks == 0.0
        self._sentences_before = np.concatenate([[0], np.cumsum(self._sentences)])
        self._line_ends = _LINE * self._breaks + _TORN_LINE * (self._breaks >= LEANING) - _INSIDE_LINE * self._sentences
        self._turns(words, speakers)
        self._fill()
        self._partings(frozenset(phrase_ends))

    def _pauses(self, words: Sequence[Word]) -> None:
        gaps = np.array([after.start - before.end for before, after in pairwise(words)])
        self._gaps = np.append(gaps, 0.0)  # after each word
        self._heard = np.array([word.start for word in words]), np.array([word.end for word in words])
        self._pause_before = np.concatenate(
            [[0.0], np.cumsum(np.where(self._gaps > _BREATH, _PAUSE * self._gaps, 0.0))]
        )

    def _turns(self, words: Sequence[Word], speakers: Sequence[int]) -> None:
        """Note after which words somebody else goes on."""
        who = list(speakers) if len(speakers) else [-1] * self._count
        turn = np.array(
            [
                (-1 not in pair and pair[0] != pair[1]) or answers(before.text, after.text)
                for pair, (before, after) in zip(pairwise(who), pairwise(words), strict=True)
            ]
            + [False]
        )
        self.turns = turn
        """Whether somebody else goes on after each word."""
        self._turns_before = np.concatenate([[0], np.cumsum(turn)])
        places = np.where(turn, np.arange(1, self._count + 1), 0)
        self._last_turn = np.concatenate(
            [[0], np.maximum.accumulate(places)]
        )  # before each index: where the turn began

    def _fill(self) -> None:
        """Say how far each cue can go so that its lines hold it; one word always goes."""
        limit = self._layout.profile.line_length + self._joint + 1e-9
        reach = np.searchsorted(self._ends, self._ends[:-1] + limit, side="right") - 1
        reach = np.append(np.maximum(reach, np.arange(1, self._count + 1)), self._count)
        furthest = np.arange(self._count)
        for _ in range(self._layout.profile.lines):
            furthest = reach[furthest]
        self._furthest = furthest

    def _partings(self, phrase_ends: frozenset[int]) -> None:
        """Weigh a cue's end after each word."""
        costs = self._breaks * np.where(self._gaps > 0.5, _CUT_IN_PAUSE, _CUT)
        free = np.array([at in phrase_ends for at in range(self._count)]) | self.turns
        costs = np.where(free, 0.0, costs)
        costs[-1] = 0.0
        self._parting = costs

    def needed(self, firsts: Array, stops: Array) -> Array:
        """Give the units that cues must stay to be read."""
        profile, second = self._layout.profile, self._layout.per_second
        turns = self._turns_before[stops - 1] - self._turns_before[firsts]
        size = self._ends[stops] - self._ends[firsts] - self._joint + np.where(turns > 0, 2 * self._dash, 0)
        needed = size / profile.reading_speed
        if profile.words_per_minute:
            needed = np.maximum(needed, (stops - firsts) * 60.0 / profile.words_per_minute)
        read: Array = needed * second
        return read

    def table(self) -> Array:
        """Give the cost of every cue: row for the number of its words less one, column for its first word."""
        longest = int((self._furthest - np.arange(self._count)).max())
        table = np.full((longest, self._count), np.inf)
        for count in range(1, longest + 1):
            firsts = np.flatnonzero(self._furthest[: self._count - count + 1] >= np.arange(count, self._count + 1))
            if len(firsts):
                table[count - 1, firsts] = self.of(firsts, count)
        return table

    def of(self, firsts: Array, count: int) -> Array:
        """Weigh the cues of *count* words that begin with each of *firsts*."""
        stops = firsts + count
        start = self._clock.starts[firsts]
        end = self._clock.ends(firsts, stops, self.needed(firsts, stops))
        cost: Array = _CUE + self._timing(firsts, stops, start, end) + self._parting[stops - 1]
        cost += self._pause_before[stops - 1] - self._pause_before[firsts]
        inside = self._sentences_before[stops - 1] - self._sentences_before[firsts]
        turns = self._turns_before[stops - 1] - self._turns_before[firsts]
        cost += np.where(turns == 0, _SENTENCE * inside + self._shape(firsts, count, inside), 0.0)
        cost += self._dialogue(firsts, stops, turns)
        if count == 1:
            begins = np.concatenate([[True], self._sentences[:-1]])[firsts]
            cost += np.where(self._sentences[firsts] & begins, 0.0, _ORPHAN)
        return cost

    def _timing(self, firsts: Array, stops: Array, start: Array, end: Array) -> Array:
        limits = self._clock.limits
        shown = np.maximum(end - start, 0)
        hurry = self.needed(firsts, stops) / np.maximum(shown, 0.5) - 1.0
        cost = np.where(hurry > 1e-9, _TOO_FAST + _HURRY * np.minimum(hurry, 3.0) ** 2, 0.0)
        cost += np.where(shown < limits.shortest, _TOO_SHORT * (1.5 - shown / limits.shortest), 0.0)
        cost += np.where(end <= start, NEVER, 0.0)
        began, over = self._heard
        alone = stops - firsts == 1
        cost += np.where((over[stops - 1] - began[firsts] > self._layout.profile.longest) & ~alone, NEVER, 0.0)
        cuts = self._clock.cuts
        if len(cuts):
            across = np.searchsorted(cuts, end, side="left") - np.searchsorted(cuts, start, side="right")
            cost += _ACROSS * np.maximum(across, 0) + _NEAR_CUT * (self._near(start, 0) + self._near(end, limits.gap))
        return cost

    def _near(self, times: Array, wanted: int) -> Array:
        """Say which times are a few frames from a shot change, and not *wanted* frames before it."""
        cuts, snap = self._clock.cuts, self._clock.limits.snap
        low, high = np.searchsorted(cuts, times - snap, side="right"), np.searchsorted(cuts, times + snap, side="left")
        exact = np.searchsorted(cuts, times + wanted)
        on = cuts[np.minimum(exact, len(cuts) - 1)] == times + wanted
        near: Array = (high > low) & ~on
        return near

    def _shape(self, firsts: Array, count: int, inside: Array) -> Array:
        """Weigh how the lines of cues without a change of speaker would break, at best."""
        profile = self._layout.profile
        whole = self._ends[firsts + count] - self._ends[firsts] - self._joint
        best = np.full(len(firsts), np.inf)
        for words in range(1, count):
            middle = firsts + words
            top = self._ends[middle] - self._ends[firsts] - self._joint
            bottom = whole - top - self._joint
            cost = _UNEVEN * np.abs(top - bottom) / profile.line_length + _TOP_HEAVY * (top > bottom)
            cost += self._line_ends[middle - 1]
            cost += np.where(np.maximum(top, bottom) > profile.line_length, 4.0, 0.0)
            best = np.minimum(best, cost)
        best = np.where(np.isinf(best), 0.0, best + _INSIDE_LINE * inside)
        return np.where(whole > profile.line_length, best, 0.0)

    def _dialogue(self, firsts: Array, stops: Array, turns: Array) -> Array:
        """Weigh a change of speaker inside: one, between two short turns that have a line each, or none."""
        profile = self._layout.profile
        middle = np.maximum(self._last_turn[stops - 1], firsts)
        room = profile.line_length - self._dash
        top = self._ends[middle] - self._ends[firsts] - self._joint
        bottom = self._ends[stops] - self._ends[middle] - self._joint
        fits = (np.maximum(top, bottom) <= room) & (profile.lines > 1)
        long = np.maximum(top, bottom) > _SHORT_TURN * profile.line_length
        one = np.where(fits, _DASHES + np.where(long, 1.5, 0.0), NEVER)
        return np.where(turns == 0, 0.0, np.where(turns == 1, one, NEVER))


def divide(table: Array) -> list[Span]:
    """Give the cheapest division of words, by what ``Costs.table`` says; of those that cost the same, one."""
    longest, count = table.shape
    best = np.full(count + longest, np.inf)  # shifted, so that what lies before the first word is never chosen
    best[longest - 1] = 0.0
    sizes = np.zeros(count + 1, np.int64)
    rows = np.arange(longest)
    for stop in range(1, count + 1):
        firsts = stop - 1 - rows
        costs = np.where(firsts >= 0, table[rows, firsts], np.inf) + best[stop - 1 + longest - 1 - rows]
        sizes[stop] = int(costs.argmin()) + 1
        best[stop + longest - 1] = costs[sizes[stop] - 1]
    spans: list[Span] = []
    stop = count
    while stop:
        spans.append((stop - int(sizes[stop]), stop))
        stop -= int(sizes[stop])
    return spans[::-1]


def answers(before: str, after: str) -> bool:
    """Say whether the recogniser itself wrote a dialogue dash between two words."""
    return before[-1:] in _MAY_ANSWER and starts_turn(f"{after} x")


def break_costs(texts: Sequence[str], language: str) -> list[float]:
    """Say how badly a line or a cue ends after each word; 0 where a sentence does."""
    known = phrases(language)
    pieces = [Piece(Rich(text)) for text in [*texts, "."]]
    costs: list[float] = []
    for before, after in pairwise(pieces):
        costs.append(break_cost(before, after, known, begins=not costs or costs[-1] == 0.0))
    return costs


__all__ = ["NEVER", "Costs", "Span", "answers", "break_costs", "divide"]
