"""The embedded broker: the real ``nats-server`` as a child that is watched, started again, and never left behind."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import psutil

from callboard import filesystems
from callboard.bus import leash
from callboard.bus.binary import check_version, find_binary
from callboard.bus.roles import ROLES, make_seeds, render, seed_path
from callboard.config import Broker
from callboard.errors import BrokerError

START_SECONDS = 30.0
"""A first start on a slow disk, or on a machine with other things to do; a usual one takes 20 ms."""
STOP_SECONDS = 4.0
"""For a clean end, before the child is killed."""
BACKOFF = (0.1, 5.0)
"""Shortest and longest wait before a start after a death, in seconds."""
STEADY_SECONDS = 30.0
"""A child that lived this long is not to blame for its next death."""
PROBE_SECONDS, PROBES_MISSED = 5.0, 3
"""A server that does not greet a new connection this often, this long apart, is killed and started again."""

log = logging.getLogger("callboard.bus")


class EmbeddedServer:
    """``nats-server`` on loopback, with a store and keys under *data*; an async context manager.

    Args:
        data: The project's data folder, on a local disk.
        roots: The watched folders, absolute: hosts read in ``board.json`` which files they may touch.
    """

    def __init__(self, data: Path, roots: Sequence[str] = ()) -> None:
        self.data, self.folder, self.roots = data, data / "nats", roots
        self.port = 0
        self.restarts = 0
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._binary = ""

    async def __aenter__(self) -> Self:
        """Start the server; see ``start``."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        await self.stop()

    @property
    def url(self) -> str:
        """Where the server listens; stays the same over its restarts."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The child's process id, 0 while there is none."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else 0

    def seed_path(self, role: str) -> Path:
        """Say where the seed of a role is: ``board``, ``host``, ``cli`` or ``worker``."""
        return seed_path(self.data, role)

    def broker(self, role: str = "board") -> Broker:
        """Give the settings that a ``NatsBus`` of this role connects with."""
        if role not in ROLES:
            raise BrokerError(f"there is no role {role!r}; there are {', '.join(ROLES)}")
        return Broker(url=self.url, nkey_seed=str(self.seed_path(role)))

    async def start(self) -> None:
        """Start the server and return when it accepts connections.

        Raises:
            BrokerError: the folder is on a network or FUSE file system, the binary is missing or too old,
                or the server does not start; the message says what to do.
        """
        kind = await asyncio.to_thread(filesystems.kind_of, self.data)
        if filesystems.is_remote(kind):
            raise BrokerError(
                f"{self.data} is on a {kind} file system, where JetStream loses messages",
                "Move the project to a local disk, or set [broker] url in callboard.toml to a NATS server elsewhere.",
            )
        self._binary = await asyncio.to_thread(find_binary)
        await check_version(self._binary)
        await asyncio.to_thread(self._prepare_folder)
        await asyncio.to_thread(_end_stale, self.folder / "server.pid")
        await self._first_start()
        self._keeper = asyncio.create_task(self._keep(), name="callboard-nats-server")

    async def stop(self) -> None:
        """Stop the server: cleanly within 4 s, by force after that."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        await self._end()
        for name in ("board.json", "server.pid"):
            (self.folder / name).unlink(missing_ok=True)

    async def restart(self) -> None:
        """Stop the child and let the supervision start the next one; for a store that no longer takes writes."""
        await self._end()

    def _prepare_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        self._public = make_seeds(self.data)

    async def _first_start(self) -> None:
        """Start on a free port; again when somebody took the port or killed the child meanwhile."""
        for last in (False, False, False, False, True):
            self.port = _free_port(self.port or _last_port(self.folder / "server.conf"))
            try:
                await self._launch()
                return
            except BrokerError:
                killed = self._process is not None and (self._process.returncode or 0) < 0
                await self._end()
                taken = "address already in use" in self._last_words()
                if last or not (killed or taken):
                    raise
                if taken:
                    self.port = 0
                    (self.folder / "server.conf").unlink(missing_ok=True)

    async def _launch(self) -> None:
        config = self.folder / "server.conf"
        _write(config, render(self.port, self.folder, self._public))
        command = [self._binary, "-c", str(config)]
        if sys.platform == "linux":
            command = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *command]
        with _output(self.folder / "server.out") as output:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C in the terminal is for us alone
                env={name: value for name, value in os.environ.items() if name in ("PATH", "TZ", "SYSTEMROOT", "TMP")},
            )
        process = self._process
        _write(self.folder / "server.pid", json.dumps({"pid": process.pid, "started": _started(process.pid)}))
        deadline = time.monotonic() + START_SECONDS
        while not await self._greets(1.0):
            if process.returncode is not None or time.monotonic() > deadline:
                raise BrokerError(
                    f"nats-server did not start: {self._last_words()[-300:] or 'no word from it'}",
                    f"Its log is {self.folder / 'server.log'}; 'callboard doctor' checks the disk and the port.",
                )
            await asyncio.sleep(0.02)  # the server gives no sign but its open port
        found = {"url": self.url, "pid": os.getpid(), "server_pid": process.pid, "seeds": str(self.data / "keys")}
        _write(self.folder / "board.json", json.dumps({**found, "roots": [*self.roots]}))

    async def _greets(self, timeout: float) -> bool:
        """Say whether the server greets a new connection with its INFO line."""
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(timeout):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                return (await reader.readline()).startswith(b"INFO ")
        except (OSError, TimeoutError, ValueError):
            return False
        finally:
            if writer is not None:
                writer.transport.abort()

    async def _keep(self) -> None:
        """Start the child again whenever it dies or no longer answers."""
        shortest, longest = BACKOFF
        wait = shortest
        while True:
            born = time.monotonic()
            await self._until_dead()
            code = self._process.returncode if self._process is not None else None
            wait = shortest if time.monotonic() - born > STEADY_SECONDS else min(wait * 2, longest)
            log.warning("nats-server ended (%s); starting it again in %.1f s", code, wait)
            await asyncio.sleep(wait)
            self.restarts += 1
            try:
                await self._launch()
            except BrokerError as error:
                log.warning("%s", error.message)
                await self._end()

    async def _until_dead(self) -> None:
        missed = 0
        while self._process is not None and self._process.returncode is None:
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    await self._process.wait()
                return
            except TimeoutError:
                missed = 0 if await self._greets(2.0) else missed + 1
            if missed >= PROBES_MISSED:
                log.warning("nats-server does not answer; killing it")
                self._process.kill()
                await self._process.wait()

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    def _last_words(self) -> str:
        words = ""
        for name in ("server.log", "server.out"):
            path = self.folder / name
            if path.exists():
                words += path.read_text("utf-8", "replace")[-1000:]
        return words.strip()


def _end_stale(pid_file: Path) -> None:
    """End a server that an earlier board left behind, if its pid still means the same process."""
    try:
        said: dict[str, Any] = json.loads(pid_file.read_text("utf-8"))
        process = psutil.Process(int(said["pid"]))
        if abs(process.create_time() - float(said["started"])) > 1.0:
            return
        log.warning("ending nats-server %d, left behind by an earlier board", process.pid)
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return


def _started(pid: int) -> float:
    """Say when a process started, in seconds since 1970; 0 when it is gone already."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0


def _last_port(config: Path) -> int:
    """Give the port of the last start, so that whoever holds its url finds the server again; 0 for none."""
    try:
        found = re.search(r"^port: (\d+)$", config.read_text("utf-8"), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def _free_port(wish: int) -> int:
    """Give the wished port if it is free, else any free one."""
    for port in (wish, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise BrokerError("no free port on 127.0.0.1", "Close programs that hold many connections, then try again.")


def _output(path: Path) -> BinaryIO:
    return open(path, "wb")


def _write(path: Path, text: str) -> None:
    """Replace a small file as a whole, readable for its owner only."""
    waiting = path.with_name(path.name + ".new")
    waiting.unlink(missing_ok=True)
    with open(os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    waiting.replace(path)
