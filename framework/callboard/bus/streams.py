"""The two streams and their consumers, as JetStream is asked for them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from callboard.bus import INTAKE, MAX_MESSAGE, OUTBOX, Published
from callboard.bus.subjects import IN, OUT
from callboard.errors import BrokerError, MessageRefused

if TYPE_CHECKING:
    from nats.aio.msg import Msg

    from callboard.bus.link import Link

ANSWER_SECONDS = 5.0
"""For one request to JetStream's API."""
HEADER_ROOM = 1024
"""Bytes that our headers may take beside a body of ``MAX_MESSAGE``."""
IN_BYTES, OUT_BYTES = 256 * 1024 * 1024, 1024 * 1024 * 1024
"""Bytes a stream may hold; what would not fit is refused, so nothing old is ever pushed out."""
OUT_DAYS = 14
"""Days that a fact stays in the outbox stream; the journal keeps it for good."""
DEDUPE_SECONDS = 120

WRONG_LAST_SEQUENCE = 10071
"""JetStream's error code for a message refused by its expected last sequence."""
TOO_LONG = 10054
NOT_FOUND = (10059, 10014)
"""Stream, consumer not found."""


_DIGITS = re.compile(r"\d+")


class ApiError(Struct, frozen=True):
    """What JetStream answers when it does not do what it was asked."""

    code: int = 0
    err_code: int = 0
    description: str = ""


class PubAck(Struct, frozen=True):
    """What JetStream answers to a message for a stream."""

    seq: int = 0
    duplicate: bool = False
    error: ApiError | None = None


class _Config(Struct, frozen=True):
    retention: str = ""
    subjects: tuple[str, ...] = ()


class _State(Struct, frozen=True):
    subjects: dict[str, int] | None = None


class _Info(Struct, frozen=True):
    config: _Config = _Config()
    state: _State = _State()
    total: int = 0
    created: str = ""
    error: ApiError | None = None


_INFO = msgspec.json.Decoder(_Info)
PUB_ACK = msgspec.json.Decoder(PubAck)


def stream_config(name: str) -> dict[str, Any]:
    """Say how a stream is made: ``CB_IN`` empties as it is acknowledged, ``CB_OUT`` keeps one message a subject."""
    common: dict[str, Any] = {
        "name": name,
        "storage": "file",
        "num_replicas": 1,
        "discard": "new",
        "max_msg_size": MAX_MESSAGE + HEADER_ROOM,
        "max_consumers": -1,
        "max_msgs": -1,
        "duplicate_window": DEDUPE_SECONDS * 1_000_000_000,
    }
    if name == IN:
        return common | {"subjects": [f"{INTAKE}.>"], "retention": "workqueue", "max_bytes": IN_BYTES, "max_age": 0}
    return common | {
        "subjects": [f"{OUTBOX}.>"],
        "retention": "limits",
        "max_bytes": OUT_BYTES,
        "max_age": OUT_DAYS * 86_400 * 1_000_000_000,
        "max_msgs_per_subject": 1,
    }


def consumer_config(durable: str, subject: str, window: int, ack_wait: float) -> dict[str, Any]:
    """Say how a durable consumer is made.

    ``max_deliver`` has no limit: past one, JetStream keeps the message and shows it to nobody. The delivery's
    ``attempt`` is what puts a message aside.
    """
    return {
        "durable_name": durable,
        "name": durable,
        "ack_policy": "explicit",
        "ack_wait": int(ack_wait * 1e9),
        "deliver_policy": "all",
        "replay_policy": "instant",
        "filter_subject": subject,
        "max_deliver": -1,
        "max_ack_pending": window,
    }


async def ensure_streams(link: Link) -> None:
    """Make the streams where they are missing; one that an operator made is left as it is.

    Raises:
        BrokerError: JetStream does not answer, or a stream of that name is of another kind.
    """
    for name in (IN, OUT):
        want = stream_config(name)
        info = _INFO.decode((await _api(link, f"STREAM.INFO.{name}", {})).data)
        if info.error is not None and info.error.err_code in NOT_FOUND:
            info = _INFO.decode((await _api(link, f"STREAM.CREATE.{name}", want)).data)
        if info.error is not None:
            raise BrokerError(f"stream {name} cannot be made: {info.error.description}")
        if info.config.retention != want["retention"] or not set(want["subjects"]) <= set(info.config.subjects):
            raise BrokerError(
                f"stream {name} is there, but with retention {info.config.retention!r} and subjects"
                f" {', '.join(info.config.subjects)}",
                f"It must be {want['retention']!r} and {want['subjects'][0]}: remove it or use another account.",
            )


async def create_consumer(link: Link, stream: str, config: dict[str, Any]) -> str:
    """Make a durable consumer, or bring it up to date; say when it was made.

    Raises:
        BrokerError: JetStream does not answer, or refuses the consumer.
    """
    subject = f"CONSUMER.CREATE.{stream}.{config['durable_name']}.{config['filter_subject']}"
    answer = _INFO.decode((await _api(link, subject, {"stream_name": stream, "config": config})).data)
    if answer.error is not None:
        raise BrokerError(f"consumer {config['durable_name']!r} on {stream}: {answer.error.description}")
    return answer.created


async def stored_subjects(link: Link, stream: str, prefix: str) -> set[str]:
    """List the subjects below *prefix* that hold a message; JetStream gives them in pages of 100,000.

    Raises:
        BrokerError: JetStream does not answer, or has no such stream.
    """
    found: set[str] = set()
    offset = 0
    while True:
        ask = {"subjects_filter": f"{prefix}.>", "offset": offset}
        info = _INFO.decode((await _api(link, f"STREAM.INFO.{stream}", ask)).data)
        if info.error is not None:
            raise BrokerError(f"stream {stream} cannot be listed: {info.error.description}")
        page = info.state.subjects or {}
        found.update(page)
        offset += len(page)
        if not page or offset >= info.total:
            return found


async def _api(link: Link, verb: str, body: dict[str, Any]) -> Msg:
    answer = await link.ask(f"$JS.API.{verb}", msgspec.json.encode(body), ANSWER_SECONDS)
    if no_responders(answer):
        raise BrokerError("the NATS server has no JetStream", "Start it with JetStream, or leave broker.url empty.")
    return answer


def no_responders(answer: Msg) -> bool:
    """Say whether an answer is the server's word that nobody listens on the subject."""
    return not answer.data and answer.headers is not None and answer.headers.get("Status") == "503"


def refused(subject: str, error: ApiError) -> Published:
    """Turn JetStream's refusal of a message into what it means.

    Raises:
        MessageRefused: it is longer than the stream takes.
        BrokerError: it was not stored, and may be later.
    """
    if error.err_code == WRONG_LAST_SEQUENCE:
        last = _DIGITS.findall(error.description)
        return Published(int(last[-1]) if last else 0, duplicate=True)
    if error.err_code == TOO_LONG:
        raise MessageRefused("too-long", f"{subject}: {error.description}")
    raise BrokerError(f"{subject} was not stored: {error.description}", "Send it again later.")
