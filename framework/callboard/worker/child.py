"""One plugin process as the operating system sees it: started, spoken to, ended with everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from callboard_schemas import encode_path

from callboard.errors import Blocked
from callboard.packs.store import PACKS_VARIABLE, VARIABLE
from callboard.plugin.context import KEPT_VARIABLE, OUTPUT_VARIABLE
from callboard.plugin.messages import FromPlugins, Hello, Stop
from callboard.plugin.reach import PROJECT_VARIABLE, ROOTS_VARIABLE
from callboard.process_group import clean_environment, kill_group, kill_marked, signal_name
from callboard.wire import Channel, WireError
from callboard.worker.clock import HeldClock
from callboard.worker.log import ProcessLog

START_SECONDS = 60.0
"""For a bare interpreter to say hello; it takes 0.3 s on an idle machine."""
TEARDOWN_SECONDS = 2.0
"""For a plugin's teardown."""
STOP_SECONDS = 5.0
"""For all of them and the process to end, before it is ended."""
LAST_WORDS_SECONDS = 0.5
"""For what a dead process printed to arrive; a grandchild may hold the pipe open for ever."""
ENDING_SECONDS = 2.0
"""For a process that closed its connection to be gone: on a busy machine the kernel takes its time."""

_KILLED = -signal.SIGKILL if sys.platform != "win32" else int(signal.SIGTERM)
"""The exit status of what we ended."""

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
    clock: HeldClock
    """What deadlines go by."""
    store: Path | None = None
    packs: Path | None = None
    """The project's folder of packs."""
    """Where pulled and exported packs are, for plugins that read what a pack says of itself."""
    output: Path | None = None
    """Where plugins put media that they make."""
    roots: Mapping[str, bytes] = field(default_factory=dict)
    """The watched folders."""
    project: Path | None = None
    """The project's folder."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """A process that was started. asyncio's own does not end while a grandchild holds its pipe."""

    pid: int
    ended: asyncio.Future[int]
    """Its exit status, negative for a signal."""
    printed: asyncio.StreamReader
    pipe: asyncio.ReadTransport


class Child:
    """A running process. ``on_message`` hears what it says, ``on_gone`` how it ended, once."""

    def __init__(
        self,
        process: Started,
        channel: Channel[FromPlugins],
        log: ProcessLog,
        mark: str,
    ) -> None:
        self._process, self._channel, self._log, self._mark = process, channel, log, mark
        self.pid = process.pid
        self.ending = False
        """It takes no more orders: it has ended, or cannot be spoken to; until it is gone that takes a while."""
        self.gone = False
        self.on_message: Callable[[FromPlugins], None] = lambda message: None
        self.on_gone: Callable[[str], None] = lambda how: None
        self._broke, self._stopping, self._silent = "", False, False
        self._copying = asyncio.create_task(log.copy(process.printed))
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
            await child._bury()
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
        self.post(Stop(TEARDOWN_SECONDS))
        self._stopping = True
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
        ended = self._process.ended
        waited: list[asyncio.Future[None] | asyncio.Future[int]] = [listening, ended]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        self.ending = True
        if ended.done():
            # what it said before it ended is still in the socket
            await asyncio.wait([listening], timeout=LAST_WORDS_SECONDS)
        else:
            # it closed its end: usually it is ending; if not, it cannot be spoken to any more
            patience = 0.0 if self._broke else STOP_SECONDS if self._stopping else ENDING_SECONDS
            await asyncio.wait([ended], timeout=patience)
            self._silent = not ended.done()
        listening.cancel()
        await self._bury()

    async def _listen(self) -> None:
        try:
            while (message := await self._channel.receive()) is not None:
                self.on_message(message)
        except WireError as error:
            self._broke = f"it wrote into its connection ({error.message})"

    async def _bury(self) -> None:
        """End everything that it started, and let go of what we hold for it."""
        kill_group(self.pid)
        status = await self._process.ended
        self.gone = True
        await asyncio.to_thread(kill_marked, self._mark)
        await asyncio.wait([self._copying], timeout=LAST_WORDS_SECONDS)
        self._copying.cancel()
        await asyncio.gather(self._copying, return_exceptions=True)
        self._process.pipe.close()
        self._log.close()
        await self._channel.close()
        closed = self._silent and status == _KILLED  # with another status it died by itself, and we saw that late
        self.on_gone(self._broke or ("it closed its connection" if closed else signal_name(status)))


def _popen(line: socket.socket, surround: Surround, mark: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        _command(line.fileno(), surround),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
        start_new_session=True,
        pass_fds=(line.fileno(),),
        cwd=surround.run_folder,
        env={**clean_environment(mark), **_places(surround)},
    )


def _places(surround: Surround) -> dict[str, str]:
    """Say where model packs are, and where plugins keep files of their own: beside the run folder."""
    kept = surround.run_folder.parent / "plugins"
    places: dict[str, object] = {VARIABLE: surround.store, PACKS_VARIABLE: surround.packs, KEPT_VARIABLE: kept}
    places |= {OUTPUT_VARIABLE: surround.output, PROJECT_VARIABLE: surround.project}
    places[ROOTS_VARIABLE] = json.dumps({name: encode_path(path) for name, path in surround.roots.items()})
    return {name: str(place) for name, place in places.items() if place is not None}


async def _spawn(line: socket.socket, surround: Surround, mark: str) -> Started:
    # in this thread: the kernel ends the child with the thread that started it (prctl(2), PR_SET_PDEATHSIG)
    process = _popen(line, surround, mark)
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    threading.Thread(target=_wait, args=(process, loop, ended), name=f"wait-{process.pid}", daemon=True).start()
    printed = asyncio.StreamReader()
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(printed), process.stdout)
    return Started(pid=process.pid, ended=ended, printed=printed, pipe=pipe)


def _command(line: int, surround: Surround) -> list[str]:
    return [
        sys.executable,
        "-P",  # or a file in the folder that it starts in could take the place of a module
        "-m",
        "callboard.plugin.process",
        f"--fd={line}",
        f"--parent={os.getpid()}",
        f"--runtime={surround.runtime_address}",
        f"--shm={surround.shm_folder}",
    ]


def _wait(process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop, ended: asyncio.Future[int]) -> None:
    """Wait in a thread: the one way that every system has."""
    status = process.wait()

    def tell() -> None:
        if not ended.done():
            ended.set_result(status)

    with contextlib.suppress(RuntimeError):  # the loop is closed, nobody asks any more
        loop.call_soon_threadsafe(tell)


__all__ = ["Child", "ProcessGone", "Surround"]
