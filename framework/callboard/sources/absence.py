"""What is not there: given up after a while one by one, and not believed at all when too much is missing at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Literal

from callboard.sources.facts import Seen
from callboard.sources.lane import Lane
from callboard.sources.ledger import FEW, Ledger
from callboard.sources.roots import Health
from callboard.sources.sequences import frame_paths
from callboard.sources.voice import Voice

RootStatus = Literal["starting", "online", "offline"]


class Absence:
    """Decides for one root whether what is missing is gone.

    Args:
        root: Absolute path.
        ledger: What is known.
        voice: Who is told.
        grace: Seconds that a file may be missing before it is given up: it may be on its way to another name.
        expected: Tells whether a file of this size is about to settle, which may be the missing one.
    """

    def __init__(
        self, root: bytes, ledger: Ledger, voice: Voice, *, grace: float, expected: Callable[[int], bool]
    ) -> None:
        self._root = root
        self._ledger = ledger
        self._voice = voice
        self._grace = grace
        self._expected = expected
        self._told: set[bytes] = set()
        self._revived = False
        self.status: RootStatus = "starting"
        self.problem = ""

    def away(self, path: bytes, *, told: bool = False) -> None:
        """Note that a known path is not there; *told* when the system said that it was deleted or renamed."""
        if path in self._ledger.seen and told:
            self._told.add(path)
        if self._ledger.away(path, time.monotonic() + self._grace):
            self._voice.note(path, "missing", "is not there; waiting whether it comes back")

    def next_due(self) -> float | None:
        """Give the time at which something is given up next."""
        return min(self._ledger.missing.values(), default=None)

    def judge(self, health: Health) -> str:
        """Give the reason why the root is away, or nothing."""
        if health.problem or not health.empty or not self._ledger.seen:
            return health.problem
        if len(self._ledger.seen) < FEW and self._told.issuperset(self._ledger.seen):
            return ""
        return f"the folder is empty, but held {len(self._ledger.seen)} files"

    async def leave(self, reason: str) -> None:
        """Take the root for away: nothing that is missing is believed to be gone."""
        self._ledger.hold()
        self._told.clear()
        if self.status != "offline" or self.problem != reason:
            news = self.status != "offline"
            self.status, self.problem = "offline", reason
            self._revived = False
            if news:
                await self._voice.offline(reason)

    async def surveyed(self, lost: set[bytes]) -> None:
        """Judge a survey of the whole root: *lost* are the known paths that it did not find."""
        held = lost & self._ledger.held
        fresh = lost - held
        troubled = self.status == "offline" and not self._revived
        # The first survey may have run while the files went: those that it still found went with the others.
        if self._ledger.is_mass_loss(fresh) or (fresh and troubled and self._ledger.is_mass_loss(lost)):
            for path in fresh:
                self.away(path)
            await self.leave(f"{len(lost)} of {len(self._ledger.seen)} files are missing at once")
            return
        for path in fresh:
            self.away(path)
        if troubled and self._ledger.is_mass_loss(held):
            return
        if not self._revived:
            for path in held:
                self._ledger.back(path)
                self.away(path)
        await self.arrive("is back" if not held else f"is back; {len(held)} files are still away")

    async def revive(self) -> None:
        """Take a root that lost its files for there, as somebody puts new ones into it; the lost stay held."""
        self._revived = True
        await self.arrive(f"new files came; {len(self._ledger.held)} are still away")

    async def arrive(self, reason: str) -> None:
        """Take the root for there."""
        before, self.status, self.problem = self.status, "online", ""
        if before == "offline":
            await self._voice.online(reason)

    async def reap(self, lane: Lane) -> None:
        """Give up what has been missing for long enough, unless it is too much."""
        now = time.monotonic()
        missing = self._ledger.missing
        if not missing or min(missing.values()) > now:
            return
        if self._ledger.is_mass_loss(missing):
            await self.leave(f"{len(missing)} of {len(self._ledger.seen)} files are missing at once")
            return
        due = [self._ledger.seen[path] for path, until in missing.items() if until <= now]
        there = await lane.run(lambda: {seen.path for seen in due if self._there(seen)})
        for seen in due:
            if seen.path in there or self._ledger.seen.get(seen.path) is not seen:
                self._ledger.back(seen.path)
            elif self._expected(seen.size):
                missing[seen.path] = now + self._grace
            elif seen.path in missing:
                self._told.discard(seen.path)
                await self._voice.gone(seen)

    def _there(self, seen: Seen) -> bool:
        path = os.path.join(self._root, seen.path)
        paths = [path] if seen.sequence is None else frame_paths(path, seen.sequence)
        return any(os.path.lexists(path) for path in paths)
