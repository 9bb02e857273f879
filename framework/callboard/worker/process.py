"""Jobs in one plugin process: loading, deadlines, cancelling, and who is to blame when the process dies."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from callboard_schemas import Failure, Job

from callboard.discovery import Found
from callboard.plugin.messages import (
    Cancel,
    Finished,
    FromPlugins,
    Load,
    Loaded,
    Logged,
    Ping,
    Pong,
    Run,
    Said,
)
from callboard.worker.child import Child
from callboard.worker.clock import HeldClock

LOAD_SECONDS = 60.0
"""For a plugin's import and setup."""
CANCEL_SECONDS = 2.0
"""For a cancelled job to let go before its process is ended."""
PING_SECONDS = 1.0
"""For a process to answer at a deadline; one that does not is held up by any of its jobs, not surely the late one."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Lost:
    """A job's process died, and the job is not known to be the cause."""

    suspect: bool
    """Whether the job may be the cause: then it is tried again alone."""


Answer = Finished | Failure | Lost


@dataclass(eq=False)
class Attempt:
    """One try at one job, in one process."""

    job: Job
    id: int = field(default_factory=lambda: next(_numbers))
    future: asyncio.Future[Answer] = field(default_factory=asyncio.Future)
    timer: asyncio.TimerHandle | None = None
    due: float = 0.0
    """By the held clock."""

    def settle(self, answer: Answer) -> None:
        """Answer, once."""
        if self.timer is not None:
            self.timer.cancel()
        if not self.future.done():
            self.future.set_result(answer)


class WorkerProcess:
    """The jobs of one running process."""

    def __init__(self, child: Child, on_said: Callable[[Job, Said], None], clock: HeldClock) -> None:
        self.child, self._clock = child, clock
        self.in_flight: dict[int, Attempt] = {}
        self.done = 0
        self._on_said = on_said
        self._pong, self._idle = asyncio.Event(), asyncio.Event()
        self._loads: dict[str, Failure | None] = {}
        self._waiting: dict[str, list[Attempt]] = {}
        self._verdicts: dict[int, Failure] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        child.on_message, child.on_gone = self._hear, self._bury

    @property
    def gone(self) -> bool:
        """Whether the process has ended."""
        return self.child.gone

    @property
    def ending(self) -> bool:
        """Whether the process takes no more jobs: one that came now would be blamed for an end that is not its own."""
        return self.child.ending or self.child.gone

    async def run(self, job: Job, found: Found) -> Answer:
        """Do *job*. Cancelling lets go of it; a process that does not hear of that in 2 s is ended."""
        if self.gone:
            return Lost(suspect=False)
        attempt = Attempt(job)
        self.in_flight[attempt.id] = attempt
        self._idle.clear()
        self._load_or_begin(attempt, found)
        try:
            return await attempt.future
        except asyncio.CancelledError:
            self._cancel(attempt)
            raise

    def _load_or_begin(self, attempt: Attempt, found: Found) -> None:
        assert found.manifest is not None
        plugin = found.id
        if plugin in self._loads:
            self._begin(attempt)
        elif plugin in self._waiting:
            self._waiting[plugin].append(attempt)
        else:
            self._waiting[plugin] = [attempt]
            self.child.post(Load(found.package, found.manifest, found.distribution))
            self._later(LOAD_SECONDS, lambda: self._load_is_late(plugin))

    def _begin(self, attempt: Attempt) -> None:
        failure = self._loads.get(attempt.job.plugin)
        if failure is not None:
            self._finish(attempt.id, failure)
            return
        self.child.post(Run(attempt.id, msgspec.json.encode(attempt.job)))
        attempt.due = self._clock() + attempt.job.deadline
        attempt.timer = self._later(attempt.job.deadline, lambda: self._start_deadline(attempt))

    def _finish(self, number: int, answer: Finished | Failure) -> None:
        attempt = self._let_go(number)
        if attempt is not None:
            self.done += 1
            attempt.settle(answer)

    def _let_go(self, number: int) -> Attempt | None:
        attempt = self.in_flight.pop(number, None)
        if not self.in_flight:
            self._idle.set()
        return attempt

    async def drained(self) -> None:
        """Wait until no job is in the process."""
        if self.in_flight:
            await self._idle.wait()

    def _later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        timer = asyncio.get_running_loop().call_later(seconds, call)
        self._timers = {other for other in self._timers if not other.cancelled()} | {timer}
        return timer

    # What the process says

    def _hear(self, message: FromPlugins) -> None:
        if isinstance(message, Finished):
            self._finish(message.id, message.failure or message)
        elif isinstance(message, Said):
            attempt = self.in_flight.get(message.id)
            if attempt is not None:
                self._on_said(attempt.job, message)
        elif isinstance(message, Loaded):
            self._loaded(message)
        elif isinstance(message, Logged):
            self._pass_on(message)
        elif isinstance(message, Pong):
            self._pong.set()

    def _loaded(self, message: Loaded) -> None:
        waiting = self._waiting.pop(message.plugin, [])
        self._loads[message.plugin] = message.failure
        for attempt in waiting:
            self._begin(attempt)
        if message.failure is not None and message.failure.cause == "environment":
            del self._loads[message.plugin]  # what was missing may be there at the next try

    def _pass_on(self, message: Logged) -> None:
        attempt = self.in_flight.get(message.id)
        extra = {"job": attempt.job.key if attempt else "", "plugin": message.plugin}
        logging.getLogger(f"callboard.plugin.{message.plugin}").log(message.level, "%s", message.text, extra=extra)

    # What goes wrong

    def _load_is_late(self, plugin: str) -> None:
        waiting = self._waiting.get(plugin)
        if waiting and not self.gone:
            message = f"plugin {plugin!r} did not load in {LOAD_SECONDS:g} s; its process was ended"
            hint = f"'callboard plugins check {plugin}' says more."
            failure = Failure(code="plugin-broken", cause="deterministic", message=message, hint=hint)
            self._condemn({attempt.id: failure for attempt in waiting})

    def _start_deadline(self, attempt: Attempt) -> None:
        left = attempt.due - self._clock()
        if left > 0:  # the jobs were held meanwhile
            attempt.timer = self._later(left, lambda: self._start_deadline(attempt))
            return
        task = asyncio.get_running_loop().create_task(self._deadline(attempt))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deadline(self, attempt: Attempt) -> None:
        """End the process of a late job.

        Where others are in it and it does not answer, any of them may be what holds it up: nobody is blamed.
        """
        if len(self.in_flight) > 1:
            self._pong.clear()
            self.child.post(Ping())
            try:
                await asyncio.wait_for(self._pong.wait(), PING_SECONDS)
            except TimeoutError:
                if len(self.in_flight) > 1:
                    self.child.kill()
                    return
        if attempt.id not in self.in_flight:
            return
        job = attempt.job
        message = f"plugin {job.plugin!r} did not answer in {job.deadline:g} s; its process was ended"
        hint = f"Raise 'deadline' in [plugins.{job.plugin}] of callboard.toml if the work needs longer."
        failure = Failure(code="deadline", cause="crash", message=message, hint=hint, detail=self.child.tail())
        self._condemn({attempt.id: failure})

    def condemn_all(self, code: str, message: str) -> None:
        """End the process for something that any of its jobs may have done; one alone is to blame for it."""
        if len(self.in_flight) == 1:
            self._condemn({number: Failure(code=code, cause="crash", message=message) for number in self.in_flight})
        else:
            self.child.kill()

    def _condemn(self, verdicts: dict[int, Failure]) -> None:
        self._verdicts.update(verdicts)
        self.child.kill()

    def _cancel(self, attempt: Attempt) -> None:
        if self.gone or attempt.id not in self.in_flight:
            return
        if attempt.timer is not None:
            attempt.timer.cancel()
        waiting = self._waiting.get(attempt.job.plugin, [])
        if attempt in waiting:
            waiting.remove(attempt)
            self._let_go(attempt.id)
            return
        self.child.post(Cancel(attempt.id))
        self._later(CANCEL_SECONDS, lambda: self._cancel_is_late(attempt))

    def _cancel_is_late(self, attempt: Attempt) -> None:
        if attempt.id in self.in_flight and not self.gone:
            message = "the job was cancelled"
            self._condemn({attempt.id: Failure(code="cancelled", cause="environment", message=message)})

    def _bury(self, how: str) -> None:
        """Answer what was in flight when the process ended."""
        for timer in self._timers:
            timer.cancel()
        jobs, self.in_flight = self.in_flight, {}
        self._idle.set()
        alone = len(jobs) == 1
        for number, attempt in jobs.items():
            if number in self._verdicts:
                attempt.settle(self._verdicts[number])
            elif self._verdicts or not alone:
                attempt.settle(Lost(suspect=not self._verdicts))
            else:
                attempt.settle(self._crashed(attempt.job, how))

    def _crashed(self, job: Job, how: str) -> Failure:
        message = f"the process of plugin {job.plugin!r} died: {how}"
        hint = f"Tell the author of {job.plugin!r}; 'callboard dead show' has the last that it printed."
        return Failure(code="crashed", cause="crash", message=message, hint=hint, detail=self.child.tail())

    async def stop(self) -> None:
        """Tear down; what is still in flight is answered as stopped."""
        message = "Callboard stopped before the job was done"
        stopped = Failure(code="stopped", cause="environment", message=message)
        for number in list(self.in_flight):
            self._finish(number, stopped)
        await self.child.stop()


__all__ = ["Answer", "Lost", "WorkerProcess"]
