"""A plugin process's way to the runtime: one connection, many calls at once, made again after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from callboard.errors import Blocked, JobError, RuntimeGone
from callboard.runtime import Progress, Ticket
from callboard.runtime.arrays import Arrays, drop, receive, send
from callboard.runtime.gate import Gate
from callboard.runtime.messages import (
    Along,
    Answer,
    Ask,
    Call,
    Cancel,
    Failed,
    FromRuntime,
    Hello,
    Told,
    ToRuntime,
    as_error,
)
from callboard.runtime.status import RuntimeStatus
from callboard.runtime.tickets import NOBODY, Bound
from callboard.wire import BlockingChannel, WireError

if TYPE_CHECKING:
    from callboard.context import Arrays as Inputs

CONNECT_SECONDS: Final = 30.0
"""How long the first call after a restart waits for the runtime to listen again: as long as the board gives it."""
_LOCAL_BYTES: Final = 1 << 20
"""Inputs up to this size are written on the caller's event loop; a megabyte takes about 0.2 ms."""


class RuntimeClient:
    """Implements ``callboard.context.Runtime``. Use it from any thread or event loop; connects at the first call."""

    def __init__(self, address: str, shm_folder: Path, gate: Gate | None = None) -> None:
        self._address, self._shared = address, shm_folder
        self._gate = gate or Gate()
        self._lock = threading.Lock()
        self._link: _Link | None = None

    async def run(self, model: str, inputs: Inputs, **options: Any) -> dict[str, Any]:
        """Run *model* once.

        Args:
            model: Its pack's name.
            inputs: Arrays by name.
            options: For the engine; and ``progress``, a function that takes 0 to 1 and is called from another thread,
                and ``ticket``, who calls.

        Raises:
            ModelMissing: the pack is not here or not intact.
            RuntimeGone: the runtime died during the call, or could not be reached.
            JobError: inputs or options are wrong.
            Blocked: there is no memory for it now.
        """
        ticket: Ticket = options.get("ticket", NOBODY)
        leave = await self._gate.enter(model, inputs, urgent=ticket.urgent)
        try:
            link = self._link
            small = sum(array.nbytes for array in inputs.values()) <= _LOCAL_BYTES
            if link is not None and link.alive and small:
                future = link.begin(model, inputs, options)
            else:
                future = await self._begin_aside(model, inputs, options)
            return await asyncio.wrap_future(future)
        finally:
            leave()

    def call(self, model: str, inputs: Inputs, **options: Any) -> dict[str, Any]:
        """Do ``run`` from a plain function; raises the same."""
        ticket: Ticket = options.get("ticket", NOBODY)
        leave = self._gate.enter_blocking(model, inputs, urgent=ticket.urgent)
        try:
            answer: dict[str, Any] = self._begin(model, inputs, options).result()
            return answer
        finally:
            leave()

    def status(self) -> RuntimeStatus:
        """Ask the runtime how it is; blocks."""
        told: Told = self._connected().ask().result()
        return told.status

    def bound(self, ticket: Ticket) -> Bound:
        """Give a view whose calls all carry *ticket*."""
        return Bound(self, ticket)

    async def _begin_aside(self, model: str, inputs: Inputs, options: Mapping[str, Any]) -> Future[Any]:
        """Begin a call off the event loop; one that is begun though nobody waits any more is cancelled."""
        begun = Future[Future[Any]]()

        def begin() -> Future[Any]:
            future = self._begin(model, inputs, options)
            begun.set_result(future)
            return future

        try:
            return await asyncio.to_thread(begin)
        except asyncio.CancelledError:  # the thread goes on
            begun.add_done_callback(lambda done: done.result().cancel())
            raise

    def _begin(self, model: str, inputs: Inputs, options: Mapping[str, Any]) -> Future[Any]:
        return self._connected().begin(model, inputs, options)

    def _connected(self) -> _Link:
        with self._lock:
            if self._link is None or not self._link.alive:
                self._link = self._link_up()
            return self._link

    def _link_up(self) -> _Link:
        until = time.monotonic() + CONNECT_SECONDS
        while True:
            link = None
            try:
                link = _Link(_connect(self._address), self._shared)
                link.ask().result()
            except RuntimeGone:  # one that is just being killed may still take a connection
                if link is not None:
                    link.close()
                if time.monotonic() > until:
                    raise
            except OSError as error:
                raise RuntimeGone(f"the model runtime cannot be used: {error}", "Is the board running?") from None
            else:
                return link

    def close(self) -> None:
        """Close the connection; calls in flight raise ``RuntimeGone``."""
        with self._lock:
            link, self._link = self._link, None
        if link is not None:
            link.close()


def _connect(address: str) -> socket.socket:
    until, wait = time.monotonic() + CONNECT_SECONDS, 0.01
    while True:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.connect(address)
        except OSError as error:
            sock.close()
            if time.monotonic() > until:
                raise RuntimeGone(
                    f"the model runtime does not listen on {address}: {error}", "It is started again by the board."
                ) from None
            time.sleep(wait)  # a socket that is not there yet has no event to wait for
            wait = min(wait * 2, 0.25)
        else:
            return sock


class _Link:
    """One connection. A thread reads it; callers write under a lock."""

    def __init__(self, sock: socket.socket, shared: Path) -> None:
        self.alive = True
        self._channel: BlockingChannel[FromRuntime] = BlockingChannel(sock, FromRuntime)
        self._folder = shared / f"link-{secrets.token_hex(8)}"
        try:
            self._folder.mkdir(mode=0o700)
        except OSError:
            sock.close()
            raise
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[Future[Any], Progress | None]] = {}
        self._lock = threading.Lock()
        try:
            self._send(Hello(self._folder.name))
        except RuntimeGone:
            sock.close()
            self._folder.rmdir()
            raise
        self._reader = threading.Thread(target=self._read, name="runtime-client", daemon=True)
        self._reader.start()

    def begin(self, model: str, inputs: Inputs, options: Mapping[str, Any]) -> Future[Any]:
        options = dict(options)
        progress: Progress | None = options.pop("progress", None)
        ticket: Ticket = options.pop("ticket", NOBODY)
        number, future = self._expect(progress)
        sent = Arrays()
        try:
            sent = send(self._folder, inputs)
            left = max(0.0, ticket.deadline - time.monotonic()) if ticket.deadline else None
            self._send(Call(number, model, sent, options, progress is not None, ticket.caller, ticket.urgent, left))
        except BaseException as error:
            self._waiting.pop(number, None)
            drop(self._folder, sent)
            if not self.alive and isinstance(error, OSError):  # the folder went with the connection
                raise _gone() from None
            if isinstance(error, TypeError | ValueError | msgspec.MsgspecError):
                raise JobError(f"model {model!r}: an input or option cannot be sent: {error}") from None
            if isinstance(error, OSError):
                raise Blocked(f"model {model!r}: an input cannot be handed over: {error}", "Free memory.") from None
            raise
        future.add_done_callback(lambda done: self._cancelled(number) if done.cancelled() else None)
        return future

    def ask(self) -> Future[Told]:
        number, future = self._expect(None)
        self._send(Ask(number))
        return future

    def _expect(self, progress: Progress | None) -> tuple[int, Future[Any]]:
        number, future = next(self._numbers), Future[Any]()
        self._waiting[number] = (future, progress)
        if not self.alive:
            self._waiting.pop(number, None)
            raise _gone()
        return number, future

    def _cancelled(self, number: int) -> None:
        if number in self._waiting:
            with contextlib.suppress(RuntimeGone):
                self._send(Cancel(number))

    def _send(self, message: ToRuntime) -> None:
        try:
            with self._lock:
                self._channel.send(message)
        except OSError:
            raise _gone() from None

    def _read(self) -> None:
        try:
            with contextlib.suppress(WireError, OSError):
                while (message := self._channel.receive()) is not None:
                    self._take(message)
        finally:
            self.alive = False
            self._channel.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            for number in list(self._waiting):
                entry = self._waiting.pop(number, None)
                if entry is not None:
                    _settle(entry[0], _gone())

    def _take(self, message: FromRuntime) -> None:
        if isinstance(message, Along):
            entry = self._waiting.get(message.id)
            if entry is not None and entry[1] is not None:
                with contextlib.suppress(Exception):  # progress is a courtesy: its listener's faults are its own
                    entry[1](message.fraction)
            return
        entry = self._waiting.pop(message.id, None)
        result = self._result(message)
        if entry is not None:
            _settle(entry[0], result)

    def _result(self, message: Answer | Failed | Told) -> object:
        if isinstance(message, Failed):
            return as_error(message)
        if isinstance(message, Told):
            return message
        try:  # taken even where nobody waits any more: that is what removes the names
            return {**message.values, **receive(self._folder, message.arrays)}
        except (OSError, ValueError, MemoryError) as error:
            return Blocked(f"an answer of the runtime cannot be mapped: {error}", "Free memory, then try again.")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._channel.sock.shutdown(socket.SHUT_RDWR)
        self._reader.join()


def _gone() -> RuntimeGone:
    return RuntimeGone("the model runtime ended during the call", "The next call waits for it to come back.")


def _settle(future: Future[Any], result: object) -> None:
    if not future.set_running_or_notify_cancel():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


__all__ = ["RuntimeClient"]
