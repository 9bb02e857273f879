"""The bus over NATS and JetStream, embedded or somebody's cluster."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from callboard.bus import Handler, Listener, Published, Responder, Unsubscribe
from callboard.bus.binary import OLDEST
from callboard.bus.interest import Interest
from callboard.bus.link import Link
from callboard.bus.pull import Pull
from callboard.bus.streams import (
    PUB_ACK,
    ensure_streams,
    no_responders,
    refused,
    stored_subjects,
)
from callboard.bus.subjects import check_body, check_stored, check_subject, stream_of
from callboard.bus.wedge import WedgeWatch
from callboard.config import Broker
from callboard.errors import BrokerError, CallboardError, MessageRefused

if TYPE_CHECKING:
    from nats.aio.msg import Msg

QUEUE = "callboard"
"""Responders of one subject share its requests."""
ERROR_HEADER = "Nats-Service-Error"
"""Carries a responder's failure, as NATS services do (ADR-32)."""
PATIENCE = 3.0
"""Seconds that ``connect`` waits for the first connection before it returns without."""

log = logging.getLogger("callboard.bus")


class NatsBus:
    """The NATS adapter. It never gives up: with the broker away it says so, and goes on trying.

    Args:
        broker: Where to, and who as; several urls are separated by commas.
        role: ``board`` makes the streams; every other role needs them made.
        publish_seconds: How long a stored message may take before ``publish`` raises.
        on_wedged: Called, once a minute at most, when the broker answers but a stream has taken no message for 30 s.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        role: str = "board",
        publish_seconds: float = 5.0,
        on_wedged: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._link = Link(broker, role, self._prepare, self._announce)
        self._wedge = WedgeWatch(self._link, on_wedged)
        self._role = role
        self._publish_seconds = publish_seconds
        self._interests: list[Interest] = []
        self._pulls: list[Pull] = []
        self._callbacks: list[Callable[[], Awaitable[None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Connect; see ``connect``."""
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the bus."""
        await self.close()

    async def connect(self, patience: float = PATIENCE) -> bool:
        """Begin to connect, wait at most *patience* seconds, and say whether it is connected.

        Raises:
            BrokerError: a file that the settings name is missing or unusable.
        """
        await self._link.start()
        return await self._link.wait(patience)

    async def ready(self, timeout: float) -> bool:
        """Wait until connected, at most *timeout* seconds, and say whether it is."""
        return await self._link.wait(timeout)

    @property
    def connected(self) -> bool:
        """Whether a message sent now would reach the broker."""
        return self._link.connected

    @property
    def problem(self) -> str:
        """Why it is not connected; empty when it is."""
        return self._link.error

    async def publish(self, subject: str, body: bytes, *, msg_id: str = "", once: bool = False) -> Published:
        """Store *body*; see ``Bus.publish``. Call it from many tasks at once: their writes are sent together."""
        stream = check_stored(subject, body)
        self._require()
        headers: dict[str, str] = {}
        if msg_id:
            headers["Nats-Msg-Id"] = msg_id
        if once:
            headers["Nats-Expected-Last-Subject-Sequence"] = "0"
        asked = asyncio.get_running_loop().time()
        try:
            answer = await self._link.ask(subject, body, self._publish_seconds, headers or None)
        except BrokerError:
            if self.connected and asyncio.get_running_loop().time() - asked >= self._publish_seconds:
                self._spawn(self._wedge.unanswered(stream, asked))
            raise
        self._wedge.answered(stream)
        if no_responders(answer):
            self._link.renew(f"no stream takes {subject}")
            raise BrokerError(f"no stream takes {subject}", "The streams are made again; send it again.")
        ack = PUB_ACK.decode(answer.data)
        if ack.error is not None:
            return refused(subject, ack.error)
        return Published(ack.seq, ack.duplicate)

    async def consume(self, subject: str, handler: Handler, *, durable: str, window: int = 64) -> Unsubscribe:
        """Hand stored messages to *handler*; see ``Bus.consume``."""
        check_subject(subject, wildcards=True)
        stream = stream_of(subject)
        if not stream:
            raise MessageRefused("subject", f"{subject!r} is not a stream's, so it cannot be consumed")
        pull = Pull(self._link, stream, subject, handler, durable, window)
        self._pulls.append(pull)
        await self._attach(pull.bind, partial(self._pulls.remove, pull))

        async def stop() -> None:
            if pull in self._pulls:
                self._pulls.remove(pull)
                await pull.stop()

        return stop

    async def post(self, subject: str, body: bytes) -> None:
        """Send chatter; lost while the broker is away."""
        check_subject(subject)
        check_body(subject, body)
        if self.connected:
            try:
                await self._link.send(subject, body)
            except BrokerError as error:
                log.debug("chatter lost: %s", error.message)

    async def listen(self, subject: str, listener: Listener) -> Unsubscribe:
        """Hear every message on *subject* from now on, in order."""

        async def heard(message: Msg) -> None:
            try:
                await listener(message.subject, message.data)
            except Exception as error:  # noqa: BLE001 - one listener's failure is not another's
                log.warning("a listener on %s raised %s: %s", subject, type(error).__name__, error)

        return await self._subscribe(Interest(subject, "", heard))

    async def request(self, subject: str, body: bytes, *, timeout: float = 5.0) -> bytes:
        """Ask and wait for one answer; see ``Bus.request``."""
        check_subject(subject)
        check_body(subject, body)
        self._require()
        answer = await self._link.ask(subject, body, timeout)
        if no_responders(answer):
            raise BrokerError(f"nobody answers {subject}", "Is the board up? 'callboard status' shows it.")
        problem = (answer.headers or {}).get(ERROR_HEADER, "")
        if problem:
            raise BrokerError(problem)
        return answer.data

    async def serve(self, subject: str, responder: Responder) -> Unsubscribe:
        """Answer requests on *subject*, several at a time."""

        async def asked(message: Msg) -> None:
            if message.reply:
                self._spawn(self._respond(message, responder))

        return await self._subscribe(Interest(subject, QUEUE, asked))

    async def stored(self, prefix: str) -> set[str]:
        """Every subject below *prefix* that holds a message."""
        self._require()
        stream = stream_of(prefix)
        return await stored_subjects(self._link, stream, prefix) if stream else set()

    def on_connect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Call *callback* after each connect, and at once when connected already."""
        self._callbacks.append(callback)
        if self.connected:
            self._spawn(_guarded(callback))

    async def close(self) -> None:
        """Give unsettled messages back and close the connection."""
        for pull in tuple(self._pulls):
            await pull.stop()
        self._pulls.clear()
        current = asyncio.current_task()
        running = [task for task in self._tasks if task is not current]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._link.stop()

    async def _prepare(self) -> None:
        """Make everything that a fresh connection needs."""
        self._wedge.forget()
        version = self._link.server_version
        if version < OLDEST:
            raise BrokerError(f"the NATS server is {version[0]}.{version[1]}, at least 2.14 is needed")
        if self._role == "board":
            await ensure_streams(self._link)
        for interest in self._interests:
            await interest.attach(self._link)
        if self._interests:
            await self._link.answers()  # whoever sends once we are connected is heard
        for pull in self._pulls:
            await pull.bind()

    async def _announce(self) -> None:
        for callback in tuple(self._callbacks):
            await _guarded(callback)

    async def _subscribe(self, interest: Interest) -> Unsubscribe:
        check_subject(interest.subject, wildcards=True)
        self._interests.append(interest)
        await self._attach(partial(interest.begin, self._link), partial(self._interests.remove, interest))

        async def stop() -> None:
            if interest in self._interests:
                self._interests.remove(interest)
                await interest.detach()

        return stop

    async def _attach(self, work: Callable[[], Awaitable[None]], undo: Callable[[], None]) -> None:
        """Do on the present connection what ``_prepare`` does on each later one.

        Where the connection is lost meanwhile, that is no failure: it is done on the next.

        Raises:
            BrokerError: the server refuses it.
        """
        if not self.connected:
            return
        before = self._link.connections
        try:
            await work()
        except BrokerError:
            if self._link.stands and self._link.connections == before:
                undo()
                raise

    async def _respond(self, message: Msg, responder: Responder) -> None:
        headers: dict[str, str] | None = None
        try:
            body = await responder(message.subject, message.data)
            check_body(message.subject, body)
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever asked must hear of it
            text = error.message if isinstance(error, CallboardError) else f"{type(error).__name__}: {error}"
            log.warning("answering %s: %s", message.subject, text)
            headers, body = {ERROR_HEADER: " ".join(text.split())[:500] or "failed"}, b""
        try:
            await self._link.send(message.reply, body, headers=headers)
        except BrokerError as error:
            log.debug("an answer on %s is lost: %s", message.subject, error.message)

    def _require(self) -> None:
        if not self.connected:
            raise BrokerError(
                f"no connection to the broker: {self._link.error}",
                "It is tried again all the time; 'callboard doctor' checks the broker.",
            )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _guarded(callback: Callable[[], Awaitable[None]]) -> None:
    try:
        await callback()
    except Exception as error:  # noqa: BLE001 - a callback's failure must not cost the others
        log.warning("after connecting: %s: %s", type(error).__name__, error)
