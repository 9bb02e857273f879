"""The bus inside one process: the same promises as over NATS, for one-shot runs and tests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from callboard.bus import Handler, Listener, Published, Responder, Unsubscribe
from callboard.bus.shelf import Reader, Shelf
from callboard.bus.subjects import IN, OUT, check_body, check_stored, check_subject, matches, stream_of
from callboard.errors import BrokerError, CallboardError, MessageRefused

log = logging.getLogger("callboard.bus")


class MemoryBus:
    """The in-process adapter. Everything that shares the bus shares the object; its content ends with it."""

    def __init__(self) -> None:
        self._streams = {IN: Shelf(IN), OUT: Shelf(OUT)}
        self._consumers: dict[tuple[str, str], Reader] = {}
        self._listeners: list[tuple[str, asyncio.Queue[tuple[str, bytes]]]] = []
        self._responders: list[tuple[str, Responder]] = []
        self._callbacks: list[Callable[[], Awaitable[None]]] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._open = False

    async def __aenter__(self) -> Self:
        """Open the bus and run the ``on_connect`` callbacks."""
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the bus."""
        await self.close()

    async def connect(self) -> None:
        """Open the bus; nothing can stop it."""
        self._open = True
        for callback in self._callbacks:
            self._spawn(_guarded(callback))

    @property
    def connected(self) -> bool:
        """Whether the bus is open."""
        return self._open

    async def publish(self, subject: str, body: bytes, *, msg_id: str = "", once: bool = False) -> Published:
        """Store *body*; see ``Bus.publish``."""
        stream = check_stored(subject, body)
        self._require_open()
        published = self._streams[stream].add(subject, bytes(body), msg_id, once=once)
        if not published.duplicate:
            self._hear(subject, bytes(body))
            for (name, _), consumer in self._consumers.items():
                if name == stream:
                    consumer.pump()
        return published

    async def consume(self, subject: str, handler: Handler, *, durable: str, window: int = 64) -> Unsubscribe:
        """Hand stored messages to *handler*; see ``Bus.consume``."""
        check_subject(subject, wildcards=True)
        stream = stream_of(subject)
        if not stream:
            raise MessageRefused("subject", f"{subject!r} is not a stream's, so it cannot be consumed")
        consumer = self._consumers.setdefault((stream, durable), Reader(self._streams[stream], subject))
        if consumer.handler is not None:
            raise BrokerError(f"consumer {durable!r} has a handler already")
        consumer.subject, consumer.handler, consumer.window = subject, handler, window
        consumer.pump()
        return consumer.stop

    async def post(self, subject: str, body: bytes) -> None:
        """Send chatter to whoever listens now."""
        check_subject(subject)
        check_body(subject, body)
        if self._open:
            self._hear(subject, bytes(body))

    async def listen(self, subject: str, listener: Listener) -> Unsubscribe:
        """Hear every message on *subject* from now on, in order."""
        check_subject(subject, wildcards=True)
        entry = (subject, asyncio.Queue[tuple[str, bytes]]())
        self._listeners.append(entry)
        task = self._spawn(_drain(entry[1], listener))

        async def stop() -> None:
            self._listeners[:] = [other for other in self._listeners if other is not entry]
            task.cancel()

        return stop

    async def request(self, subject: str, body: bytes, *, timeout: float = 5.0) -> bytes:
        """Ask and wait for one answer; see ``Bus.request``."""
        check_subject(subject)
        check_body(subject, body)
        self._require_open()
        responder = next((found for pattern, found in self._responders if matches(pattern, subject)), None)
        if responder is None:
            raise BrokerError(f"nobody answers {subject}", "Is the board up? 'callboard status' shows it.")
        try:
            async with asyncio.timeout(timeout):
                return await responder(subject, bytes(body))
        except TimeoutError:
            raise BrokerError(f"no answer on {subject} in {timeout:g} s") from None
        except Exception as error:  # noqa: BLE001 - over a real broker, too, any failure arrives as one class
            raise BrokerError(error.message if isinstance(error, CallboardError) else str(error)) from None

    async def serve(self, subject: str, responder: Responder) -> Unsubscribe:
        """Answer requests on *subject*."""
        check_subject(subject, wildcards=True)
        entry = (subject, responder)
        self._responders.append(entry)

        async def stop() -> None:
            self._responders[:] = [other for other in self._responders if other is not entry]

        return stop

    async def stored(self, prefix: str) -> set[str]:
        """Every subject below *prefix* that holds a message."""
        self._require_open()
        stream = stream_of(prefix)
        return self._streams[stream].subjects(prefix) if stream else set()

    def on_connect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Call *callback* when the bus opens, or at once when it is open."""
        self._callbacks.append(callback)
        if self._open:
            self._spawn(_guarded(callback))

    async def close(self) -> None:
        """Stop all handlers; unsettled messages stay for the next consumer of their durable name."""
        self._open = False
        for consumer in self._consumers.values():
            await consumer.stop()
        current = asyncio.current_task()
        running = [task for task in self._tasks if task is not current]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _hear(self, subject: str, body: bytes) -> None:
        for pattern, queue in self._listeners:
            if matches(pattern, subject):
                queue.put_nowait((subject, body))

    def _require_open(self) -> None:
        if not self._open:
            raise BrokerError("the bus is not open")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _drain(queue: asyncio.Queue[tuple[str, bytes]], listener: Listener) -> None:
    while True:
        subject, body = await queue.get()
        try:
            await listener(subject, body)
        except Exception as error:  # noqa: BLE001 - one listener's failure is not another's
            log.warning("a listener on %s raised %s: %s", subject, type(error).__name__, error)


async def _guarded(callback: Callable[[], Awaitable[None]]) -> None:
    try:
        await callback()
    except Exception as error:  # noqa: BLE001 - as above
        log.warning("after connecting: %s: %s", type(error).__name__, error)
