"""One connection to a NATS server, kept alive whatever happens to either end.

nats-py reconnects by itself, but gives up on an authorisation error, keeps publishes of a lost connection in a
buffer where nobody sees them, and waits for a frozen server to take its last bytes. So each connection here is a
client of its own that does not reconnect: when it is gone, or does not answer, the next one is made from scratch.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from callboard.bus.dial import check_files, in_the_clear, make_client, options, servers, tls_context
from callboard.bus.patience import HINT, expire, unless
from callboard.config import Broker
from callboard.errors import BrokerError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

    MessageCallback = Callable[[Msg], Awaitable[None]]

PING_SECONDS = 5.0
"""Between looks at the connection, and how long each answer may take."""
PINGS_MISSED = 2
"""Unanswered looks after which the connection is made again: a frozen server is noticed in 15 s."""
WAIT_SECONDS = (0.5, 5.0)
"""Shortest and longest wait between tries, before jitter."""
OPEN_SECONDS = 10.0
"""For one try over all servers, TLS and signing included."""

log = logging.getLogger("callboard.bus")


class Link:
    """The connection and what hangs on it: asking with an answer, sending, subscribing.

    Args:
        broker: Where to and who as.
        role: Names the connection, and the inbox ``_INBOX.<role>`` that the role may hear.
        on_up: Prepares a fresh connection; while it raises, the link does not count as connected.
        on_ready: Runs in the background after each connect; guards itself against errors.
    """

    def __init__(
        self,
        broker: Broker,
        role: str,
        on_up: Callable[[], Awaitable[None]],
        on_ready: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self.connected = False
        self.error = "not tried yet"
        self.connections = 0
        """How many there were so far."""
        self._said, self.closing = "", False
        self._broker, self._role = broker, role
        self._on_up, self._on_ready = on_up, on_ready
        self._client: Client | None = None
        self._inbox, self._token = "", 0
        self._waiting: dict[str, asyncio.Future[Msg]] = {}
        self._gone, self._came = asyncio.Event(), asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._discovered: list[str] = []

    @property
    def stands(self) -> bool:
        """Whether the connection is up, and nothing that was said over it so far found it gone."""
        return self.connected and not self._gone.is_set()

    async def start(self) -> None:
        """Begin to connect; returns at once."""
        await asyncio.to_thread(check_files, self._broker)
        tls = await asyncio.to_thread(tls_context, self._broker)
        for place in in_the_clear(self._broker):
            log.warning(
                "the broker at %s is spoken to without TLS: others on the way can read and change it all", place
            )
        # 300 ms of imports, off the loop and only for those who use this adapter.
        await asyncio.to_thread(importlib.import_module, "nats.aio.client")
        self._keeper = asyncio.create_task(self._keep(tls), name="callboard-bus")

    async def wait(self, timeout: float) -> bool:
        """Wait until connected, at most *timeout* seconds, and say whether it is.

        A connection that was found gone does not count, though nobody took it down yet: who tries again until it goes
        would leave nobody the time for that.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await asyncio.sleep(0)
                while not self.stands:
                    await self._came.wait()
        return self.stands

    async def stop(self) -> None:
        """Close the connection for good."""
        self.closing = True
        self._lose(self._gone)  # nats-py swallows a cancellation that meets it while it flushes
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    def renew(self, reason: str) -> None:
        """Make the connection, and everything that hangs on it, again."""
        if not self._gone.is_set():
            log.warning("connecting to the broker again: %s", reason)
            self._lose(self._gone)

    def _lose(self, gone: asyncio.Event) -> None:
        """Say that a connection is gone: whoever waits for one from now on waits for the next."""
        gone.set()
        if gone is self._gone:
            self._came.clear()

    async def send(self, subject: str, body: bytes, reply: str = "", headers: dict[str, str] | None = None) -> None:
        """Send without an answer.

        Raises:
            BrokerError: there is no connection.
        """
        with self._speaking():
            await self._require().publish(subject, body, reply, headers)

    async def ask(self, subject: str, body: bytes, timeout: float, headers: dict[str, str] | None = None) -> Msg:
        """Send and wait for one answer, *timeout* seconds; all answers share one inbox.

        Raises:
            BrokerError: there is no connection, it was lost meanwhile, or no answer came.
        """
        client = self._require()
        loop = asyncio.get_running_loop()
        self._token += 1
        token = str(self._token)
        future: asyncio.Future[Msg] = loop.create_future()
        self._waiting[token] = future
        # A timer per question costs 1 us; asyncio.wait_for costs ten times that.
        timer = loop.call_later(timeout, expire, future, subject, timeout)
        try:
            with self._speaking():
                await client.publish(subject, body, self._inbox + token, headers)
                return await future
        finally:
            timer.cancel()
            del self._waiting[token]

    async def subscribe(self, subject: str, callback: MessageCallback, queue: str = "") -> Subscription:
        """Subscribe on the present connection; the next one needs it again.

        Raises:
            BrokerError: there is no connection.
        """
        with self._speaking():
            return await self._require().subscribe(subject, queue, callback)

    def new_inbox(self) -> str:
        """Name a fresh inbox of this role."""
        return self._require().new_inbox()

    async def answers(self) -> bool:
        """Say whether the server answers a ping, sent after everything else, within ``PING_SECONDS``."""
        import nats.errors

        try:
            return await unless(self._gone, self._require().flush(timeout=max(1, int(PING_SECONDS))))
        except (nats.errors.Error, OSError, BrokerError):
            return False

    @property
    def server_version(self) -> tuple[int, int]:
        """Major and minor of the connected server."""
        version = self._require().connected_server_version
        return version.major, version.minor

    def _require(self) -> Client:
        if self._client is None:
            raise BrokerError(f"no connection to the broker: {self.error}", HINT)
        return self._client

    @contextlib.contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except BrokerError:
            raise
        except Exception as error:  # noqa: BLE001 - nats-py raises its own errors and bare OSErrors here
            if self._client is not None and self._client.is_closed:
                self._lose(self._gone)  # whoever spoke to it may know before its callbacks tell
            raise BrokerError(f"no connection to the broker: {type(error).__name__}: {error}", HINT) from None

    async def _keep(self, tls: ssl.SSLContext | None) -> None:
        """Connect, watch, connect again, until cancelled."""
        shortest, longest = WAIT_SECONDS
        wait = shortest
        while not self.closing:
            try:
                await self._up(tls)
                wait = shortest
                await self._serve()
            except Exception as error:  # noqa: BLE001 - whatever went wrong with a connection, the next one is tried
                # Who turns us away may hang up before the reason is read: an earlier reason says more.
                hung_up = isinstance(error, ConnectionResetError | EOFError) and self._said
                self._note(hung_up or f"{type(error).__name__}: {error}".removesuffix(": "))
            finally:
                await self._down()
            if self.closing:
                return
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            wait = min(wait * 2, longest)

    async def _up(self, tls: ssl.SSLContext | None) -> None:
        client = make_client(tls)
        self._gone = asyncio.Event()
        self._client = client
        async with asyncio.timeout(OPEN_SECONDS):
            await client.connect(servers(self._broker) + self._discovered, **self._options(client, tls))
        self._discovered = [url.geturl() for url in client.discovered_servers]
        inbox = client.new_inbox()
        self._inbox = inbox + "."
        await client.subscribe(inbox + ".*", cb=self._answered)
        await self._on_up()

    def _options(self, client: Client, tls: ssl.SSLContext | None) -> dict[str, Any]:
        gone = self._gone

        async def closed() -> None:
            self._lose(gone)

        async def failed(error: Exception) -> None:
            self.error = f"{type(error).__name__}: {error}".removesuffix(": ")
            log.debug("broker: %s", self.error)
            if not client.is_connected or isinstance(error, OSError | EOFError) or "EOF" in self.error:
                self._lose(gone)

        told = {"error_cb": failed, "closed_cb": closed, "disconnected_cb": closed}
        return options(self._broker, self._role, tls) | told

    async def _serve(self) -> None:
        """Count as connected until the connection is gone or does not answer."""
        self.connected, self.error, self._said = True, "", ""
        self.connections += 1
        self._came.set()
        ready = asyncio.create_task(self._on_ready())
        try:
            await self._watch()
        finally:
            self.connected = False
            self._came.clear()
            ready.cancel()
            await asyncio.gather(ready, return_exceptions=True)

    async def _watch(self) -> None:
        missed = 0
        while missed < PINGS_MISSED:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PING_SECONDS):
                    await self._gone.wait()
                self._note(self.error or "the connection is gone")
                return
            missed = 0 if await self.answers() else missed + 1
        self._note(f"no answer to {PINGS_MISSED} pings")

    async def _down(self) -> None:
        client, self._client = self._client, None
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(BrokerError("the connection to the broker was lost", HINT))
        if client is None:
            return
        try:
            async with asyncio.timeout(1.0):
                await client.close()
        except Exception as error:  # noqa: BLE001 - closing what is broken may break in any way
            log.debug("closing a connection: %s", error)
        finally:
            # A frozen server never takes the last bytes, so the socket would stay; nats-py has no public way to abort.
            writer = getattr(getattr(client, "_transport", None), "_io_writer", None)
            if writer is not None:
                writer.transport.abort()

    def _note(self, problem: str) -> None:
        if problem != self._said:
            log.warning("no connection to the broker: %s", problem)
        self.error = self._said = problem

    async def _answered(self, message: Msg) -> None:
        future = self._waiting.get(message.subject.rpartition(".")[2])
        if future is not None and not future.done():
            future.set_result(message)
