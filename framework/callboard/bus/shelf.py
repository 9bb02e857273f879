"""Streams and durable consumers inside one process: what JetStream does for the in-process bus."""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections.abc import Mapping

from callboard.bus import RETRY_DELAYS, Handler, Published
from callboard.bus.subjects import IN, OUT, matches
from callboard.errors import BrokerError

DEDUPE_SECONDS = 120.0
"""How long a message id is remembered; as the streams on a server do."""

log = logging.getLogger("callboard.bus")


class Shelf:
    """Messages in order of arrival; the newest one of each subject in the outbox, all of them in the intake."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.last = 0
        self.messages: dict[int, tuple[str, bytes]] = {}
        self._ids: dict[str, tuple[int, float]] = {}
        self._by_subject: dict[str, list[int]] = {}

    def add(self, subject: str, body: bytes, msg_id: str, *, once: bool) -> Published:
        """Store a message, unless its id is known or its subject is taken."""
        self._forget_ids()
        if msg_id and msg_id in self._ids:
            return Published(self._ids[msg_id][0], duplicate=True)
        held = self._by_subject.get(subject, [])
        if once and held:
            return Published(held[-1], duplicate=True)
        if self.name == OUT:
            for sequence in tuple(held):
                self.remove(sequence)
        self.last += 1
        self.messages[self.last] = (subject, body)
        self._by_subject.setdefault(subject, []).append(self.last)
        if msg_id:
            self._ids[msg_id] = (self.last, time.monotonic())
        return Published(self.last, duplicate=False)

    def remove(self, sequence: int) -> None:
        """Drop a message."""
        subject, _ = self.messages.pop(sequence)
        self._by_subject[subject].remove(sequence)
        if not self._by_subject[subject]:
            del self._by_subject[subject]

    def subjects(self, prefix: str) -> set[str]:
        """List the subjects below *prefix* that hold a message."""
        return {subject for subject in self._by_subject if subject.startswith(prefix + ".")}

    def _forget_ids(self) -> None:
        oldest = time.monotonic() - DEDUPE_SECONDS
        while self._ids and next(iter(self._ids.values()))[1] < oldest:
            del self._ids[next(iter(self._ids))]


class ShelfDelivery:
    """One message of a consumer, on its way to be settled."""

    def __init__(self, consumer: Reader, sequence: int, attempt: int) -> None:
        self.subject, self.body = consumer.stream.messages[sequence]
        self.headers: Mapping[str, str] = {}
        self.attempt, self.redelivered = attempt, attempt > 1
        self.settled = False
        self._consumer, self._sequence = consumer, sequence

    async def ack(self) -> None:
        """Take the message off the intake, or past it in the outbox."""
        self._settle()
        self._consumer.finish(self._sequence)

    async def retry(self, delay: float = 0.0) -> None:
        """Give it back for another try after *delay* seconds."""
        self._settle()
        self._consumer.give_back(self._sequence, delay)

    async def refuse(self, reason: str) -> None:
        """Never deliver it again."""
        self._settle()
        log.info("%s refused: %s", self.subject, reason)
        self._consumer.finish(self._sequence)

    def _settle(self) -> None:
        if self.settled:
            raise BrokerError(f"{self.subject}: this delivery is settled already")
        self.settled = True


class Reader:
    """Where one durable name is in its stream; outlives the handler that serves it."""

    def __init__(self, stream: Shelf, subject: str) -> None:
        self.stream, self.subject = stream, subject
        self.handler: Handler | None = None
        self.window = 0
        self._next = 1
        self._again: list[tuple[float, int]] = []
        self._attempts: dict[int, int] = {}
        self._held: dict[int, ShelfDelivery] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def pump(self) -> None:
        """Start handlers until the window is full or nothing is due."""
        while self.handler is not None and len(self._held) < self.window:
            sequence = self._due()
            if sequence is None:
                return
            attempt = self._attempts[sequence] = self._attempts.get(sequence, 0) + 1
            delivery = self._held[sequence] = ShelfDelivery(self, sequence, attempt)
            task = asyncio.get_running_loop().create_task(self._run(self.handler, delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _due(self) -> int | None:
        now = asyncio.get_running_loop().time()
        while self._again and self._again[0][0] <= now:
            _, sequence = heapq.heappop(self._again)
            if sequence in self.stream.messages:
                return sequence
        while self._next <= self.stream.last:
            sequence, self._next = self._next, self._next + 1
            if sequence in self.stream.messages and matches(self.subject, self.stream.messages[sequence][0]):
                return sequence
        if self._again:
            self._wake_at(self._again[0][0])
        return None

    def _wake_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self.pump)

    async def _run(self, handler: Handler, delivery: ShelfDelivery) -> None:
        try:
            await handler(delivery)
        except Exception as error:  # noqa: BLE001 - a handler's failure is a redelivery, whatever it is
            log.warning("%s comes again, its handler raised %s: %s", delivery.subject, type(error).__name__, error)
            if not delivery.settled:
                await delivery.retry(RETRY_DELAYS[min(delivery.attempt, len(RETRY_DELAYS)) - 1])

    def finish(self, sequence: int) -> None:
        """Let go of a message for good."""
        self._held.pop(sequence, None)
        self._attempts.pop(sequence, None)
        if self.stream.name == IN and sequence in self.stream.messages:
            self.stream.remove(sequence)
        self.pump()

    def give_back(self, sequence: int, delay: float) -> None:
        """Queue a message for another delivery."""
        self._held.pop(sequence, None)
        heapq.heappush(self._again, (asyncio.get_running_loop().time() + delay, sequence))
        self.pump()

    async def stop(self) -> None:
        """Take the handler off; what it holds is delivered to the next one."""
        self.handler = None
        if self._timer is not None:
            self._timer.cancel()
        running = tuple(self._tasks)
        for task in running:
            if task is not asyncio.current_task():
                task.cancel()
        await asyncio.gather(*(task for task in running if task is not asyncio.current_task()), return_exceptions=True)
        for sequence, delivery in tuple(self._held.items()):
            delivery.settled = True
            self.give_back(sequence, 0.0)
