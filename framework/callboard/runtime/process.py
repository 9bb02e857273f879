"""The runtime process: owns every model session, and serves the plugin processes over a unix socket."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
import numpy as np
import psutil

from callboard.config import RuntimeSettings
from callboard.errors import Blocked, JobError
from callboard.lifeline import die_with_parent
from callboard.runtime import Ticket
from callboard.runtime.arrays import receive, send
from callboard.runtime.calls import Call as Work
from callboard.runtime.messages import Along, Answer, Ask, Busy, Call, Cancel, Failed, Hello, Told, ToRuntime, failed
from callboard.runtime.scheduler import Scheduler
from callboard.runtime.status import Mode
from callboard.wire import Channel, WireError

MOST_CALLS: Final = 4096
"""Calls of one client at once, before it is read no further. Ours keep well below it: see ``gate.py``."""
READY = b"ready\n"
"""Written to standard output once calls are taken."""


class Client:
    """One connection: its calls, and its folder of arrays, which goes when it does."""

    def __init__(self, channel: Channel[ToRuntime], scheduler: Scheduler, shared: Path) -> None:
        self._channel, self._scheduler, self._shared = channel, scheduler, shared
        self._folder: Path | None = None
        self._calls: dict[int, Work] = {}
        self._gone = False
        self._fewer = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def serve(self) -> None:
        """Take messages until the client is gone; then drop its calls that have not begun."""
        try:
            while (message := await self._channel.receive()) is not None:
                self._take(message)
                if len(self._calls) >= MOST_CALLS:
                    self._fewer.clear()
                    await self._fewer.wait()
        except (WireError, ValueError, OSError) as error:
            print(f"a client is cut off: {error}", file=sys.stderr)
        finally:
            self._gone = True
            self._scheduler.stop(*self._calls.values())
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
            await self._channel.close()

    def _take(self, message: ToRuntime) -> None:
        if isinstance(message, Hello):
            if "/" in message.folder or message.folder.startswith("."):
                raise ValueError(f"not a folder name: {message.folder!r}")
            self._folder = self._shared / message.folder
        elif isinstance(message, Call):
            self._begin(message)
        elif isinstance(message, Cancel):
            call = self._calls.get(message.id)
            if call is not None:
                self._scheduler.stop(call)
        elif isinstance(message, Busy):
            self._scheduler.busy(message.mode, message.reason)
            self._tell(message.id)
        elif isinstance(message, Ask):
            self._tell(message.id)

    def _tell(self, number: int) -> None:
        rss = psutil.Process().memory_info().rss >> 20
        status = msgspec.structs.replace(self._scheduler.status(), pid=os.getpid(), rss_mb=rss)
        self._channel.post(Told(number, status))

    def _begin(self, call: Call) -> None:
        if self._folder is None:
            raise ValueError("a call came before the folder")
        folder = self._folder
        inputs = receive(folder, call.inputs)

        def along(fraction: float) -> None:
            self._send(Along(call.id, fraction))

        deadline = 0.0 if call.seconds is None else time.monotonic() + call.seconds
        ticket = Ticket(call.caller, call.urgent, deadline)
        future = self._scheduler.submit(call.model, inputs, call.options, along if call.follow else None, ticket)
        self._calls[call.id] = future
        # In the model's thread, so that copying a large answer does not hold up the other clients.
        future.add_done_callback(lambda done: self._finish(call.id, folder, done))

    def _finish(self, number: int, folder: Path, done: Future[dict[str, Any]]) -> None:
        answer: Answer | Failed | None = None
        if not done.cancelled():
            error = done.exception()
            answer = failed(number, error) if error is not None else _answer(number, folder, done.result())
            if self._gone:  # an answer that was written while the folder was removed is left in it
                shutil.rmtree(folder, ignore_errors=True)
        self._send(answer, ends=number)

    def _send(self, message: Answer | Failed | Along | None, ends: int = 0) -> None:
        def send() -> None:
            if ends:
                self._calls.pop(ends, None)
                self._fewer.set()
            if message is None:
                return
            try:
                self._channel.post(message)
            except (TypeError, msgspec.MsgspecError, OverflowError) as error:
                # Else whoever asked would wait for ever.
                fault = JobError(f"an answer of the model cannot be handed over: {error}")
                self._channel.post(failed(message.id, fault))

        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is there to hear it
            self._loop.call_soon_threadsafe(send)


def _answer(number: int, folder: Path, outputs: dict[str, Any]) -> Answer | Failed:
    arrays = {name: value for name, value in outputs.items() if isinstance(value, np.ndarray)}
    try:
        sent = send(folder, arrays)
    except (OSError, ValueError, MemoryError) as error:
        return failed(number, Blocked(f"an answer of the model cannot be handed over: {error}", "Free shared memory."))
    return Answer(number, sent, {name: value for name, value in outputs.items() if name not in arrays})


async def _serve(address: Path, shared: Path, scheduler: Scheduler, parent: int) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Only the end of the process cancels this, and asyncio would print a cancelled connection as a fault.
        with contextlib.suppress(asyncio.CancelledError):
            await Client(Channel(reader, writer, ToRuntime), scheduler, shared).serve()

    mask = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(connected, str(address), limit=1 << 20)
    finally:
        os.umask(mask)
    async with server:
        os.write(1, READY)
        os.dup2(2, 1)  # what a library prints goes to the log; the pipe is done
        watch = asyncio.create_task(_end_with_parent(parent, stop)) if parent else None
        await stop.wait()
        if watch is not None:
            watch.cancel()


async def _end_with_parent(parent: int, stop: asyncio.Event) -> None:
    """Where the kernel does not tell (it does on Linux), look now and then."""
    while sys.platform != "linux" and os.getppid() == parent:  # noqa: ASYNC110 - a parent's end raises no event
        await asyncio.sleep(1.0)
    if os.getppid() != parent:
        stop.set()


def _bound_memory() -> None:
    """Make a model that wants more than the machine has fail by itself, and be ended before the board is.

    RLIMIT_DATA, not RLIMIT_AS: GPU drivers reserve address space far beyond any memory.
    """
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        memory = psutil.virtual_memory().total
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("300", encoding="ascii")


def main() -> None:
    """Serve until SIGTERM; then end at once: a session in the middle of a call cannot be asked to stop."""
    parser = argparse.ArgumentParser(prog="python -m callboard.runtime.process")
    parser.add_argument("address", type=Path)
    parser.add_argument("shm_folder", type=Path)
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--parent", type=int, default=0)
    parser.add_argument("--busy", default="", choices=get_args(Mode))
    parser.add_argument("--reason", default="")
    arguments = parser.parse_args()
    if arguments.parent:
        die_with_parent(arguments.parent)
    _bound_memory()
    settings = msgspec.json.decode(arguments.settings, type=RuntimeSettings)
    scheduler = Scheduler(settings, Path(settings.models) if settings.models else None)
    scheduler.busy(arguments.busy, arguments.reason)
    arguments.address.unlink(missing_ok=True)  # left by one that was killed
    try:
        asyncio.run(_serve(arguments.address, arguments.shm_folder, scheduler, arguments.parent))
    finally:
        arguments.address.unlink(missing_ok=True)
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
