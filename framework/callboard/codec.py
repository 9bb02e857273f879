"""Bytes to typed messages and back: the one place that judges what came over the bus.

msgspec checks types while it parses, but takes the last of two equal keys and skips unknown fields unread.
So a decoded message is written again and compared: equal bytes hold no second key, nothing unread, and are
no deeper than their types. What differs is counted, and only if the count differs too, parsed in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from callboard_schemas import MESSAGE_TYPES, SCHEMA_PREFIX, Envelope
from msgspec import Raw, Struct

from callboard.bus import MAX_MESSAGE
from callboard.errors import MessageParked, MessageRefused
from callboard.keys import new_id
from callboard.strict_json import BAD, MAX_DEPTH, PILE, check_depth, colons, refuse, scan

MAX_HOPS = 16
"""Events between a trigger and what it caused; a chain this long is a loop."""

_Part = tuple[msgspec.inspect.Type, bool]
_encode = msgspec.json.Encoder().encode
_decode_envelope = msgspec.json.Decoder(Envelope).decode


class Decoded(Struct, frozen=True):
    """A message that is what its schema says."""

    envelope: Envelope
    data: Struct
    raw: bytes
    """The bytes as they came, unknown fields included: what the journal keeps."""


class _Plan:
    """What is known of one message type before a message comes."""

    __slots__ = ("comparable", "countable", "decode", "name", "opening", "schema", "struct", "version")

    def __init__(self, name: str, struct: type[Struct], version: tuple[int, int]) -> None:
        self.name, self.struct, self.version = name, struct, version
        self.schema = f"{SCHEMA_PREFIX}{name}:{version[0]}.{version[1]}"
        self.decode = msgspec.json.Decoder(struct).decode
        parts = list(_parts(msgspec.inspect.type_info(struct)))
        self.comparable = not any(isinstance(part, _VERBATIM) for part, _ in parts)
        """Equal bytes when written again prove that no key comes twice."""
        self.countable = self.comparable and all(getattr(part, "tag", None) is None or of for part, of in parts[1:])
        """So does an equal number of colons: no tag stands outside a union, where it may be missing."""
        tag = parts[0][0].tag_field if isinstance(parts[0][0], msgspec.inspect.StructType) else None
        self.opening = re.compile(b'[ \t\r\n]*{[ \t\r\n]*"' + re.escape(tag.encode()) + b'"') if tag else None
        """How countable text begins, where the message itself has a tag."""


_VERBATIM = (msgspec.inspect.RawType, msgspec.inspect.AnyType)
"""Written again as they came, second keys and depth included."""


def _parts(info: msgspec.inspect.Type, of: int = 0, seen: frozenset[type] = frozenset()) -> Iterator[_Part]:
    """Walk a type and every type inside it, each with the number of structs in the union it stands in."""
    yield info, of > 1
    inner: list[Any] = [getattr(info, name, None) for name in ("type", "item_type", "key_type", "value_type")]
    inner += getattr(info, "item_types", ())
    if isinstance(info, msgspec.inspect.StructType):
        inner += [field.type for field in info.fields if info.cls not in seen]
        seen |= {info.cls}
    elif isinstance(info, msgspec.inspect.UnionType):
        of = sum(isinstance(part, msgspec.inspect.StructType) for part in info.types)
        for part in info.types:
            yield from _parts(part, of, seen)
    for part in inner:
        if isinstance(part, msgspec.inspect.Type):
            yield from _parts(part, 0, seen)


_PLANS = {row.name: _Plan(row.name, row.struct, row.version) for row in MESSAGE_TYPES.values()}


def make(
    type: str,  # noqa: A002 - the CloudEvents name of the attribute
    data: Struct,
    *,
    source: str,
    subject: str | None = None,
    id: str | None = None,  # noqa: A002 - the CloudEvents name of the attribute
    cause: Envelope | None = None,
    time: datetime | None = None,
) -> Envelope:
    """Put *data* in an envelope of message type *type*.

    Args:
        type: A name in ``MESSAGE_TYPES``.
        data: An instance of that type's struct.
        source: A URI reference of who says it.
        subject: What it is about, such as a path inside a root.
        id: Unique for *source*; a new one that sorts by time when left out.
        cause: The event that this one answers: its run goes on, one hop further.
            Without it the event starts a run, named by its own id.
        time: With a time zone; now when left out.

    Raises:
        MessageRefused: no such type, data of another type or not encodable, or more than ``MAX_HOPS`` from its trigger.
    """
    plan = _plan(type)
    if not isinstance(data, plan.struct):
        raise MessageRefused("wrong-type", f"{type} carries {plan.struct.__name__}, not {data.__class__.__name__}")
    id = id or new_id()  # noqa: A001 - see the argument
    hops = cause.hops + 1 if cause is not None else 0
    _check_hops(hops)
    return Envelope(
        specversion="1.0",
        id=id,
        source=source,
        type=type,
        time=time or datetime.now(UTC),
        subject=subject,
        datacontenttype="application/json",
        dataschema=plan.schema,
        correlationid=(cause.correlationid or cause.id) if cause is not None else id,
        causationid=cause.id if cause is not None else None,
        hops=hops,
        data=Raw(_written(data)),
    )


def encode(envelope: Envelope) -> bytes:
    """Write a message as CloudEvents structured JSON.

    Its length is the bus's to judge: at most ``MAX_MESSAGE`` bytes are carried.

    Raises:
        MessageRefused: it holds text that is not Unicode.
    """
    return _written(envelope)


def decode(body: bytes) -> Decoded:
    """Read a message and judge it.

    Raises:
        MessageParked: a known type of a newer major version: keep it for after an upgrade.
        MessageRefused: anything else that is not a message; ``reason`` is one of ``too-long``, ``too-deep``,
            ``duplicate-key``, ``not-json``, ``not-utf8``, ``wrong-type``, ``unknown-type``, ``bad-version``
            and ``too-many-hops``.
    """
    if len(body) > MAX_MESSAGE:
        raise MessageRefused("too-long", f"{len(body)} bytes; a message is at most {MAX_MESSAGE}")
    if PILE in body:
        check_depth(body)
    try:
        envelope = _decode_envelope(body)
    except BAD as error:
        refuse(error, body)
    plan = _plan(envelope.type)
    if envelope.dataschema != plan.schema:
        _check_version(envelope.dataschema, plan)
    if envelope.hops > MAX_HOPS:
        _check_hops(envelope.hops)
    again = _encode(envelope)
    if again != body and not (_utc(envelope) and colons(body) == again.count(b":")):
        scan(body)
    return Decoded(envelope, _read(plan, envelope.data), body)


def decode_data(type: str, raw: bytes | Raw) -> Struct:  # noqa: A002 - the CloudEvents name of the attribute
    """Read the data of a message of type *type*, of the version of this release.

    Raises:
        MessageRefused: as ``decode``.
    """
    if memoryview(raw).nbytes > MAX_MESSAGE:
        raise MessageRefused("too-long", f"data of {memoryview(raw).nbytes} bytes; a message is at most {MAX_MESSAGE}")
    return _read(_plan(type), raw)


def _read(plan: _Plan, raw: bytes | Raw) -> Struct:
    try:
        data = plan.decode(raw)
    except BAD as error:
        refuse(error, bytes(raw))
    text = bytes(raw)
    if plan.comparable:
        again = _encode(data)
        if again == text:
            return data
        tagged = plan.opening is None or plan.opening.match(text)
        if plan.countable and tagged and colons(text) == again.count(b":"):
            return data
    scan(text)
    return data


def _plan(type: str) -> _Plan:  # noqa: A002 - the CloudEvents name of the attribute
    try:
        return _PLANS[type]
    except KeyError:
        raise MessageRefused("unknown-type", f"no message type is called {type!r}") from None


def _check_version(schema: str | None, plan: _Plan) -> None:
    """Let the absent version and every minor of ours through."""
    if schema is None:
        return
    prefix = f"{SCHEMA_PREFIX}{plan.name}:"
    found = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,9})", schema.removeprefix(prefix))
    if not schema.startswith(prefix) or found is None or int(found[1]) < plan.version[0]:
        raise MessageRefused("bad-version", f"{plan.name} has the schema {schema!r}; this release writes {plan.schema}")
    if int(found[1]) > plan.version[0]:
        raise MessageParked("newer-version", f"{schema} is newer than this release, which reads {plan.schema}")


def _check_hops(hops: int) -> None:
    if hops > MAX_HOPS:
        raise MessageRefused("too-many-hops", f"{hops} events since its trigger; more than {MAX_HOPS} is a loop")


def _utc(envelope: Envelope) -> bool:
    """Whether the time is written again with the colons it had: an offset may come as +0530 and go as +05:30."""
    return envelope.time is None or envelope.time.tzinfo is UTC


def _written(value: Struct) -> bytes:
    try:
        return _encode(value)
    except UnicodeEncodeError as error:
        problem = (
            f"{value.__class__.__name__} holds text that is not Unicode ({error.reason}); use encode_path for paths"
        )
        raise MessageRefused("not-utf8", problem) from None
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise MessageRefused("wrong-type", f"{value.__class__.__name__} cannot be written: {error}") from None


__all__ = ["MAX_DEPTH", "MAX_HOPS", "Decoded", "decode", "decode_data", "encode", "make"]
