"""The bus contract: what carries events, whatever is underneath.

Three ways to send, by what may be lost:

* ``publish`` is stored before it returns (a stream); with ``once=True`` a subject takes one message only.
* ``post`` is chatter (progress, presence): delivered to whoever listens now.
* ``request`` asks one responder and waits for its answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from msgspec import Struct

if TYPE_CHECKING:
    from callboard.config import Broker

INTAKE = "cb.in"
"""Events come in on ``cb.in.<event type>``; kept until the journal has them."""
OUTBOX = "cb.out"
"""Facts go out on ``cb.out.<message type>.<id>``; limits retention, one message a subject."""
CHATTER = "cb.now"
"""Progress and presence on ``cb.now.<message type>``; never stored."""
CONTROL = "cb.ctl"
"""Requests to the board on ``cb.ctl.<verb>``."""
COMMANDS = "cb.do"
"""What the board asks of an application on ``cb.do.<host>``; kept in the catalog until its receipt."""
MAX_MESSAGE = 64 * 1024
"""Bytes of one message; media goes by reference."""
MAX_ATTEMPTS = 5
"""Deliveries after which a handler should put a message aside: ``Delivery.attempt`` tells."""
RETRY_DELAYS = (0.05, 0.5, 5.0, 30.0, 120.0)
"""Seconds until a message whose handler raised comes again, by attempt; the last one holds for all later ones."""


class Published(Struct, frozen=True):
    """What the stream says of a stored message."""

    sequence: int
    duplicate: bool
    """True when the stream had it already, so nothing was added."""


class Delivery(Protocol):
    """A message from a stream, to be settled exactly once."""

    subject: str
    body: bytes
    headers: Mapping[str, str]
    redelivered: bool
    attempt: int
    """1 for the first delivery. No message is ever given up in silence: past ``MAX_ATTEMPTS`` it still
    comes, ever more rarely, until somebody acknowledges or refuses it."""

    async def ack(self) -> None:
        """Say that the journal has it. Returns once the broker knows."""
        ...

    async def retry(self, delay: float = 0.0) -> None:
        """Give it back, to be delivered again after *delay* seconds."""
        ...

    async def refuse(self, reason: str) -> None:
        """Never deliver it again."""
        ...


Handler = Callable[[Delivery], Awaitable[None]]
Listener = Callable[[str, bytes], Awaitable[None]]
Responder = Callable[[str, bytes], Awaitable[bytes]]
Unsubscribe = Callable[[], Awaitable[None]]


class Bus(Protocol):
    """One connection to the bus; an async context manager opens and closes it."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @property
    def connected(self) -> bool:
        """Whether a message sent now would reach the broker."""
        ...

    async def publish(self, subject: str, body: bytes, *, msg_id: str = "", once: bool = False) -> Published:
        """Store *body* on *subject* (under ``cb.in`` or ``cb.out``) and return when it is stored.

        Args:
            subject: Where to.
            body: At most ``MAX_MESSAGE`` bytes.
            msg_id: The same id within the stream's window is stored once.
            once: A subject that holds a message refuses another, however old.

        Raises:
            MessageRefused: the body is too long or the subject is not a stream's.
            BrokerError: the broker did not answer in time; send it again later.
        """
        ...

    async def consume(self, subject: str, handler: Handler, *, durable: str, window: int = 64) -> Unsubscribe:
        """Hand each stored message on *subject* (``cb.in.>``) to *handler*, at most *window* unsettled at once.

        Handlers of several messages run at the same time, so their order is that of the stream only where
        *window* is 1. A message that *handler* left unsettled by raising is given back and delivered again;
        one that it left unsettled by returning may be settled later, by whoever holds the delivery.

        Raises:
            MessageRefused: *subject* is not a stream's.
            BrokerError: the broker refuses such a consumer.
        """
        ...

    async def post(self, subject: str, body: bytes) -> None:
        """Send chatter; lost when nobody listens or the broker is away. Never raises for that."""
        ...

    async def listen(self, subject: str, listener: Listener) -> Unsubscribe:
        """Hear every message on *subject* from now on; ``*`` and ``>`` match as in NATS."""
        ...

    async def request(self, subject: str, body: bytes, *, timeout: float = 5.0) -> bytes:
        """Ask and wait for one answer.

        Raises:
            BrokerError: nobody answered in *timeout* seconds, or the responder failed.
        """
        ...

    async def serve(self, subject: str, responder: Responder) -> Unsubscribe:
        """Answer requests on *subject*; an error that *responder* raises reaches whoever asked."""
        ...

    async def stored(self, prefix: str) -> set[str]:
        """Every subject below *prefix* (``cb.out``) that holds a message: what the outbox is compared with.

        Raises:
            BrokerError: the broker did not answer.
        """
        ...

    def on_connect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Call *callback* after each connect, the first one included; at once when connected already."""
        ...

    async def close(self) -> None:
        """Let go of the connection; unsettled messages are delivered to somebody else."""
        ...


def open_bus(broker: Broker, *, role: str = "board") -> Bus:
    """Make the NATS adapter for *broker*, to be opened with ``async with``; nothing is imported before that."""
    from callboard.bus.nats import NatsBus

    return NatsBus(broker, role=role)


__all__ = [
    "CHATTER",
    "COMMANDS",
    "CONTROL",
    "INTAKE",
    "MAX_ATTEMPTS",
    "MAX_MESSAGE",
    "OUTBOX",
    "RETRY_DELAYS",
    "Bus",
    "Delivery",
    "Handler",
    "Listener",
    "Published",
    "Responder",
    "Unsubscribe",
    "open_bus",
]
