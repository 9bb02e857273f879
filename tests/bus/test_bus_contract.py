"""What every adapter of the bus promises, run over each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from callboard.bus import MAX_ATTEMPTS, MAX_MESSAGE, Bus, Delivery
from callboard.bus.memory import MemoryBus
from callboard.bus.server import EmbeddedServer
from callboard.errors import BrokerError, MessageRefused
from callboard.testing.buses import connected

SOON = 60.0
"""Seconds that only guard against hanging."""


@pytest.fixture(params=["memory", pytest.param("nats", marks=pytest.mark.broker)])
async def bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bus]:
    """Give an open bus of each kind."""
    if request.param == "memory":
        async with MemoryBus() as memory:
            yield memory
        return
    async with EmbeddedServer(tmp_path) as server, connected(server.broker()) as nats:
        yield nats


class Inbox:
    """A handler or listener that keeps what it is given."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()

    async def __call__(self, delivery: Delivery) -> None:
        """Keep a delivery."""
        await self._queue.put(delivery)

    async def next(self) -> Delivery:
        """Wait for the next delivery."""
        async with asyncio.timeout(SOON):
            return await self._queue.get()

    @property
    def empty(self) -> bool:
        """Whether nothing is left."""
        return self._queue.empty()


class Heard:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    async def __call__(self, subject: str, body: bytes) -> None:
        """Keep a message."""
        await self._queue.put((subject, body))

    async def next(self) -> tuple[str, bytes]:
        """Wait for the next message."""
        async with asyncio.timeout(SOON):
            return await self._queue.get()


async def test_published_message_is_handled_and_gone_once_acked(bus: Bus) -> None:
    """A message reaches its consumer whole and leaves the intake with its ack."""
    inbox = Inbox()
    await bus.consume("cb.in.>", inbox, durable="journal")

    published = await bus.publish("cb.in.media.settled", b"\x00clip\xff", msg_id="one")
    delivery = await inbox.next()
    before = await bus.stored("cb.in")
    await delivery.ack()

    assert published.duplicate is False
    assert (delivery.subject, delivery.body) == ("cb.in.media.settled", b"\x00clip\xff")
    assert (delivery.attempt, delivery.redelivered) == (1, False)
    assert before == {"cb.in.media.settled"}
    assert await bus.stored("cb.in") == set()


async def test_message_published_before_its_consumer_is_delivered(bus: Bus) -> None:
    """What was stored while nobody consumed is not lost."""
    for number in range(3):
        await bus.publish(f"cb.in.test.n{number}", b"%d" % number)

    inbox = Inbox()
    await bus.consume("cb.in.>", inbox, durable="journal", window=1)
    bodies = []
    for _ in range(3):
        delivery = await inbox.next()
        bodies.append(delivery.body)
        await delivery.ack()

    assert bodies == [b"0", b"1", b"2"]


async def test_message_comes_again_when_its_handler_raises(bus: Bus) -> None:
    """A handler that raises gets the message again, marked as redelivered, with its attempt counted."""
    attempts: list[tuple[int, bool]] = []
    done = asyncio.Event()

    async def handler(delivery: Delivery) -> None:
        attempts.append((delivery.attempt, delivery.redelivered))
        if delivery.attempt < 3:
            raise ValueError("not yet")
        await delivery.ack()
        done.set()

    await bus.consume("cb.in.>", handler, durable="journal")
    await bus.publish("cb.in.test.again", b"x")
    async with asyncio.timeout(SOON):
        await done.wait()

    assert attempts == [(1, False), (2, True), (3, True)]
    assert await bus.stored("cb.in") == set()


async def test_message_that_nobody_settles_is_never_given_up(bus: Bus) -> None:
    """Past the last attempt a message still comes, and says so."""
    seen: list[int] = []
    done = asyncio.Event()

    async def handler(delivery: Delivery) -> None:
        seen.append(delivery.attempt)
        if delivery.attempt <= MAX_ATTEMPTS:
            await delivery.retry()
        else:
            await delivery.refuse("too many attempts")
            done.set()

    await bus.consume("cb.in.>", handler, durable="journal")
    await bus.publish("cb.in.test.poison", b"x")
    async with asyncio.timeout(SOON):
        await done.wait()

    assert seen == list(range(1, MAX_ATTEMPTS + 2))


async def test_retry_waits_as_long_as_asked(bus: Bus) -> None:
    """A message given back with a delay comes no earlier."""
    inbox = Inbox()
    loop = asyncio.get_running_loop()
    await bus.consume("cb.in.>", inbox, durable="journal")
    await bus.publish("cb.in.test.later", b"x")

    given_back = loop.time()
    await (await inbox.next()).retry(0.4)
    again = await inbox.next()
    waited = loop.time() - given_back
    await again.ack()

    assert again.redelivered
    assert waited >= 0.39


async def test_refused_message_never_comes_again(bus: Bus) -> None:
    """A refused message is gone from the intake, and the next one is delivered."""
    inbox = Inbox()
    await bus.consume("cb.in.>", inbox, durable="journal", window=1)
    await bus.publish("cb.in.test.bad", b"bad")
    await (await inbox.next()).refuse("not what\nits schema says")
    await bus.publish("cb.in.test.good", b"good")
    good = await inbox.next()
    await good.ack()

    assert good.body == b"good"
    assert await bus.stored("cb.in") == set()


async def test_delivery_is_settled_once(bus: Bus) -> None:
    """Settling a delivery a second time is an error, whichever way."""
    inbox = Inbox()
    await bus.consume("cb.in.>", inbox, durable="journal")
    await bus.publish("cb.in.test.twice", b"x")
    delivery = await inbox.next()
    await delivery.ack()

    with pytest.raises(BrokerError, match="settled already"):
        await delivery.retry()
    with pytest.raises(BrokerError, match="settled already"):
        await delivery.ack()


async def test_same_message_id_is_stored_once(bus: Bus) -> None:
    """The same id again is answered as a duplicate and adds nothing."""
    first = await bus.publish("cb.in.test.a", b"1", msg_id="id-1")
    again = await bus.publish("cb.in.test.b", b"2", msg_id="id-1")
    other = await bus.publish("cb.in.test.b", b"2", msg_id="id-2")

    assert (first.duplicate, again.duplicate, other.duplicate) == (False, True, False)
    assert again.sequence == first.sequence
    assert other.sequence > first.sequence


async def test_once_refuses_a_subject_that_holds_a_message(bus: Bus) -> None:
    """With ``once`` the first message of a subject stays, whatever its id."""
    first = await bus.publish("cb.out.proposal.made.p1", b"1", msg_id="a", once=True)
    again = await bus.publish("cb.out.proposal.made.p1", b"2", msg_id="b", once=True)
    inbox = Inbox()
    await bus.consume("cb.out.proposal.>", inbox, durable="reader")
    kept = await inbox.next()
    await kept.ack()

    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.sequence == first.sequence
    assert kept.body == b"1"
    assert await bus.stored("cb.out") == {"cb.out.proposal.made.p1"}


async def test_outbox_keeps_the_newest_message_of_a_subject(bus: Bus) -> None:
    """Without ``once`` a subject of the outbox holds the last message published on it, acked or not."""
    await bus.publish("cb.out.job.state.j1", b"old")
    await bus.publish("cb.out.job.state.j1", b"new")
    inbox = Inbox()
    await bus.consume("cb.out.job.>", inbox, durable="reader")
    delivery = await inbox.next()
    await delivery.ack()

    assert delivery.body == b"new"
    assert await bus.stored("cb.out") == {"cb.out.job.state.j1"}


async def test_body_of_the_greatest_length_passes_and_a_longer_one_is_refused(bus: Bus) -> None:
    """``MAX_MESSAGE`` bytes are stored whole; one more is refused, on every way to send."""
    inbox = Inbox()
    await bus.consume("cb.in.>", inbox, durable="journal")
    await bus.publish("cb.in.test.long", b"x" * MAX_MESSAGE, msg_id="i" * 200)
    delivery = await inbox.next()
    await delivery.ack()
    too_long = b"x" * (MAX_MESSAGE + 1)

    assert len(delivery.body) == MAX_MESSAGE
    with pytest.raises(MessageRefused, match="65537 bytes"):
        await bus.publish("cb.in.test.long", too_long)
    with pytest.raises(MessageRefused):
        await bus.post("cb.now.test", too_long)
    with pytest.raises(MessageRefused):
        await bus.request("cb.ctl.test", too_long)


@pytest.mark.parametrize(
    "subject",
    [
        "cb.now.job.progress",
        "cb.in",
        "cb.inside.x",
        "",
        "cb.in..x",
        "cb.in.>",
        "cb.in.*",
        "cb.in.a b",
        "cb.in.a\r\nPUB x",
    ],
)
async def test_subject_that_is_no_streams_is_refused(bus: Bus, subject: str) -> None:
    """Only plain subjects of a stream can be published on; nothing reaches the protocol."""
    with pytest.raises(MessageRefused):
        await bus.publish(subject, b"x")
    assert await bus.stored("cb.in") == set()


async def test_consuming_what_no_stream_holds_is_refused(bus: Bus) -> None:
    """Chatter cannot be consumed."""
    with pytest.raises(MessageRefused, match="cannot be consumed"):
        await bus.consume("cb.now.>", Inbox(), durable="x")


async def test_listener_hears_what_matches_in_order(bus: Bus) -> None:
    """``*`` is one token and ``>`` the rest; other subjects are not heard."""
    star, rest = Heard(), Heard()
    await bus.listen("cb.now.*.progress", star)
    await bus.listen("cb.now.>", rest)
    for subject in ("cb.now.job.progress", "cb.now.job.deep.progress", "cb.now.host.progress"):
        await bus.post(subject, subject.encode())

    assert [await rest.next() for _ in range(3)] == [
        ("cb.now.job.progress", b"cb.now.job.progress"),
        ("cb.now.job.deep.progress", b"cb.now.job.deep.progress"),
        ("cb.now.host.progress", b"cb.now.host.progress"),
    ]
    assert [(await star.next())[0] for _ in range(2)] == ["cb.now.job.progress", "cb.now.host.progress"]


async def test_listener_hears_stored_messages_and_survives_its_own_errors(bus: Bus) -> None:
    """Publishing on a stream is heard too; a listener that raised hears the next message."""
    heard = Heard()

    async def listener(subject: str, body: bytes) -> None:
        await heard(subject, body)
        raise ValueError("a listener's bug")

    stop = await bus.listen("cb.out.>", listener)
    await bus.publish("cb.out.proposal.made.a", b"1")
    await bus.publish("cb.out.proposal.made.b", b"2")
    assert [await heard.next(), await heard.next()] == [
        ("cb.out.proposal.made.a", b"1"),
        ("cb.out.proposal.made.b", b"2"),
    ]

    other = Heard()
    await stop()
    await bus.listen("cb.out.>", other)
    await bus.publish("cb.out.proposal.made.c", b"3")
    assert (await other.next())[1] == b"3"
    assert heard._queue.empty()


async def test_request_is_answered_and_may_ask_further(bus: Bus) -> None:
    """A responder gets subject and body, may itself ask, and its bytes come back."""

    async def inner(subject: str, body: bytes) -> bytes:
        return body.upper()

    async def outer(subject: str, body: bytes) -> bytes:
        return subject.encode() + b" " + await bus.request("cb.ctl.inner", body, timeout=SOON)

    await bus.serve("cb.ctl.inner", inner)
    await bus.serve("cb.ctl.outer.*", outer)

    assert await bus.request("cb.ctl.outer.x", b"hello", timeout=SOON) == b"cb.ctl.outer.x HELLO"
    asked = (bus.request("cb.ctl.inner", b"%d" % number, timeout=SOON) for number in range(50))
    answers = await asyncio.gather(*asked)
    assert answers == [b"%d" % number for number in range(50)]


async def test_request_fails_with_a_reason(bus: Bus) -> None:
    """No responder, a slow one and a failing one are errors that say which."""
    never = asyncio.Event()

    async def slow(subject: str, body: bytes) -> bytes:
        await never.wait()
        return b""

    async def failing(subject: str, body: bytes) -> bytes:
        raise BrokerError("the catalog is\nclosed")

    await bus.serve("cb.ctl.slow", slow)
    stop = await bus.serve("cb.ctl.failing", failing)

    with pytest.raises(BrokerError, match=r"nobody answers cb\.ctl\.nothing"):
        await bus.request("cb.ctl.nothing", b"", timeout=SOON)
    with pytest.raises(BrokerError, match=r"no answer on cb\.ctl\.slow in 0\.2 s"):
        await bus.request("cb.ctl.slow", b"", timeout=0.2)
    with pytest.raises(BrokerError, match=r"the catalog is\sclosed"):
        await bus.request("cb.ctl.failing", b"", timeout=SOON)
    await stop()
    with pytest.raises(BrokerError, match="nobody answers"):
        await bus.request("cb.ctl.failing", b"", timeout=SOON)


async def test_stored_lists_subjects_below_a_prefix(bus: Bus) -> None:
    """Whole tokens count: ``job`` is not a prefix of ``jobs``."""
    subjects = {f"cb.out.job.{number}" for number in range(20)} | {"cb.out.jobs.1", "cb.out.effect.1"}
    await asyncio.gather(*(bus.publish(subject, b"x", once=True) for subject in subjects))

    assert await bus.stored("cb.out") == subjects
    assert await bus.stored("cb.out.job") == {subject for subject in subjects if subject.startswith("cb.out.job.")}
    assert await bus.stored("cb.now") == set()


async def test_on_connect_runs_at_once_when_connected(bus: Bus) -> None:
    """A callback that is registered late runs too, one that fails does no harm, and it may use the bus."""
    ran = asyncio.Event()

    async def failing() -> None:
        raise ValueError("a callback's bug")

    async def callback() -> None:
        await bus.publish("cb.out.test.connected", b"x")
        ran.set()

    bus.on_connect(failing)
    bus.on_connect(callback)
    async with asyncio.timeout(SOON):
        await ran.wait()

    assert bus.connected
    assert await bus.stored("cb.out") == {"cb.out.test.connected"}


@pytest.mark.parametrize("window", [1, 3, 16])
async def test_window_is_never_exceeded_and_is_used(bus: Bus, window: int) -> None:
    """Never more than *window* messages are unsettled, and as many as that are handled at once."""
    count = 60
    held = most = handled = 0
    done = asyncio.Event()
    full = asyncio.Event()

    async def handler(delivery: Delivery) -> None:
        nonlocal held, most, handled
        held += 1
        most = max(most, held)
        if held == window:
            full.set()
        await full.wait()
        held -= 1
        await delivery.ack()
        handled += 1
        if handled == count:
            done.set()

    await asyncio.gather(*(bus.publish(f"cb.in.test.n{number}", b"x") for number in range(count)))
    await bus.consume("cb.in.>", handler, durable="journal", window=window)
    async with asyncio.timeout(SOON):
        await done.wait()

    assert most == window


async def test_message_may_be_settled_after_its_handler_returned(bus: Bus) -> None:
    """A handler may hand deliveries on, and still no more than the window are given out."""
    inbox = Inbox()
    await bus.consume("cb.in.>", inbox, durable="journal", window=2)
    for number in range(5):
        await bus.publish(f"cb.in.test.n{number}", b"%d" % number)
    first, second = await inbox.next(), await inbox.next()
    assert inbox.empty

    await asyncio.gather(first.ack(), second.ack())
    bodies = [first.body, second.body]
    for _ in range(3):
        delivery = await inbox.next()
        bodies.append(delivery.body)
        await delivery.ack()

    assert sorted(bodies) == [b"0", b"1", b"2", b"3", b"4"]
    assert await bus.stored("cb.in") == set()


async def test_unsubscribing_gives_messages_back(bus: Bus) -> None:
    """What a consumer held when it was stopped is delivered to the next one, at once."""
    first, second = Inbox(), Inbox()
    stop = await bus.consume("cb.in.>", first, durable="journal")
    for number in range(4):
        await bus.publish(f"cb.in.test.n{number}", b"%d" % number)
    held = [await first.next() for _ in range(4)]
    await held[0].ack()
    await stop()

    await bus.consume("cb.in.>", second, durable="journal")
    again = [await second.next() for _ in range(3)]
    for delivery in again:
        await delivery.ack()

    assert {delivery.body for delivery in again} == {delivery.body for delivery in held[1:]}
    assert all(delivery.redelivered for delivery in again)
    assert await bus.stored("cb.in") == set()


async def test_two_durables_of_the_outbox_both_get_everything(bus: Bus) -> None:
    """One consumer's ack does not take a fact from another."""
    await bus.publish("cb.out.effect.receipt.e1", b"x")
    for durable in ("one", "two"):
        inbox = Inbox()
        await bus.consume("cb.out.>", inbox, durable=durable)
        delivery = await inbox.next()
        await delivery.ack()
        assert delivery.body == b"x"


async def test_thousand_messages_from_many_tasks_arrive_once_each(bus: Bus) -> None:
    """Publishing from many tasks at once neither loses nor doubles."""
    count = 1000
    seen: list[bytes] = []
    done = asyncio.Event()

    async def handler(delivery: Delivery) -> None:
        await delivery.ack()
        seen.append(delivery.body)
        if len(seen) == count:
            done.set()

    await bus.consume("cb.in.>", handler, durable="journal")
    await asyncio.gather(*(bus.publish("cb.in.test.many", b"%d" % n, msg_id=str(n)) for n in range(count)))
    async with asyncio.timeout(SOON):
        await done.wait()

    assert sorted(seen, key=int) == [b"%d" % n for n in range(count)]
    assert await bus.stored("cb.in") == set()


async def test_closed_bus_raises_and_swallows_chatter(bus: Bus) -> None:
    """After close, storing and asking are typed errors and chatter is lost without one."""
    await bus.close()

    assert not bus.connected
    await bus.post("cb.now.test", b"x")
    with pytest.raises(BrokerError):
        await bus.publish("cb.in.test.x", b"x")
    with pytest.raises(BrokerError):
        await bus.request("cb.ctl.test", b"x")
    with pytest.raises(BrokerError):
        await bus.stored("cb.in")
