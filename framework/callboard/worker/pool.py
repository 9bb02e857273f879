"""The pool of plugin processes, as the supervisor uses it: give it a job, get an outcome, whatever the plugin does."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from callboard_schemas import Failure, Job, JobDone, JobFailed, Outcome, Progress, Provenance
from msgspec import Struct

from callboard.discovery import Found
from callboard.errors import Blocked
from callboard.plugin.answers import one_line
from callboard.plugin.messages import Finished, Said
from callboard.process_group import kill_orphans, resident
from callboard.worker.breaker import Breaker
from callboard.worker.child import Surround
from callboard.worker.clock import HeldClock
from callboard.worker.lane import Lane

_BUILTIN = "BUILTIN"
"""The lane of the plugins that come with Callboard; no plugin is named so, for an id has no capitals."""
_CRASHES = frozenset({"crashed", "deadline", "memory"})
_FAULTS = frozenset({"exception", "bad-result", "plugin-broken"})
WATCH_SECONDS = 1.0
"""Between two looks at the processes' memory."""
RECYCLE_AFTER = 200
RSS_LIMIT = 4 << 30
"""Bytes of memory at which a plugin process is replaced; half of the machine's where that is less."""

_log = logging.getLogger(__name__)


class ProcessStatus(Struct, frozen=True, kw_only=True):
    """One plugin process, as ``callboard status`` shows it; ``pid`` is 0 where none is needed now."""

    plugins: tuple[str, ...]
    pid: int
    in_flight: int
    """Jobs in it now."""
    done: int
    """Jobs that its plugins did since the pool was opened, failed ones included."""
    restarts: int
    """Processes started after the first: recycled, fat, crashed or killed."""
    rss: int
    """Bytes of memory."""


class PluginPool:
    """Runs jobs in plugin processes. Nothing is started until first needed.

    Built-in plugins share a process, every other plugin has its own. ``workers`` bounds the jobs at once over all of
    them, a manifest's ``concurrency`` those of one plugin.
    """

    def __init__(
        self,
        plugins: Sequence[Found],
        *,
        run_folder: Path,
        runtime_address: str,
        shm_folder: Path,
        workers: int,
        on_progress: Callable[[Progress], None] | None = None,
        recycle_after: int = RECYCLE_AFTER,
        rss_limit: int = 0,
        clock: Callable[[], float] = time.monotonic,
        store: Path | None = None,
        packs: Path | None = None,
        output: Path | None = None,
        roots: Mapping[str, bytes] | None = None,
        project: Path | None = None,
    ) -> None:
        self._plugins = {found.id: found for found in plugins}
        self._on_progress, self._clock = on_progress, clock
        self._run_folder = run_folder.absolute()
        self._work_clock = HeldClock()
        self._mark = f"{hashlib.sha256(os.fsencode(self._run_folder)).hexdigest()[:16]}-"
        surround = Surround(
            run_folder=self._run_folder,
            runtime_address=runtime_address,
            shm_folder=shm_folder.absolute(),
            mark_prefix=self._mark,
            clock=self._work_clock,
            store=store,
            packs=packs,
            output=output,
            roots=roots or {},
            project=project,
        )
        limit = rss_limit or min(RSS_LIMIT, psutil.virtual_memory().total // 2)
        self._lanes: dict[str, Lane] = {}
        for name, members in self._groups().items():
            self._lanes[name] = Lane(
                name, members, surround, recycle_after=recycle_after, rss_limit=limit, on_said=self._said
            )
        self._slots = asyncio.Semaphore(workers or os.cpu_count() or 1)
        self._limits = {
            found.id: asyncio.Semaphore(found.manifest.concurrency) for found in plugins if found.manifest is not None
        }
        self._breakers = {found.id: Breaker(clock) for found in plugins}
        self._watching: asyncio.Task[None] | None = None

    def _groups(self) -> dict[str, list[Found]]:
        groups: dict[str, list[Found]] = {}
        for found in self._plugins.values():
            groups.setdefault(_BUILTIN if found.builtin else found.id, []).append(found)
        return groups

    async def __aenter__(self) -> Self:
        """Open the pool, and end what a pool on the same folder left when its process was killed."""
        self._run_folder.mkdir(parents=True, exist_ok=True)
        ended = await asyncio.to_thread(kill_orphans, self._mark)
        if ended:
            _log.warning("ended %d processes that an earlier Callboard left behind", ended)
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop every process, in 10 s at most; jobs in flight fail as ``stopped``."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))

    def hold(self, held: bool) -> None:
        """Have the deadlines of jobs stand still while *held*: they wait for models that make way."""
        if held:
            self._work_clock.hold()
        else:
            self._work_clock.release()

    async def run(self, job: Job) -> Outcome:
        """Do one job. Never raises for what the plugin does; cancelling the call cancels the job."""
        started = time.monotonic()
        found = self._plugins.get(job.plugin)
        refusal = _refusal(job.plugin, found)
        if refusal is not None or found is None or found.manifest is None:
            assert refusal is not None
            return JobFailed(key=job.key, failure=refusal)
        async with self._limits[found.id], self._slots:
            started = time.monotonic()
            answer = await self._through_breaker(job, found)
        seconds = time.monotonic() - started
        if isinstance(answer, Failure):
            return JobFailed(key=job.key, failure=answer, seconds=seconds)
        manifest = found.manifest
        provenance = Provenance(
            plugin=manifest.id, version=manifest.version, kind=manifest.kind, parameters=job.parameters
        )
        return JobDone(key=job.key, results=answer.results, provenance=provenance, seconds=seconds)

    async def _through_breaker(self, job: Job, found: Found) -> Finished | Failure:
        breaker = self._breakers[found.id]
        wait = breaker.enter()
        if wait:
            return Failure(
                code="breaker-open",
                cause="environment",
                message=f"plugin {found.id!r} failed too often; it is left alone for {wait:.0f} s more",
                hint=f"'callboard plugins check {found.id}' says more.",
            )
        try:
            answer = await self._do(job, found)
        except BaseException:
            breaker.left()
            raise
        _tell(breaker, job, answer)
        return answer

    async def _do(self, job: Job, found: Found) -> Finished | Failure:
        lane = self._lanes[_BUILTIN if found.builtin else found.id]
        try:
            return await lane.run(job, found)
        except Blocked as error:
            return Failure(code=error.code, cause="environment", message=error.message, hint=error.hint)
        except Exception as error:  # noqa: BLE001 - the pool's own fault must not end the board
            _log.exception("a job of plugin %s failed inside the pool", found.id)
            return Failure(code="internal", cause="environment", message=one_line(error))

    def _said(self, job: Job, said: Said) -> None:
        if self._on_progress is not None:
            path = job.asset.place.path if job.asset else ""
            fraction = min(max(said.fraction, 0.0), 1.0)
            word = Progress(key=job.key, fraction=fraction, note=said.note, plugin=job.plugin, path=path)
            try:
                self._on_progress(word)
            except Exception:  # noqa: BLE001 - who listens must not cost the process that it listens to
                _log.exception("progress could not be passed on")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            for lane in self._lanes.values():
                lane.watch_memory()

    def status(self) -> list[ProcessStatus]:
        """Tell of every plugin process; a lane that needs none now has one row with pid 0."""
        rows: list[ProcessStatus] = []
        for lane in self._lanes.values():
            plugins = tuple(found.id for found in lane.plugins)
            live = [(process.child.pid, len(process.in_flight)) for process in lane.processes] or [(0, 0)]
            rows += [
                ProcessStatus(
                    plugins=plugins,
                    pid=pid,
                    in_flight=jobs,
                    done=lane.done,
                    restarts=max(lane.starts - 1, 0),
                    rss=resident(pid) if pid else 0,
                )
                for pid, jobs in live
            ]
        return rows


def _refusal(plugin: str, found: Found | None) -> Failure | None:
    """Say why a plugin gets no jobs at all."""
    hint = "'callboard plugins list' shows what there is."
    if found is None:
        return Failure(code="plugin-missing", cause="environment", message=f"there is no plugin {plugin!r}", hint=hint)
    if found.error or found.manifest is None:
        message = (found.error or f"plugin {plugin!r} has no manifest").split("\n")[0]
        hint = f"'callboard plugins check {plugin}' says more."
        return Failure(code="plugin-broken", cause="deterministic", message=message, hint=hint)
    if not found.allowed:
        hint = f'Add "{plugin}" to allow_plugins in callboard.toml to let it run.'
        message = f"plugin {plugin!r} is installed but not allowed to run"
        return Failure(code="plugin-not-allowed", cause="environment", message=message, hint=hint)
    return None


def _tell(breaker: Breaker, job: Job, answer: Finished | Failure) -> None:
    """Tell the breaker what a job says of its plugin."""
    if isinstance(answer, Failure) and answer.code in _CRASHES:
        breaker.crashed(job.key)
    elif isinstance(answer, Failure) and answer.code in _FAULTS:
        breaker.failed()
    elif isinstance(answer, Finished) or answer.cause == "deterministic":
        breaker.worked()
    else:
        breaker.left()


__all__ = ["PluginPool", "ProcessStatus"]
