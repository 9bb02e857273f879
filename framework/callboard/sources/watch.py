"""A watched folder: hints tell early, surveys tell the truth, and each file is said once it is whole."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from callboard.config import Watch
from callboard.sources import roots
from callboard.sources.absence import Absence, RootStatus
from callboard.sources.explain import explain
from callboard.sources.facts import Emit, Note, Refresh, Seen
from callboard.sources.hints import Batch, Inbox, Listener, Say, WatchLimit, listen
from callboard.sources.ignore import Ignore
from callboard.sources.lane import Lane
from callboard.sources.ledger import Ledger
from callboard.sources.settling import Settling
from callboard.sources.survey import RULES, Survey, Surveyor
from callboard.sources.voice import Voice

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two looks at the root folder itself."""
POLL_SHARE = 10.0
"""A polled root is left alone for at least so many times as long as a survey of it took."""
AT_ONCE = 64
"""Renames journalled at once."""


class WatchSource:
    """Watches one folder until its ``run`` is cancelled.

    Args:
        watch: Its settings.
        folder: Where it is.
        emit: Journals an event; returns when it is safe.
        note: Hears what happened to each path, for ``callboard explain``.
        known: What the catalog remembers of this root: relative path to what settled.
        ours: Tells whether an absolute path is Callboard's own output, which is never said.
        refresh: Told of a known file's new stat where its content is the same; else it is read again at each start.
        listener: Starts what tells early; for systems without one, and for tests.
        subtitles: Subtitle files are media too: somebody answers them.
    """

    def __init__(
        self,
        watch: Watch,
        folder: Path,
        *,
        emit: Emit,
        note: Note,
        known: Mapping[bytes, Seen],
        ours: Callable[[bytes], bool],
        refresh: Refresh = lambda _seen: None,
        listener: Callable[[bytes, Say], Listener] = listen,
        subtitles: bool = False,
    ) -> None:
        self.watch = watch
        self.root = os.path.abspath(os.fsencode(folder))
        self.ready = asyncio.Event()
        """Set after the first survey, or once the root is known to be offline."""
        self.notice = ""
        """Why the root is polled although it could be listened to; empty otherwise."""
        self.rescans = 0
        """Surveys of the whole root so far."""
        self.polled = watch.mode == "poll"
        self._note, self._refresh, self._listen = note, refresh, listener
        self._ledger = Ledger(known, stable_inodes=True)
        self._voice = Voice(watch.name, self._ledger, emit, note, refresh)
        self._ours = ours
        self._subtitles: Callable[[bytes], bool] = lambda path: subtitles and not ours(path)
        self._surveyor = Surveyor(self.root, self._ledger, Ignore(), self._subtitles)
        self._lane, self._surveying = Lane(f"callboard-watch-{watch.name}"), asyncio.Lock()
        self._listener: Listener | None = None
        self._armed = (0, 0)
        self._wake = asyncio.Event()
        self._wanted = "the first survey"
        self._next_survey = 0.0
        self._marked = False
        self._build(roots.Filesystem("", local=True, stable_inodes=True))

    @property
    def state(self) -> RootStatus:
        """How the root stands: ``starting``, ``online`` or ``offline``."""
        return self._absence.status

    @property
    def problem(self) -> str:
        """Why the root is offline; empty otherwise."""
        return self._absence.problem

    @property
    def busy(self) -> bool:
        """Whether files wait to be whole, or to be journalled."""
        return bool(self._settling.queue.entries)

    def explain(self, path: bytes) -> str:
        """Say in one line how a path (relative to the root) stands now, and why."""
        return explain(path, self._surveyor, self._settling, self._absence, self._ours, self.notice)

    def rescan(self, why: str) -> None:
        """Ask for a survey of the whole root, soon."""
        self._wanted = self._wanted or why
        self._wake.set()

    async def run(self) -> None:
        """Watch until cancelled; what was emitted is journalled, what waits is found again at the next start."""
        self._inbox = Inbox(asyncio.get_running_loop())
        try:
            await self._prepare()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._settling.run())
                group.create_task(self._follow_hints())
                group.create_task(self._rounds())
        finally:
            self._disarm()
            self._settling.close()
            self._lane.close()

    def _build(self, system: roots.Filesystem) -> None:
        """Put together what depends on the file system."""
        self._absence = Absence(
            self.root,
            self._ledger,
            self._voice,
            grace=2 * self.watch.quiet + 1.0,
            expected=lambda size: any(e.stat is not None and e.stat.size == size for e in self._settling.entries()),
        )
        self._settling = Settling(
            self._surveyor,
            self._voice,
            quiet=self.watch.quiet,
            local=system.local,
            ours=self._ours,
            away=self._absence.away,
            settled=self._revive,
        )

    async def _prepare(self) -> None:
        folder = os.fsdecode(self.root)
        system = await self._lane.run(lambda: roots.filesystem(folder))
        self._ledger = Ledger(self._ledger.seen, stable_inodes=system.stable_inodes)
        self._voice = Voice(self.watch.name, self._ledger, self._voice.emit, self._note, self._refresh)
        rules = await self._lane.run(self._rules)
        self._surveyor = Surveyor(self.root, self._ledger, rules, self._subtitles)
        self._build(system)
        if self.watch.mode == "auto":
            self.polled = not system.local
        self._marked = await self._lane.run(lambda: os.path.exists(os.path.join(self.root, roots.MARKER)))

    def _rules(self) -> Ignore:
        return Ignore.of(self.root, self.watch.ignore)

    async def _revive(self) -> None:
        if self._absence.status == "offline" and not self._absence.judge(roots.look(self.root, marked=self._marked)):
            await self._absence.revive()

    # the root itself

    async def _rounds(self) -> None:
        gaps = roots.Gaps()
        while True:
            reason = gaps.tick(time.monotonic(), TICK)
            if reason:
                self.rescan(reason)
            self._wake.clear()
            await self._round()
            self.ready.set()
            due = self._absence.next_due()
            wait = min(TICK, max(0.0, due - time.monotonic())) if due is not None else TICK
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _round(self) -> None:
        """Look at the root, survey it where that is due, and give up what has been missing for long enough."""
        health = await self._lane.run(lambda: roots.look(self.root, marked=self._marked))
        reason = self._absence.judge(health)
        if reason:
            self._disarm()
            await self._absence.leave(reason)
            return
        if self._armed != health.identity:
            await self._arm(health.identity)
        if self._absence.status == "offline":
            self._wanted = self._wanted or "the root is back"
        now = time.monotonic()
        if self._wanted or now >= self._next_survey:
            why, self._wanted = self._wanted or "it was due", ""
            await self._survey_root(why)
            took = time.monotonic() - now
            pause = max(self.watch.poll, POLL_SHARE * took) if self.polled else self.watch.rescan
            self._next_survey = time.monotonic() + pause
        await self._absence.reap(self._lane)

    async def _arm(self, identity: tuple[int, int]) -> None:
        """Listen to the root as it is now: the folder may have been replaced, or mounted over."""
        self._disarm()
        self._armed = identity
        self._wanted = self._wanted or "the root was replaced"
        self._surveyor.reload(await self._lane.run(self._rules))
        if self.polled:
            return
        try:
            self._listener = await self._lane.run(lambda: self._listen(self.root, self._inbox.say))
        except (WatchLimit, OSError) as error:
            self._poll_instead(str(error))

    def _disarm(self) -> None:
        listener, self._listener, self._armed = self._listener, None, (0, 0)
        if listener is not None:
            listener.close()

    def _poll_instead(self, problem: str) -> None:
        if not self.polled:
            self.polled, self.notice = True, f"polled every {self.watch.poll:g} s, because {problem}"
            log.warning("watch %r is %s", self.watch.name, self.notice)

    async def _survey_root(self, why: str) -> None:
        initial = not self.ready.is_set()
        async with self._surveying:
            known = set(self._ledger.seen)
            try:
                listener = None if self.polled else self._listener
                survey = await self._lane.run(lambda: self._surveyor.tree(listener))
            except WatchLimit as limit:
                self._poll_instead(str(limit))
                survey = await self._lane.run(lambda: self._surveyor.tree(None))
            self.rescans += 1
            log.debug("watch %r: surveyed %d files, because %s", self.watch.name, survey.count, why)
            await self._apply(survey, initial=initial)
            if b"" not in survey.failed:
                lost = {path for path in known - survey.present if path in self._ledger.seen and survey.knows_of(path)}
                await self._absence.surveyed(lost)

    # hints

    async def _follow_hints(self) -> None:
        while True:
            await self._follow(await self._inbox.read())

    async def _follow(self, hints: Batch) -> None:
        if hints.lost or hints.root:
            # folders may have moved unheard: their watches would give hints with stale paths, so all are made anew
            self._armed = (0, 0)
            self.rescan("the watcher lost events" if hints.lost else "the root went")
        listener = self._listener
        if RULES in hints.files:
            self._surveyor.reload(await self._lane.run(self._rules))
            self.rescan(".callboardignore changed")
        if hints.went and listener is not None:
            await self._lane.run(lambda: listener.forget(hints.went))
            self._wanted = self._wanted or "folders went"  # at the next tick: many may go at once
        async with self._surveying:
            if hints.files:
                survey = await self._lane.run(lambda: self._surveyor.paths(hints.files))
                await self._apply(survey, initial=False, told=hints.gone)
            for folder in hints.folders:
                await self._survey_folder(folder, listener)

    async def _survey_folder(self, folder: bytes, listener: Listener | None) -> None:
        try:
            survey = await self._lane.run(lambda: self._surveyor.tree(listener, folder))
        except WatchLimit as limit:
            self._poll_instead(str(limit))
            self.rescan("no watches are left")
            return
        await self._apply(survey, initial=False)

    async def _apply(self, survey: Survey, *, initial: bool, told: Collection[bytes] = ()) -> None:
        for path in survey.present:
            self._ledger.back(path)
        for path, rule in survey.ignored:
            self._note(path, "ignored", rule)
        for folder, error in survey.failed.items():
            if folder or not isinstance(error, FileNotFoundError):
                self._note(folder, "failed", f"the folder cannot be listed: {error.strerror}")
        for path in survey.absent:
            self._settling.lost(path)
            self._absence.away(path, told=path in told)
        self._settling.take(survey, initial=initial)
        for start in range(0, len(survey.renames), AT_ONCE):
            renames = survey.renames[start : start + AT_ONCE]
            await asyncio.gather(*(self._rename(r.old, r.seen()) for r in renames))

    async def _rename(self, old: Seen, seen: Seen) -> None:
        """Follow a settled file to its new path, unless it was replaced or is ours meanwhile."""
        if self._ledger.seen.get(old.path) is not old or self._ours(os.path.join(self.root, seen.path)):
            self._settling.take_file(seen.path, seen.stat)
            return
        self._settling.lost(seen.path)
        self._settling.lost(old.path)
        await self._voice.renamed(old, seen)
