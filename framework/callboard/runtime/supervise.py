"""The board's hold on the runtime process: started when first needed, again when it dies, ended with the board."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import stat
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from callboard.config import RuntimeSettings
from callboard.errors import RuntimeGone
from callboard.runtime.messages import Ask, Busy, FromRuntime, Told
from callboard.runtime.status import Mode, RuntimeStatus
from callboard.wire import Channel

_PATH_BYTES: Final = 100
"""Room for a unix socket's path: 108 bytes on Linux, 104 on macOS, with its final zero."""
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 3.0
_BACKOFF: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Seconds before each start after the first; back to the beginning once it has lived for a minute."""
_STEADY_SECONDS: Final = 60.0
_ANSWER_SECONDS: Final = 20.0
_LOG_BYTES: Final = 1 << 20


class RuntimeSupervisor:
    """An async context manager. ``address`` is known from the start; the process runs after ``ensure``."""

    def __init__(self, run_folder: Path, shm_folder: Path, settings: RuntimeSettings) -> None:
        self._run_folder, self._shm_folder, self._settings = run_folder, shm_folder, settings
        self.address = str(_socket_path(run_folder))
        self.restarts = 0
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()
        self._problem = ""
        self._mode: Mode = ""
        self._reason = ""

    async def __aenter__(self) -> Self:
        self._run_folder.mkdir(parents=True, exist_ok=True)
        self._run_folder.chmod(0o700)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper

    async def ensure(self) -> None:
        """Start the process if it was not yet, and wait until it takes calls.

        Raises:
            RuntimeGone: it does not come up; its log says why.
        """
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(), name="runtime")
        try:
            await asyncio.wait_for(self._listening.wait(), _START_SECONDS)
        except TimeoutError:
            problem = f": {self._problem}" if self._problem else ""
            raise RuntimeGone(f"the model runtime does not start{problem}", f"{self._log} may say why.") from None

    @property
    def _log(self) -> Path:
        return self._run_folder / "runtime.log"

    async def _keep(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            try:
                await self._once()
            except OSError as error:  # no memory, no file left, the log's disk is full
                self._problem = str(error)
            finally:
                self._listening.clear()
                await self._end()
            failures = 0 if time.monotonic() - began > _STEADY_SECONDS else failures
            await asyncio.sleep(_BACKOFF[min(failures, len(_BACKOFF) - 1)])
            failures += 1
            self.restarts += 1

    async def _once(self) -> None:
        if self._log.exists() and self._log.stat().st_size > _LOG_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        with self._log.open("ab") as log:
            process = self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "callboard.runtime.process", self.address, str(self._shm_folder)),
                *("--settings", msgspec.json.encode(self._settings).decode(), "--parent", str(os.getpid())),
                *("--busy", self._mode, "--reason", self._reason),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C at a terminal is for the board, which stops it in order
            )
        assert process.stdout is not None
        told = self._mode, self._reason
        if await process.stdout.readline():
            self._listening.set()
            if (self._mode, self._reason) != told:  # while it started
                await self.busy(self._mode, self._reason)
        await process.wait()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            except TimeoutError:
                process.kill()
        await process.wait()
        with contextlib.suppress(OSError):  # one that was killed could not
            os.unlink(self.address)

    async def busy(self, mode: Mode, reason: str) -> None:
        """Have the models make way, or come back with an empty *mode*; a runtime that starts later is told too."""
        self._mode, self._reason = mode, reason
        await self._ask(Busy(1, mode, reason))

    async def status(self) -> RuntimeStatus:
        """What the runtime holds and does; empty while it does not run."""
        process = self._process
        none = RuntimeStatus(restarts=self.restarts, busy=self._mode, reason=self._reason)
        if process is None or not self._listening.is_set():
            return none
        told = await self._ask(Ask(1))
        if told is None:
            return msgspec.structs.replace(none, pid=process.pid) if process.returncode is None else none
        return msgspec.structs.replace(told.status, restarts=self.restarts)

    async def _ask(self, message: Ask | Busy) -> Told | None:
        """Send on a connection of its own; ``None`` where nobody answers."""
        if not self._listening.is_set():
            return None
        try:
            reader, writer = await asyncio.open_unix_connection(self.address)
        except OSError:
            return None
        channel: Channel[FromRuntime] = Channel(reader, writer, FromRuntime)
        try:
            await channel.send(message)
            told = await asyncio.wait_for(channel.receive(), _ANSWER_SECONDS)
        except (TimeoutError, ConnectionError):
            told = None
        finally:
            await channel.close()
        return told if isinstance(told, Told) else None


def _socket_path(run_folder: Path) -> Path:
    path = run_folder.absolute() / "runtime.sock"
    if len(os.fsencode(path)) <= _PATH_BYTES:
        return path
    own = Path(tempfile.gettempdir()) / f"callboard-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    info = own.lstat()
    if info.st_uid != os.getuid() or not stat.S_ISDIR(info.st_mode) or info.st_mode & 0o077:
        own = Path(tempfile.mkdtemp(prefix="callboard-"))  # somebody else made a folder of that name
    return own / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:24]}.sock"


__all__ = ["RuntimeSupervisor"]
