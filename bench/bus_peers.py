"""The workers that ``bench/bus.py`` compares: one event in, validated, one stored result out, one ack."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from callboard_schemas import Asset, MediaSettled, Place
from msgspec import Struct

SUBJECT_IN, SUBJECT_OUT = "cb.in.media.settled", "cb.out.result.tags"
STREAM, DURABLE = "CB_IN", "bench"


class Event(Struct, frozen=True, kw_only=True):
    """A settled file in its envelope, typed as a whole."""

    specversion: str
    id: str
    source: str
    type: str
    correlationid: str
    data: MediaSettled


class Answer(Struct, frozen=True):
    """What the handler makes of it."""

    event: str
    plugin: str
    label: str
    score: float


def sample(number: int) -> bytes:
    """Give event *number*, 1,024 bytes of JSON."""
    asset = Asset(
        digest="sha256:" + "9f" * 32,
        place=Place(root="footage", path="2026/shoot-0417/day 3/A/"),
        kind="video",
        size=8_123_456_789,
        mtime_ns=1_780_000_000_000_000_000,
    )
    event = Event(
        specversion="1.0",
        id=f"{number:026d}",
        source="watch:footage",
        type="media.settled",
        correlationid="c" * 32,
        data=MediaSettled(asset=asset, settle_seconds=2.5, plugins=("autotag", "caption")),
    )
    short = 1024 - len(msgspec.json.encode(event))
    place = Place(root="footage", path=asset.place.path + "x" * short)
    return msgspec.json.encode(
        msgspec.structs.replace(
            event,
            data=msgspec.structs.replace(event.data, asset=msgspec.structs.replace(asset, place=place)),
        )
    )


def tag(event: Event) -> Answer:
    """Be the plugin: the least work there is."""
    return Answer(event.id, "autotag", event.data.asset.kind, 0.5)


HANDLERS: dict[str, Callable[[Event], Answer]] = {"media.settled": tag}


async def ours(url: str, window: int) -> None:
    """Callboard's bus: handlers run at once, their publishes and acks are sent together."""
    from callboard.bus import Delivery
    from callboard.bus.nats import NatsBus
    from callboard.config import Broker

    decode, encode = msgspec.json.Decoder(Event).decode, msgspec.json.Encoder().encode
    bus = NatsBus(Broker(url=url))
    await bus.connect()

    async def handler(delivery: Delivery) -> None:
        event = decode(delivery.body)
        await bus.publish(f"{SUBJECT_OUT}.{event.id}", encode(HANDLERS[event.type](event)))
        await delivery.ack()

    print("READY", flush=True)
    await bus.consume("cb.in.>", handler, durable=DURABLE, window=window)
    await asyncio.Event().wait()


async def journalled(url: str, window: int) -> None:
    """``ours``, and each event is in a real catalog on disk (``synchronous=FULL``) before its ack, as in the daemon."""
    from callboard.bus import Delivery
    from callboard.bus.nats import NatsBus
    from callboard.catalog import Catalog
    from callboard.config import Broker, Settings
    from callboard.following import Following
    from callboard.hosting.deliveries import Deliveries
    from callboard.hosting.mapping import Roots
    from callboard.hosting.reception import Reception
    from callboard.intake import Intake
    from callboard.router import Router

    def decide(*_: object) -> NoReturn:
        raise AssertionError("nobody decides anything here")

    decode, encode = msgspec.json.Decoder(Event).decode, msgspec.json.Encoder().encode
    bus = NatsBus(Broker(url=url))
    await bus.connect()
    settings, folder = Settings(), Path(tempfile.mkdtemp())
    with Catalog(folder) as catalog:
        following = Following({"footage": b"/media/footage"})
        reception = Reception(Deliveries(settings.hosts, settings.sidecars, Roots({}), folder), decide)
        intake = Intake(catalog, Router((), settings, {}), following, lambda: None, decide, reception)

        async def handler(delivery: Delivery) -> None:
            event = decode(delivery.body)
            await bus.publish(f"{SUBJECT_OUT}.{event.id}", encode(HANDLERS[event.type](event)))
            await intake.receive(delivery)

        print("READY", flush=True)
        await bus.consume("cb.in.>", handler, durable=DURABLE, window=window)
        await asyncio.Event().wait()


async def connect(url: str) -> Any:
    """Connect nats-py as the board, and make the pull consumer that hand-written loops bind to."""
    import nats
    from nats.js.api import AckPolicy, ConsumerConfig

    client = await nats.connect(url)
    config = ConsumerConfig(durable_name=DURABLE, ack_policy=AckPolicy.EXPLICIT, max_ack_pending=20_000)
    await client.jetstream().add_consumer(STREAM, config)
    return client


async def plain_json(url: str, window: int) -> None:
    """What one writes by hand in ten lines: nats-py, ``fetch(100)``, ``json`` and no validation."""
    import nats.errors

    client = await connect(url)
    stream = client.jetstream()
    pull = await stream.pull_subscribe_bind(consumer=DURABLE, stream=STREAM)
    print("READY", flush=True)
    while True:
        try:
            messages = await pull.fetch(100, timeout=1)
        except nats.errors.TimeoutError:
            continue
        for message in messages:
            event = json.loads(message.data)
            answer = {"event": event["id"], "plugin": "autotag", "label": event["data"]["asset"]["kind"], "score": 0.5}
            await stream.publish(f"{SUBJECT_OUT}.{event['id']}", json.dumps(answer).encode())
            await message.ack()


async def lingering(url: str, window: int) -> None:
    """nats-py as fast as it goes by hand: messages by callback, results by ``publish_async``, no error handling."""
    client = await connect(url)
    stream = client.jetstream(publish_async_max_pending=4096)
    decode, encode = msgspec.json.Decoder(Event).decode, msgspec.json.Encoder().encode
    inbox, asked, tasks = client.new_inbox(), 0, set[asyncio.Task[None]]()

    async def ask() -> None:
        nonlocal asked
        more, asked = window - asked, window
        request = b'{"batch":%d,"expires":30000000000}' % more
        await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{DURABLE}", request, reply=inbox)

    def stored(future: asyncio.Future[Any], reply: str) -> None:
        if not future.cancelled() and future.exception() is None:
            task = asyncio.ensure_future(client.publish(reply, b"+ACK"))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def arrived(message: Any) -> None:
        nonlocal asked
        if not message.reply:
            asked -= int((message.headers or {}).get("Nats-Pending-Messages", "0"))
            await ask()
            return
        asked -= 1
        event = decode(message.data)
        future = await stream.publish_async(f"{SUBJECT_OUT}.{event.id}", encode(HANDLERS[event.type](event)))
        future.add_done_callback(lambda done: stored(done, message.reply))
        if asked <= window // 2:
            await ask()

    await client.subscribe(inbox, cb=arrived, pending_msgs_limit=1_000_000)
    await client.flush()
    print("READY", flush=True)
    await ask()
    await asyncio.Event().wait()


def faststream(kind: str) -> Callable[[str, int], Awaitable[None]]:
    """FastStream without logging: ``pull`` in batches of 100, or ``push`` with 100 workers."""

    async def run(url: str, window: int) -> None:
        from fast_depends.msgspec import MsgSpecSerializer
        from faststream import FastStream
        from faststream.nats import JStream, NatsBroker, PullSub

        broker = NatsBroker(url, logger=None, serializer=MsgSpecSerializer())
        stream = JStream(STREAM, declare=False)
        options: dict[str, Any] = {"stream": stream, "durable": DURABLE}
        options |= {"pull_sub": PullSub(batch_size=100, timeout=1.0)} if kind == "pull" else {"max_workers": 100}

        @broker.subscriber(SUBJECT_IN, **options)  # type: ignore[untyped-decorator, unused-ignore]  # its own typing
        async def handle(event: Event) -> None:
            await broker.publish(HANDLERS[event.type](event), f"{SUBJECT_OUT}.{event.id}", stream="CB_OUT")

        app = FastStream(broker, logger=None)
        app.after_startup(lambda: print("READY", flush=True))
        await app.run()

    return run


VARIANTS: dict[str, Callable[[str, int], Awaitable[None]]] = {
    "ours": ours,
    "journalled": journalled,
    "lingering": lingering,
    "fetch-json": plain_json,
    "faststream-pull": faststream("pull"),
    "faststream-push": faststream("push"),
}
