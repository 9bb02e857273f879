"""The dispatcher: takes queued jobs to the plugins, and commits what comes back.

Failures have classes: what would fail again gets two tries, what takes its process down three, and what the
surroundings stop waits without being counted.
"""

from __future__ import annotations

import asyncio
import collections
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

import msgspec
from callboard_schemas import (
    Failure,
    Job,
    JobDone,
    JobFailed,
    JobState,
    Outcome,
    Parameters,
    decode_path,
    encode_path,
)

from callboard import announce
from callboard.catalog import Catalog, dead, jobs, journal
from callboard.catalog.jobs import Row
from callboard.errors import Blocked
from callboard.failpoints import failpoint
from callboard.following import Following
from callboard.glossary import MODEL as GLOSSARY
from callboard.vocabulary import MODEL as VOCABULARY
from callboard.whereabouts import Whereabouts, stamp

log = logging.getLogger(__name__)

TRIES = 2
"""Tries of a job that fails by itself."""
CRASHES = 3
"""Processes that one job may take down."""
_BACKOFF = (5.0, 30.0, 120.0, 600.0)
"""Seconds before a crashed job is tried again."""
_AHEAD = 32
"""Queued jobs that are read at once."""
_SHOWN_AFTER = 0.5
"""Seconds after which a job is shown as running."""
_FULL = 2.0
"""Seconds between tries to commit while the disk is full."""
_AWAY = Failure(
    code="media-away",
    message="the media is not where it was last seen",
    cause="environment",
    hint="It goes on when the file or its share is back.",
)
_REPLACED = Failure(
    code="media-replaced", message="the file was replaced by other content meanwhile", cause="deterministic"
)


class Pool(Protocol):
    """What runs a job: ``callboard.worker.PluginPool``."""

    async def run(self, job: Job) -> Outcome:
        """Run a job; a plugin's failure is a value."""
        ...


Settled = Literal["done", "failed", "queued", "blocked", "cancelled"]
"""What a job is after an attempt."""

Accept = Callable[[sqlite3.Connection, Row, JobDone], list[str]]
"""Stores proposals and applies the policy; returns the ids that were accepted."""


class Dispatcher:
    """Runs queued jobs, *workers* at once.

    Args:
        catalog: Where jobs are.
        pool: What runs them.
        following: Asks that sidecars follow.
        whereabouts: Knows where media is.
        accept: Called inside the commit of a job.
        compiled: For ``vocabulary`` and ``glossary``, says where the compiled one of a digest is.
        workers: Jobs at once.
        run: Only this run's jobs, and failures are tried again at once: somebody waits.
        committed: Called after each commit.
        broke: Told when a job of the run that somebody waits for could not be committed.
    """

    def __init__(
        self,
        catalog: Catalog,
        pool: Pool,
        following: Following,
        whereabouts: Whereabouts,
        accept: Accept,
        *,
        compiled: Mapping[str, Callable[[str], Path]],
        workers: int,
        run: str = "",
        ensure: Callable[[], Awaitable[None]] | None = None,
        committed: Callable[[str, str], None] | None = None,
        broke: Callable[[Exception], None] | None = None,
    ) -> None:
        self._catalog, self._pool, self._following, self._accept = catalog, pool, following, accept
        self._workers, self._run, self._ensure = workers, run, ensure
        self._committed = committed or (lambda _key, _state: None)
        self._whereabouts, self._compiled = whereabouts, compiled
        self._broke = broke or (lambda _error: None)
        self._held = ""
        self._wake = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ahead: collections.deque[Row] = collections.deque()

    @property
    def running(self) -> tuple[str, ...]:
        """Keys of the jobs that run now."""
        return tuple(self._tasks)

    def hold(self, reason: str) -> None:
        """Start nothing that nobody waits for while *reason* is given; what runs goes on."""
        self._held = reason
        self._ahead.clear()
        self._wake.set()

    @property
    def held(self) -> str:
        """Why nothing is started that nobody waits for; empty when it is."""
        return self._held

    def wake(self) -> None:
        """Say that there may be work."""
        self._wake.set()

    async def run(self) -> None:
        """Dispatch until cancelled; jobs that run then are queued again at the next start."""
        await self._catalog.write(jobs.requeue_running)
        try:
            while True:
                self._wake.clear()
                self._start_ready()
                await self._until_wake()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _start_ready(self) -> None:
        room = self._workers - len(self._tasks)
        if room <= 0:
            return
        if len(self._ahead) < room:
            taken = {*self._tasks, *(row.key for row in self._ahead)}
            rows = self._catalog.read(
                lambda conn: jobs.ready(conn, len(taken) + _AHEAD, self._run, wanted_only=bool(self._held))
            )
            self._ahead.extend(row for row in rows if row.key not in taken)
        while self._ahead and len(self._tasks) < self._workers:
            ahead = self._ahead.popleft().key
            row = self._catalog.read(partial(jobs.get, key=ahead))
            if row is None or row.state != "queued":
                continue  # it was read ahead, and somebody else settled it meanwhile
            self._tasks[row.key] = asyncio.create_task(self._do(row), name=f"job {row.key[:12]}")

    async def _until_wake(self) -> None:
        idle = len(self._tasks) < self._workers
        when = self._catalog.read(lambda conn: jobs.next_ready(conn, time.time())) if idle else None
        wait = None if when is None or when <= time.time() else when - time.time()
        try:
            await asyncio.wait_for(self._wake.wait(), wait)
        except TimeoutError:
            return

    async def _do(self, row: Row) -> None:
        showing = asyncio.get_running_loop().call_later(_SHOWN_AFTER, self._show_running, row.key)
        try:
            if self._ensure is not None:
                await self._ensure()
            outcome = await self._attempt(row)
            showing.cancel()  # before the commit, which must have the last word on the job's state
            await self._settle(row, outcome)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - one job's trouble must not end the others
            self._broke(error)
        finally:
            showing.cancel()
            self._tasks.pop(row.key, None)
            self._wake.set()

    def _show_running(self, key: str) -> None:
        """Say that a job runs; a short one is over before anybody could look."""
        self._catalog.submit(lambda conn: jobs.running(conn, key))

    async def _attempt(self, row: Row) -> Outcome:
        event = self._catalog.read(lambda conn: journal.event(conn, row.event))
        asset = row.subject
        spot = self._whereabouts.locate(row)
        if asset is not None and spot is None:
            return JobFailed(key=row.key, failure=_AWAY)
        if asset is not None and spot is not None and not spot.known:
            problem = await self._whereabouts.introduce(asset, spot.path)
            if problem is not None:
                return JobFailed(key=row.key, failure=problem)
        path = spot.path if spot is not None else None
        before = stamp(path)
        outcome = await self._pool.run(
            Job(
                key=row.key,
                plugin=row.plugin,
                event=msgspec.Raw(event.body if event else b"null"),
                asset=asset,
                path=encode_path(path) if path else None,
                parameters=msgspec.json.decode(row.parameters, type=Parameters),
                models=msgspec.json.decode(row.models, type=dict[str, str]),
                attempt=row.tries + row.crashes + 1,
                deadline=row.deadline,
                vocabulary=self._kept(row, VOCABULARY),
                glossary=self._kept(row, GLOSSARY),
                urgent=bool(self._run) or (event is not None and event.type.endswith(jobs.WANTED)),
            )
        )
        after = stamp(path)
        if path and after != before:
            if after is not None:
                return JobFailed(key=row.key, failure=_REPLACED)
            if isinstance(outcome, JobFailed):
                return JobFailed(key=row.key, failure=_AWAY, seconds=outcome.seconds)
        return outcome

    def _kept(self, row: Row, name: str) -> str | None:
        """Say where the compiled file *name* is that the job's key names."""
        digest = msgspec.json.decode(row.models, type=dict[str, str]).get(name)
        return str(self._compiled[name](digest)) if digest else None

    async def _settle(self, row: Row, outcome: Outcome) -> None:
        failpoint("job.before_commit")
        state = await self._write(row, outcome)
        failpoint("job.after_commit")
        self._committed(row.key, state)

    async def _write(self, row: Row, outcome: Outcome) -> Settled:
        """Commit, and wait for room while the disk is full: the work is done and must not be done again."""
        while True:
            try:
                return await self._catalog.write(lambda conn: self._commit(conn, row, outcome))
            except Blocked as error:
                if self._run:
                    raise
                log.error("a result waits: %s", error)  # noqa: TRY400 - the message says it all
            await asyncio.sleep(_FULL)

    def _commit(self, conn: sqlite3.Connection, row: Row, outcome: Outcome) -> Settled:
        if isinstance(outcome, JobDone):
            jobs.done(conn, row.key, outcome.seconds)
            if self._accept(conn, row, outcome):
                self._following.asset(conn, row.digest, row.run)
            state: Settled = "done"
            why = None
        else:
            state, why = self._fail(conn, row, outcome.failure), outcome.failure
        if state in ("done", "failed", "cancelled"):
            jobs.close_run(conn, row.run)
        if state in ("done", "failed"):
            told = JobState(key=row.key, plugin=row.plugin, state=state, run=row.run, failure=why)
            announce.job(conn, told, journal.envelope(conn, row.event))
        asset = row.subject
        if asset is not None:
            text = f"{row.plugin}: {state}" + (f" in {outcome.seconds:.1f} s" if state == "done" else "")
            journal.note(conn, asset.place.root, decode_path(asset.place.path), text, why.message if why else "")
        return state

    def _fail(self, conn: sqlite3.Connection, row: Row, why: Failure) -> Settled:
        """Count a failure and say what becomes of the job."""
        if why.code == _REPLACED.code:
            jobs.cancel(conn, row.key, why)
            return "cancelled"
        if why.code == "runtime-gone":
            why = msgspec.structs.replace(why, cause="crash")
        if why.cause == "environment":
            jobs.failed(conn, row.key, why, "blocked")
            return "blocked"
        used, limit = (row.tries, TRIES) if why.cause == "deterministic" else (row.crashes, CRASHES)
        if used + 1 < limit:
            patient = why.cause == "crash" and not self._run
            jobs.failed(conn, row.key, why, "queued", _BACKOFF[min(used, 3)] if patient else 0.0)
            return "queued"
        jobs.failed(conn, row.key, why, "failed")
        asset = row.subject
        path = self._following.media(asset.place.root, decode_path(asset.place.path)) if asset else None
        dead.bury(conn, f"j-{row.key[:12]}", "job", row.key, why, path=path or b"")
        return "failed"
