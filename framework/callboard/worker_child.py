"""One plugin process as the operating system sees it: started, spoken to, ended with everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from callboard.child_process import clean_environment, kill_group, kill_marked, signal_name
from callboard.errors import Blocked
from callboard.plugin_messages import FromPlugins, Hello, Stop
from callboard.wire import Channel, WireError
from callboard.worker_log import ProcessLog

START_SECONDS = 60.0
"""For a bare interpreter to say hello; it takes 0.3 s on an idle machine."""
STOP_SECONDS = 5.0
"""For teardown, before the process is ended."""
LAST_WORDS_SECONDS = 0.5
"""For what a dead process printed to arrive; a grandchild may hold the pipe open for ever."""

_numbers = itertools.count(1)


class ProcessGone(Blocked):
    """A plugin process cannot be started."""

    code = "process-start"


@dataclass(frozen=True, kw_only=True)
class Surround:
    """What every plugin process of a pool is given."""

    run_folder: Path
    runtime_address: str
    shm_folder: Path
    mark_prefix: str


class Child:
    """A running process. ``on_message`` hears what it says, ``on_gone`` how it ended, once."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        channel: Channel[FromPlugins],
        log: ProcessLog,
        mark: str,
    ) -> None:
        self._process, self._channel, self._log, self._mark = process, channel, log, mark
        self.pid = process.pid
        self.gone = False
        self.on_message: Callable[[FromPlugins], None] = lambda message: None
        self.on_gone: Callable[[str], None] = lambda how: None
        self._broke = ""
        assert process.stdout is not None
        self._copying = asyncio.create_task(log.copy(process.stdout))
        self._watching: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, name: str, surround: Surround) -> Child:
        """Start a process and wait until it is ready for orders.

        Raises:
            ProcessGone: it cannot be started, or ended before it was ready.
        """
        number = next(_numbers)
        mark = f"{surround.mark_prefix}{os.getpid()}-{number}"
        log = ProcessLog(surround.run_folder / f"plugins-{name}-{number}.log")
        ours, theirs = socket.socketpair()
        try:
            process = await _spawn(theirs, surround, mark)
        except OSError as error:
            ours.close()
            log.close()
            raise ProcessGone(f"a plugin process cannot be started: {error.strerror}") from None
        finally:
            theirs.close()
        child = cls(process, await Channel.over(ours, FromPlugins), log, mark)
        try:
            await child._greet()
        except BaseException:
            await child._bury("")
            raise
        child._watching = asyncio.create_task(child._watch())
        return child

    async def _greet(self) -> None:
        try:
            hello = await asyncio.wait_for(self._channel.receive(), START_SECONDS)
        except (TimeoutError, WireError):
            hello = None
        if not isinstance(hello, Hello):
            self.kill()
            await asyncio.wait([self._copying], timeout=LAST_WORDS_SECONDS)
            raise ProcessGone(f"a plugin process did not start: {self.tail(500) or 'it said nothing'}")

    def post(self, message: object) -> None:
        """Send an order without waiting; one to a process that is gone is dropped."""
        if not self.gone:
            self._channel.post(message)

    def tail(self, length: int = 4000) -> str:
        """Give the last that it printed."""
        return self._log.tail(length)

    def kill(self) -> None:
        """End the process and its group at once; ``on_gone`` follows."""
        if not self.gone:
            kill_group(self.pid)

    async def stop(self) -> None:
        """Ask it to tear down and end; end it when it does not. Returns when it is gone."""
        self.post(Stop())
        if self._watching is None:
            return
        await asyncio.wait([self._watching], timeout=STOP_SECONDS)
        self.kill()
        await self._watching

    async def wait(self) -> None:
        """Wait until it is gone."""
        if self._watching is not None:
            await asyncio.shield(self._watching)

    async def _watch(self) -> None:
        """Hear the process until it ends, by itself or because its line is broken."""
        listening = asyncio.create_task(self._listen())
        ending = asyncio.create_task(self._process.wait())
        await asyncio.wait([listening, ending], return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            # it closed its end: usually it is ending; if not, it cannot be spoken to any more
            await asyncio.wait([ending], timeout=LAST_WORDS_SECONDS)
            self._broke = self._broke or ("" if ending.done() else "it closed its connection")
            kill_group(self.pid)
            await ending
        else:
            # what it said before it ended is still in the socket
            await asyncio.wait([listening], timeout=LAST_WORDS_SECONDS)
        listening.cancel()
        await self._bury(self._broke or signal_name(ending.result()))

    async def _listen(self) -> None:
        try:
            while (message := await self._channel.receive()) is not None:
                self.on_message(message)
        except WireError as error:
            self._broke = f"it wrote into its connection ({error.message})"

    async def _bury(self, how: str) -> None:
        """End everything that it started, and let go of what we hold for it."""
        self.gone = True
        kill_group(self.pid)
        await asyncio.to_thread(kill_marked, self._mark)
        if self._process.returncode is None:
            await self._process.wait()
        await asyncio.wait([self._copying], timeout=LAST_WORDS_SECONDS)
        self._copying.cancel()
        await asyncio.gather(self._copying, return_exceptions=True)
        self._log.close()
        _close_pipes(self._process)
        await self._channel.close()
        self.on_gone(how)


async def _spawn(line: socket.socket, surround: Surround, mark: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # or a file in the folder that it starts in could take the place of a module
        "-m",
        "callboard.plugin_process",
        f"--fd={line.fileno()}",
        f"--parent={os.getpid()}",
        f"--runtime={surround.runtime_address}",
        f"--shm={surround.shm_folder}",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        pass_fds=(line.fileno(),),
        cwd=surround.run_folder,
        env=clean_environment(mark),
    )


def _close_pipes(process: asyncio.subprocess.Process) -> None:
    """Close the pipe that a grandchild may hold open; asyncio closes it only at its end."""
    transport = getattr(process, "_transport", None)
    if transport is not None:
        with contextlib.suppress(ProcessLookupError):
            transport.close()


__all__ = ["Child", "ProcessGone", "Surround"]
