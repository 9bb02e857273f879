"""A durable consumer: one inbox, refilled by pull requests before it runs dry.

``fetch()`` of nats-py costs 3.5 times as much for a message as a subscription's callback does, so the pull requests
are sent by hand and the messages arrive in a callback; the window still bounds what is on its way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from callboard.bus import RETRY_DELAYS, Handler
from callboard.bus.streams import consumer_config, create_consumer
from callboard.errors import BrokerError

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

    from callboard.bus.link import Link

ACK_WAIT = 30.0
"""Seconds after which the server delivers an unsettled message again."""
LEASE_SECONDS = ACK_WAIT / 3
"""Between signs of life for messages whose handler is still at work."""
EXPIRES = 30.0
"""Seconds that a pull request stays open at the server."""
HEARTBEAT = 4.0
"""Seconds between the server's signs of life while a pull request finds no messages."""
LOOK_SECONDS = 5.0
"""Between our looks at a consumer."""
SILENT_LOOKS = 3
"""Looks without any sign of life after which the connection is made again."""
ACK_GROUP = 16
"""Acks that share one answer of the server."""
ANSWER_SECONDS = 5.0
"""For the server's word that it has an ack."""

log = logging.getLogger("callboard.bus")


class PulledMessage:
    """A ``Delivery`` of a JetStream consumer."""

    __slots__ = (
        "_pull",
        "attempt",
        "body",
        "headers",
        "key",
        "redelivered",
        "reply",
        "running",
        "settled",
        "since",
        "subject",
    )

    def __init__(self, pull: Pull, message: Msg, key: tuple[str, str], attempt: int) -> None:
        self.subject, self.body = message.subject, message.data
        self.headers: Mapping[str, str] = message.headers or {}
        self.attempt, self.redelivered = attempt, attempt > 1
        self.reply, self.key = message.reply, key
        self.settled, self.running = False, True
        self.since = asyncio.get_running_loop().time()
        self._pull = pull

    async def ack(self) -> None:
        """Say that the journal has it, and wait for the server's word."""
        self._settle()
        try:
            await self._pull.confirm(self.reply)
        finally:
            await self._pull.release(self)

    async def retry(self, delay: float = 0.0) -> None:
        """Give it back for another try after *delay* seconds."""
        await self._say(b'-NAK {"delay":%d}' % int(delay * 1e9) if delay > 0 else b"-NAK")

    async def refuse(self, reason: str) -> None:
        """Never deliver it again."""
        log.info("%s refused: %s", self.subject, reason)
        await self._say(b"+TERM " + reason.replace("\r", " ").replace("\n", " ").encode("utf-8", "replace")[:200])

    async def _say(self, word: bytes) -> None:
        self._settle()
        try:
            await self._pull.say(self.reply, word)
        finally:
            await self._pull.release(self)

    def _settle(self) -> None:
        if self.settled:
            raise BrokerError(f"{self.subject}: this delivery is settled already")
        self.settled = True


class Pull:
    """One consumer, over as many connections as it takes."""

    def __init__(self, link: Link, stream: str, subject: str, handler: Handler, durable: str, window: int) -> None:
        self._link, self._stream, self._subject = link, stream, subject
        self._handler, self._durable, self._window = handler, durable, window
        self._inbox = ""
        self._subscription: Subscription | None = None
        self._asked = 0
        self._held: dict[tuple[str, str], PulledMessage] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._acks: list[tuple[str, asyncio.Future[None]]] = []
        self._silent = 0
        self._made = ""
        self._looker: asyncio.Task[None] | None = None
        self._closing = False

    async def bind(self) -> None:
        """Attach to the present connection.

        Raises:
            BrokerError: the server does not answer, or refuses the consumer.
        """
        config = consumer_config(self._durable, self._subject, self._window, ACK_WAIT)
        made = await create_consumer(self._link, self._stream, config)
        if made != self._made:
            self._forget()
        self._made = made
        self._inbox = self._link.new_inbox()
        self._subscription = await self._link.subscribe(self._inbox, self._arrived)
        self._asked = self._silent = 0
        if self._looker is None:
            self._looker = asyncio.create_task(self._look())
        await self._refill()

    async def stop(self) -> None:
        """Stop the handlers and give back what they held."""
        self._closing = True
        current = asyncio.current_task()
        if self._looker is not None:
            self._looker.cancel()
        running = [task for task in self._tasks if task is not current]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        try:
            for held in tuple(self._held.values()):
                if not held.settled:
                    await held.retry()
            if self._subscription is not None and self._link.connected:
                async with asyncio.timeout(2.0):
                    # What is still on its way is given back by _arrived.
                    await self._subscription.drain()  # type: ignore[no-untyped-call]  # nats-py leaves it bare
        except Exception as error:  # noqa: BLE001 - the server gives it to somebody else after ACK_WAIT anyway
            log.debug("closing consumer %s: %s", self._durable, error)

    async def say(self, reply: str, word: bytes) -> None:
        """Send a settlement without waiting for its answer."""
        await self._link.send(reply, word)

    async def confirm(self, reply: str) -> None:
        """Acknowledge one message together with all others of this turn of the loop.

        The server takes the acks of one connection in order, so its answer to the last one speaks for all.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._acks.append((reply, future))
        if len(self._acks) == 1:
            self._start(self._send_acks())
        await future

    async def release(self, message: PulledMessage) -> None:
        """Free the place of a settled message."""
        self._held.pop(message.key, None)
        await self._refill()

    def _forget(self) -> None:
        """Cut off what an earlier consumer delivered: in a new one, its acks could settle somebody else's message."""
        for held in self._held.values():
            held.settled = True
        self._held.clear()

    async def _send_acks(self) -> None:
        batch, self._acks = self._acks, []
        # In groups, so that places come free while the server still works on the rest.
        for start in range(0, len(batch), ACK_GROUP):
            self._start(self._send_group(batch[start : start + ACK_GROUP]))

    async def _send_group(self, group: list[tuple[str, asyncio.Future[None]]]) -> None:
        problem = BrokerError(f"consumer {self._durable} was closed before the broker took the ack")
        taken = False
        try:
            for reply, _ in group[:-1]:
                await self._link.send(reply, b"+ACK")
            await self._link.ask(group[-1][0], b"+ACK", ANSWER_SECONDS)
            taken = True
        except BrokerError as error:
            problem = error
        finally:
            for _, future in group:
                if not future.done():
                    future.set_result(None) if taken else future.set_exception(problem)

    async def _arrived(self, message: Msg) -> None:
        self._silent = 0
        if not message.reply.startswith("$JS.ACK."):
            await self._status(message.headers or {})
            return
        self._asked -= 1
        if self._closing:
            await self._link.send(message.reply, b"-NAK")
            return
        # $JS.ACK.<stream>.<consumer>.<delivered>.<sequence>...<time>; servers with domains put two tokens before that.
        tokens = message.reply.split(".")
        start = 4 if len(tokens) < 11 else 6
        key = (tokens[start + 1], tokens[start + 3])
        held = self._held.get(key)
        if held is not None and held.running:
            held.reply = message.reply  # delivered again after a reconnect, while its handler is still at work
            return
        delivery = self._held[key] = PulledMessage(self, message, key, int(tokens[start]))
        self._start(self._handle(delivery))
        await self._refill()

    async def _handle(self, delivery: PulledMessage) -> None:
        try:
            await self._handler(delivery)
        except Exception as error:  # noqa: BLE001 - a handler's failure is a redelivery, whatever it is
            log.warning("%s comes again, its handler raised %s: %s", delivery.subject, type(error).__name__, error)
            if not delivery.settled:
                await self._give_back(delivery)
        finally:
            delivery.running = False

    async def _give_back(self, delivery: PulledMessage) -> None:
        try:
            await delivery.retry(RETRY_DELAYS[min(delivery.attempt, len(RETRY_DELAYS)) - 1])
        except BrokerError as error:
            log.debug("%s is given back by time: %s", delivery.subject, error)

    async def _status(self, headers: dict[str, str]) -> None:
        """Take the server's word on a pull request: a heartbeat, its end, or that the consumer is gone."""
        code = headers.get("Status", "")
        if code == "100":
            return
        self._asked -= int(headers.get("Nats-Pending-Messages", "0"))
        what = headers.get("Description", "")
        if code == "503" or "Deleted" in what:
            self._link.renew(f"consumer {self._durable}: {code} {what}")
            return
        if code not in ("408", "404"):
            log.debug("consumer %s: %s %s", self._durable, code, what)
        await self._refill()

    async def _refill(self, least: int = 0) -> None:
        """Ask for as many messages as the window has room for, when that is worth a request."""
        free = self._window - len(self._held) - max(self._asked, 0)
        if self._closing or free < (least or max(1, self._window // 8)):
            return
        self._asked = max(self._asked, 0) + free
        ask = {"batch": free, "expires": int(EXPIRES * 1e9), "idle_heartbeat": int(HEARTBEAT * 1e9)}
        try:
            await self._link.send(
                f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._durable}", msgspec.json.encode(ask), self._inbox
            )
        except BrokerError:
            self._asked = 0  # the next connection asks again

    async def _look(self) -> None:
        """Keep leases, use places that came free one by one, and notice a server that went silent."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self._link.connected:
                continue
            self._silent += 1
            if self._silent >= SILENT_LOOKS and self._asked > 0:
                self._silent = 0
                self._link.renew(f"consumer {self._durable} heard nothing for {SILENT_LOOKS * LOOK_SECONDS:g} s")
                continue
            try:
                await self._keep_leases()
            except BrokerError as error:
                log.debug("consumer %s: %s", self._durable, error)
            await self._refill(least=1)

    async def _keep_leases(self) -> None:
        now = asyncio.get_running_loop().time()
        for held in tuple(self._held.values()):
            if held.running and not held.settled:
                if now - held.since >= LEASE_SECONDS:
                    held.since = now
                    await self._link.send(held.reply, b"+WPI")
            elif now - held.since > ACK_WAIT + LOOK_SECONDS:
                self._held.pop(held.key, None)  # nobody settled it in time: the server has it again

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
