"""A lane: the plugins that share a process, that process, and the one where suspects are tried alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from callboard_schemas import Failure, Job

from callboard.discovery import Found
from callboard.plugin.messages import Finished, Said
from callboard.process_group import resident
from callboard.worker.child import Child, ProcessGone, Surround
from callboard.worker.process import Lost, WorkerProcess

MOST_TRIES = 3
"""Times that a job is tried again because another took the process down, before it is tried alone."""
OVER = 1.2
"""Times its limit at which a process is ended although jobs are in it; at the limit itself it gets no new ones."""


class Lane:
    """Gives jobs to a process that is started when first needed and replaced when it is old, fat or dead."""

    def __init__(
        self,
        name: str,
        plugins: Sequence[Found],
        surround: Surround,
        *,
        recycle_after: int,
        rss_limit: int,
        on_said: Callable[[Job, Said], None],
    ) -> None:
        self.name, self.plugins = name, tuple(plugins)
        self.starts = 0
        self.done = 0
        self._surround, self._on_said = surround, on_said
        self._recycle_after, self._rss_limit = recycle_after, rss_limit
        self._main: WorkerProcess | None = None
        self._apart: WorkerProcess | None = None
        self._suspects = 0
        self._starting, self._one = asyncio.Lock(), asyncio.Lock()
        self._leaving: dict[WorkerProcess, asyncio.Task[None]] = {}
        self._closed = False

    @property
    def processes(self) -> list[WorkerProcess]:
        """Every live process of the lane."""
        now = [self._main, self._apart, *self._leaving]
        return [process for process in now if process is not None and not process.gone]

    async def run(self, job: Job, found: Found) -> Finished | Failure:
        """Do *job* until somebody knows how it went: with others first, alone when it may have killed them."""
        for _ in range(MOST_TRIES):
            process = await self._current()
            answer = await process.run(job, found)
            self._settle(process)
            if not isinstance(answer, Lost):
                return answer
            if answer.suspect:
                break
        return await self._run_alone(job, found)

    async def _run_alone(self, job: Job, found: Found) -> Finished | Failure:
        self._suspects += 1
        try:
            async with self._one:
                while True:
                    process = await self._empty_process()
                    answer = await process.run(job, found)
                    self.done += 1
                    if not isinstance(answer, Lost):
                        return answer
        finally:
            self._suspects -= 1
            if not self._suspects and self._apart is not None:
                self._leave(self._apart)
                self._apart = None

    async def _current(self) -> WorkerProcess:
        async with self._starting:
            if self._main is not None and self._main.ending:
                self._leave(self._main)
                self._main = None
            if self._main is None:
                self._main = await self._start()
            return self._main

    async def _empty_process(self) -> WorkerProcess:
        """Give a process with no job in it, not even a cancelled one that lingers."""
        if self._apart is not None and (self._apart.in_flight or self._apart.ending):
            self._leave(self._apart)
            self._apart = None
        if self._apart is None:
            self._apart = await self._start()
        return self._apart

    async def _start(self) -> WorkerProcess:
        if self._closed:
            raise ProcessGone("Callboard is stopping")
        child = await Child.start(self.name, self._surround)
        self.starts += 1
        process = WorkerProcess(child, self._on_said, self._surround.clock)
        if self._closed:
            await process.stop()
            raise ProcessGone("Callboard is stopping")
        return process

    def _settle(self, process: WorkerProcess) -> None:
        """Count a job, and let go of a process that is old or fat: it gets no new jobs and ends after its last."""
        self.done += 1
        if process is not self._main:
            return
        if process.gone:
            self._main = None
        elif process.done >= self._recycle_after or resident(process.child.pid) > self._rss_limit:
            self._main = None
            self._leave(process)

    def _leave(self, process: WorkerProcess) -> None:
        if not process.gone and process not in self._leaving:
            task = asyncio.get_running_loop().create_task(self._retire(process))
            self._leaving[process] = task
            task.add_done_callback(lambda _: self._leaving.pop(process, None))

    async def _retire(self, process: WorkerProcess) -> None:
        await process.drained()
        await process.stop()

    def watch_memory(self) -> None:
        """End what holds far more memory than its limit, and replace what is fat and idle."""
        for process in self.processes:
            held = resident(process.child.pid)
            if held > self._rss_limit * OVER:
                limit = self._rss_limit >> 20
                message = f"the plugin process held {held >> 20} MiB of memory, its limit is {limit}; it was ended"
                process.condemn_all("memory", message)
            elif held > self._rss_limit and process is self._main:
                self._main = None
                self._leave(process)

    async def close(self) -> None:
        """Stop every process."""
        self._closed = True
        await asyncio.gather(*(process.stop() for process in self.processes), return_exceptions=True)
        for task in list(self._leaving.values()):
            with contextlib.suppress(asyncio.CancelledError):
                await task


__all__ = ["Lane"]
