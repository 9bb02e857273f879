"""When a file is whole: what waits, until when, and how long quiet must be. No clock, no disk: both are handed in.

A file is settled when its stat has not moved for the quiet time and then either nobody has it open for writing (a
read lease says so on a local disk) or it stays quiet for as long again. The quiet time is learned: a stall that was
seen in a copy doubles into it.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable
from typing import Generic, Literal, TypeVar

from callboard.sources.facts import Stat

LONGEST_QUIET = 60.0
"""Seconds that a quiet time is learned up to."""
REMEMBER = 3600.0
"""Seconds after which a stall is forgotten."""
SLOWEST_RETRY = 30.0
"""Seconds at most between two looks at a file that somebody holds open."""

K = TypeVar("K", bound=Hashable)

Waiting = Literal["quiet", "busy", "sure", "look"]


class QuietTime:
    """How long a file must be left alone; one per root.

    Args:
        configured: Seconds, never undercut.
    """

    def __init__(self, configured: float) -> None:
        self._configured = configured
        self._learned = 0.0
        self._until = 0.0

    def seconds(self, now: float) -> float:
        """Give the quiet time."""
        return max(self._configured, self._learned if now < self._until else 0.0)

    def stalled(self, gap: float, now: float) -> None:
        """Learn that a writer paused for *gap* seconds in the middle of a file."""
        if now >= self._until:
            self._learned = 0.0
        self._learned = max(self._learned, min(2 * gap, LONGEST_QUIET))
        self._until = now + REMEMBER


class Entry(Generic[K]):
    """Something that has not settled."""

    __slots__ = (
        "changed",
        "due",
        "examined",
        "first",
        "initial",
        "key",
        "need",
        "stat",
        "sure",
        "told",
        "tries",
        "waiting",
    )

    def __init__(self, key: K, stat: Stat | None, changed: float, first: float, *, initial: bool) -> None:
        self.key = key
        self.stat = stat
        self.changed = changed
        """When it last changed."""
        self.first = first
        """When it was first seen."""
        self.due = changed
        self.need = 0.0
        """Seconds of quiet that it needs beyond the root's quiet time."""
        self.waiting: Waiting = "quiet"
        self.sure = False
        """It was quiet for twice the quiet time."""
        self.examined = False
        """It is being looked at; what happens meanwhile is looked at afterwards."""
        self.told = False
        """Something was heard of it while it was being looked at."""
        self.tries = 0
        self.initial = initial
        """It was there before the source was."""


class SettleQueue(Generic[K]):
    """Everything that waits, in the order in which it is due."""

    def __init__(self, quiet: QuietTime) -> None:
        self.quiet = quiet
        self.entries: dict[K, Entry[K]] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._count = itertools.count()

    def touch(
        self, key: K, stat: Stat | None, now: float, *, age: float = 0.0, need: float = 0.0, initial: bool = False
    ) -> bool:
        """Say that *key* was looked at; True when it was not waiting yet.

        Args:
            key: What it is.
            stat: How it is now; None where only a change is known.
            now: The clock.
            age: Seconds since its last change, where its own times can be believed.
            need: Seconds of quiet that it needs at least.
            initial: It was there before the source was.
        """
        entry = self.entries.get(key)
        if entry is None:
            entry = self.entries[key] = Entry(key, stat, now - age, now, initial=initial)
            entry.need = need
            self._plan(entry, entry.changed + self._quiet(entry, now))
            return True
        entry.need = max(entry.need, need)
        entry.told = entry.examined
        if stat is None or stat != entry.stat:
            self._moved(entry, stat, now, age)
        elif entry.waiting == "busy":
            self._plan(entry, max(now, entry.changed + self._quiet(entry, now)))
        return False

    def moved(self, key: K, stat: Stat | None, now: float, *, age: float = 0.0) -> None:
        """Say that an examined thing was not as expected: it starts over."""
        entry = self.entries[key]
        entry.examined = False
        self._moved(entry, stat, now, age)

    def busy(self, key: K, now: float) -> None:
        """Say that somebody has it open for writing: look again later, or when it is closed."""
        entry = self.entries[key]
        entry.examined, entry.waiting = False, "busy"
        entry.tries += 1
        step = max(self._quiet(entry, now), 1.0) * 2.0 ** min(entry.tries - 1, 5)
        self._plan_again(entry, now, min(step, SLOWEST_RETRY))

    def unsure(self, key: K, now: float) -> None:
        """Say that nobody can tell whether it is open: it must stay quiet for as long again."""
        entry = self.entries[key]
        entry.examined, entry.waiting, entry.sure = False, "sure", True
        self._plan(entry, max(now, entry.changed + 2 * self._quiet(entry, now)))

    def later(self, key: K, now: float, seconds: float) -> None:
        """Look again after *seconds*."""
        entry = self.entries[key]
        entry.examined, entry.waiting = False, "look"
        self._plan_again(entry, now, seconds)

    def drop(self, key: K) -> None:
        """Forget it: it settled, went, or is not wanted."""
        self.entries.pop(key, None)

    def due(self, now: float) -> list[Entry[K]]:
        """Take everything whose time has come; each must be answered with ``moved``, ``busy``... or ``drop``."""
        out: list[Entry[K]] = []
        while self._heap and self._heap[0][0] <= now:
            when, _, key = heapq.heappop(self._heap)
            entry = self.entries.get(key)
            if entry is not None and not entry.examined and entry.due == when:
                entry.examined, entry.told = True, False
                out.append(entry)
        return out

    def next_due(self) -> float | None:
        """Give the time at which something is due next."""
        while self._heap:
            when, _, key = self._heap[0]
            entry = self.entries.get(key)
            if entry is not None and not entry.examined and entry.due == when:
                return when
            heapq.heappop(self._heap)
        return None

    def _quiet(self, entry: Entry[K], now: float) -> float:
        return max(self.quiet.seconds(now), entry.need)

    def _moved(self, entry: Entry[K], stat: Stat | None, now: float, age: float) -> None:
        changed = now - age
        if entry.sure and changed > entry.changed:
            # it was quiet for the whole quiet time and then went on: that was a stall, not the end
            self.quiet.stalled(changed - entry.changed, now)
        entry.stat = stat
        entry.changed = max(changed, entry.changed)
        entry.sure, entry.tries, entry.waiting = False, 0, "quiet"
        self._plan(entry, entry.changed + self._quiet(entry, now))

    def _plan_again(self, entry: Entry[K], now: float, seconds: float) -> None:
        """Look again after *seconds*, and soon at what may be otherwise already: its closing is told once."""
        self._plan(entry, max(now, entry.changed + self._quiet(entry, now)) if entry.told else now + seconds)

    def _plan(self, entry: Entry[K], due: float) -> None:
        entry.due = due
        if not entry.examined:
            heapq.heappush(self._heap, (due, next(self._count), entry.key))
