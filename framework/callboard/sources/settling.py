"""From waiting to whole: looks at what is due, reads it, and says it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import NamedTuple

from callboard_schemas import Sequence

from callboard.errors import CallboardError
from callboard.sources import sequences
from callboard.sources.examine import Family, Members, Outcome, examine, examine_group, members
from callboard.sources.facts import Identity, Seen, Stat
from callboard.sources.kinds import kind_of
from callboard.sources.lane import Lane
from callboard.sources.settle import Entry, QuietTime, SettleQueue
from callboard.sources.survey import Survey, Surveyor
from callboard.sources.voice import Reason, Voice

Key = bytes | Family
Telling = Coroutine[None, None, None]

SMALL = 32 << 20
"""Bytes up to which a file is read beside others; larger ones have a thread of their own."""
BATCH = 64
"""Small files looked at in one go."""
FIRST_FRAMES = 5.0
"""Times the quiet time that one or two frames wait for the third."""
SLOWEST_RENDER = 600.0
"""Seconds at most between two frames that are waited for."""
RETRY = 60.0
"""Seconds until a file that cannot be read, or a journal that cannot be written, is tried again."""


class FamilyLook(NamedTuple):
    """What a look at numbered stills came to."""

    members: Members | None
    problem: str
    outcomes: list[tuple[bytes, sequences.Group, Outcome]]


class Settling:
    """Everything of one root that has not settled.

    Args:
        surveyor: Knows the root, what is known and how to tell what moved.
        voice: Who is told.
        quiet: Seconds without change.
        local: The file system's times are this machine's, and leases mean something.
        ours: Tells whether an absolute path is Callboard's own output.
        away: Told of known paths that turn out to be gone.
        settled: Called before a file is said to be new or changed: its root is there.
    """

    def __init__(
        self,
        surveyor: Surveyor,
        voice: Voice,
        *,
        quiet: float,
        local: bool,
        ours: Callable[[bytes], bool],
        away: Callable[[bytes], None],
        settled: Callable[[], Awaitable[None]],
    ) -> None:
        self._surveyor = surveyor
        self._ledger = surveyor.ledger
        self._root = surveyor.root
        self._voice = voice
        self._local = local
        self._ours = ours
        self._away = away
        self._settled = settled
        self.queue: SettleQueue[Key] = SettleQueue(QuietTime(quiet))
        self.empty: dict[bytes, Stat] = {}
        """Files of no bytes, as they were when that was found."""
        self.unreadable: dict[Key, str] = {}
        self._changed = asyncio.Event()
        self._small: asyncio.Queue[Entry[Key]] = asyncio.Queue()
        self._large: asyncio.Queue[Entry[Key]] = asyncio.Queue()
        self._lanes = (Lane("callboard-read-small"), Lane("callboard-read-large"))

    def take(self, survey: Survey, *, initial: bool) -> None:
        """Let what a survey found wait until it is whole."""
        for path, stat in survey.files:
            if self.empty.get(path) != stat:
                self._touch(path, stat, initial=initial)
        for family, found in survey.families:
            if found is None:
                self._touch(family, None, initial=initial)
            elif found.stat is not None:
                self._touch(family, found.stat, initial=initial, need=self._need(found))
        self._changed.set()

    def take_file(self, path: bytes, stat: Stat) -> None:
        """Let one file wait until it is whole."""
        self._touch(path, stat)
        self._changed.set()

    def entries(self) -> Iterable[Entry[Key]]:
        """Give everything that waits."""
        return self.queue.entries.values()

    def lost(self, path: bytes) -> None:
        """Take a waiting path for gone; what is being read is looked at once more."""
        entry = self.queue.entries.get(path)
        if entry is not None and entry.examined:
            entry.stat = None
        elif entry is not None:
            self.queue.drop(path)

    def close(self) -> None:
        """Let the reading threads end."""
        for lane in self._lanes:
            lane.close()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feed())
            group.create_task(self._work(self._small, self._lanes[0], BATCH))
            group.create_task(self._work(self._large, self._lanes[1], 1))

    def _touch(self, key: Key, stat: Stat | None, *, initial: bool = False, need: float = 0.0) -> None:
        new = self.queue.touch(key, stat, time.monotonic(), age=self._age(stat), need=need, initial=initial)
        if new and isinstance(key, bytes):
            self._voice.note(key, "seen", f"{stat.size} bytes" if stat else "")

    def _age(self, stat: Stat | None) -> float:
        """Seconds since the last change, where the file system's clock is ours; else it was just now."""
        return max(0.0, time.time() - stat.ctime_ns / 1e9) if self._local and stat is not None else 0.0

    def _need(self, found: Members) -> float:
        """Seconds of quiet that numbered stills need: twice the rhythm of a render."""
        if not found.groups:
            return FIRST_FRAMES * self.queue.quiet.seconds(time.monotonic())
        return min(2 * found.rhythm, SLOWEST_RENDER)

    async def _feed(self) -> None:
        """Hand out what is due, at the moment when it is due."""
        while True:
            self._changed.clear()
            for entry in self.queue.due(time.monotonic()):
                small = isinstance(entry.key, bytes) and (entry.stat is None or entry.stat.size <= SMALL)
                (self._small if small else self._large).put_nowait(entry)
            try:
                async with asyncio.timeout_at(self.queue.next_due()):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _work(self, queue: asyncio.Queue[Entry[Key]], lane: Lane, most: int) -> None:
        while True:
            batch = [await queue.get()]
            room = SMALL
            while len(batch) < most and room > 0 and not queue.empty():
                entry = queue.get_nowait()
                room -= entry.stat.size if entry.stat else 0
                batch.append(entry)
            # what a look must find is fixed now: a change that is heard of meanwhile then counts as one
            looks = [(entry, entry.stat, entry.sure) for entry in batch]
            answers = await lane.run(lambda looks=looks: [self._look(*look) for look in looks])  # type: ignore[misc]  # the default argument binds this round's list
            tellings: list[Telling] = []
            for (entry, stat, _), answer in zip(looks, answers, strict=True):
                tellings += self._answer(entry, stat, answer)
            if tellings:
                await asyncio.gather(*tellings)
            self._changed.set()

    def _look(self, entry: Entry[Key], stat: Stat | None, sure: bool) -> Outcome | FamilyLook:
        key = entry.key
        if isinstance(key, bytes):
            return examine(os.path.join(self._root, key), stat, leased=self._local, sure=sure)
        try:
            found = members(self._root, key)
        except OSError as error:
            return FamilyLook(None, error.strerror or str(error), [])
        if found.stat is None or found.stat != stat:
            return FamilyLook(found, "", [])
        folder = os.path.join(self._root, key.folder)
        outcomes = [
            (path, group, examine_group(folder, group, of, leased=self._local, sure=sure))
            for path, group, of in found.groups
            if not self._surveyor.same_group(path, group, of)
        ]
        return FamilyLook(found, "", outcomes)

    def _answer(self, entry: Entry[Key], stat: Stat | None, answer: Outcome | FamilyLook) -> list[Telling]:
        if isinstance(answer, FamilyLook) and isinstance(entry.key, Family):
            return self._answer_family(entry, entry.key, stat, answer)
        assert isinstance(answer, Outcome)
        assert isinstance(entry.key, bytes)
        if answer.verdict == "whole":
            assert answer.identity is not None
            return [self._tell(entry, stat, [self._seen(entry.key, answer.identity)])]
        self._wait(entry, answer)
        return []

    def _wait(self, entry: Entry[Key], outcome: Outcome) -> None:
        """Do what an outcome that is not a whole file asks for."""
        now, key = time.monotonic(), entry.key
        name = key if isinstance(key, bytes) else key.join(key.prefix + b"#" + key.suffix)
        if outcome.verdict == "busy":
            self.queue.busy(key, now)
            if entry.tries == 1:
                self._voice.note(name, "waiting", "another program has it open for writing")
        elif outcome.verdict == "unsure":
            self.queue.unsure(key, now)
        elif outcome.verdict == "unreadable":
            if self.unreadable.get(key) != outcome.detail:
                self._voice.note(name, "failed", f"cannot be read: {outcome.detail}; tried again when it changes")
            self.unreadable[key] = outcome.detail
            entry.stat = outcome.stat
            self.queue.later(key, now, RETRY)
        elif outcome.verdict in ("gone", "empty"):
            self.queue.drop(key)
            self._gone_or_empty(name, outcome)
        else:
            self.queue.moved(key, outcome.stat, now, age=self._age(outcome.stat))

    def _gone_or_empty(self, path: bytes, outcome: Outcome) -> None:
        if outcome.verdict == "gone":
            self._away(path)
        elif outcome.stat is not None:
            self.empty[path] = outcome.stat
            self._voice.note(path, "empty", "has no bytes yet")

    def _answer_family(self, entry: Entry[Key], family: Family, stat: Stat | None, look: FamilyLook) -> list[Telling]:
        found = look.members
        if found is None:
            self._wait(entry, Outcome("unreadable", stat, detail=look.problem))
            return []
        if found.stat is None:
            self.queue.drop(family)
            return []
        if found.stat != stat:
            entry.need = self._need(found)
            self.queue.moved(family, found.stat, time.monotonic(), age=self._age(found.stat))
            return []
        for _, _, outcome in look.outcomes:
            if outcome.verdict != "whole":
                # one sequence's stat is not the family's: what moved is looked at afresh
                self._wait(entry, outcome if outcome.verdict != "moved" else Outcome("moved"))
                return []
        whole = [
            self._seen(path, outcome.identity, group.sequence)
            for path, group, outcome in look.outcomes
            if outcome.identity is not None
        ]
        for path, single in found.singles:
            if not self._ledger.same(path, single):
                self._touch(path, single, initial=entry.initial)
        return [self._tell(entry, stat, whole)]

    def _seen(self, path: bytes, identity: Identity, sequence: Sequence | None = None) -> Seen:
        kind = "sequence" if sequence else kind_of(path) or "other"
        return Seen.of(path, kind, identity.digest, identity.stat, sequence)

    async def _tell(self, entry: Entry[Key], stat: Stat | None, whole: list[Seen]) -> None:
        """Say what is whole; what changed meanwhile, or could not be journalled, waits again."""
        seconds = time.monotonic() - entry.changed
        try:
            for seen in whole:
                await self._say(seen, seconds, initial=entry.initial)
        except CallboardError as error:
            self._voice.note(whole[0].path, "waiting", f"could not be journalled: {error.message}")
            self.queue.later(entry.key, time.monotonic(), RETRY)
            return
        self.unreadable.pop(entry.key, None)
        if entry.stat == stat:
            self.queue.drop(entry.key)
        else:
            self.queue.moved(entry.key, entry.stat, time.monotonic(), age=self._age(entry.stat))

    async def _say(self, seen: Seen, seconds: float, *, initial: bool) -> None:
        self.empty.pop(seen.path, None)
        known = self._ledger.seen.get(seen.path)
        if self._ours(os.path.join(self._root, seen.path)):
            self._voice.note(seen.path, "ignored", "is Callboard's own output")
        elif known is not None and known.digest == seen.digest and known.kind == seen.kind:
            self._voice.unchanged(seen)
        elif known is None and (former := self._ledger.lost_with(seen.digest)) is not None:
            await self._voice.renamed(former, seen)
        else:
            if known is not None and seen.sequence is None and seen.size > known.size:
                self._learn(known, seen)
            reason: Reason = "changed" if known is not None else "found" if initial else "new"
            await self._settled()
            await self._voice.settled(seen, reason, seconds)

    def _learn(self, known: Seen, seen: Seen) -> None:
        """A file that grew soon after it settled was not whole: its writer closes it between its chunks."""
        gap = (seen.mtime_ns - known.mtime_ns) / 1e9
        quiet = self.queue.quiet.seconds(time.monotonic())
        if known.inode == seen.inode and 0 < gap < 10 * quiet:
            self.queue.quiet.stalled(gap, time.monotonic())
