"""The written contract: a JSON Schema for every message, and an AsyncAPI document of the bus.

Both are made from the structs and kept in ``schemas/callboard_schemas/json``, where hosts and other languages
find them; ``differences`` says where the files have fallen behind.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
from callboard_schemas import CONTENT_TYPE, MESSAGE_TYPES, SCHEMA_PREFIX, Envelope, MessageType
from msgspec import Struct

from callboard.bus import CHATTER, COMMANDS, CONTROL, INTAKE, MAX_MESSAGE, OUTBOX
from callboard.bus.streams import stream_config
from callboard.bus.subjects import IN, OUT

FOLDER = Path("schemas") / "callboard_schemas" / "json"
"""Where the files live in the source tree."""

DRAFT = "https://json-schema.org/draft/2020-12/schema"
ASYNCAPI, NATS_BINDING = "3.1.0", "0.1.0"
VERSION = "1.0"
"""Of the AsyncAPI document: the newest minor of any message."""

INTAKE_TYPES = tuple(
    name
    for name in MESSAGE_TYPES
    if name.partition(".")[0] in ("media", "root")
    or (name.endswith(".requested") and name != "job.requested")
    or (name.startswith("host.") and name not in ("host.presence", "host.command", "host.uses"))
    or name == "review.decided"
)
"""Types that sources, hosts and reviewers send in."""
CHATTER_TYPES = ("job.progress", "host.presence")
"""Types of which only the newest matters."""
OUTBOX_TYPES = tuple(
    name for name in MESSAGE_TYPES if name not in CHATTER_TYPES and name not in ("host.command", "host.uses")
)
"""Types that the board tells of; events that came in are told of again once they are journalled."""


def _schema(struct: type[Struct]) -> dict[str, Any]:
    """Describe *struct* alone, with everything that it names under ``$defs``."""
    (schema,), parts = msgspec.json.schema_components([struct], ref_template="#/$defs/{name}")
    name = schema["$ref"].rpartition("/")[2]
    for part in parts.values():
        part["description"] = inspect.cleandoc(part["description"])  # Python 3.13 does so itself, 3.12 does not
    own: dict[str, Any] = parts.pop(name)
    return own | ({"$defs": dict(sorted(parts.items()))} if parts else {})


def data_schema(row: MessageType) -> dict[str, Any]:
    """Give the JSON Schema of a message type's ``data``; its ``$id`` is what ``dataschema`` says on the bus."""
    ident = f"{SCHEMA_PREFIX}{row.name}:{row.version[0]}.{row.version[1]}"
    return {"$schema": DRAFT, "$id": ident} | _schema(row.struct)


def envelope_schema() -> dict[str, Any]:
    """Give the JSON Schema of the envelope that every message shares."""
    hints = get_type_hints(Envelope, include_extras=True)
    fields = [
        (field.name, hints[field.name], msgspec.field(default=field.default))
        if field.default is not msgspec.NODEFAULT
        else (field.name, hints[field.name])
        for field in msgspec.structs.fields(Envelope)
        if field.name != "data"  # its default is raw JSON, which a schema cannot be made of
    ]
    bare = msgspec.defstruct("Envelope", fields, namespace={"__doc__": Envelope.__doc__}, kw_only=True)
    schema = _schema(bare)
    schema["properties"]["data"] = {"description": "What the schema named by ``dataschema`` says."}
    return {"$schema": DRAFT, "$id": f"{SCHEMA_PREFIX}envelope:{VERSION}"} | schema


def _message(row: MessageType) -> dict[str, Any]:
    payload = {
        "allOf": [
            {"$ref": "./envelope.json"},
            {"properties": {"type": {"const": row.name}, "data": {"$ref": f"./{row.name}.json"}}, "required": ["data"]},
        ]
    }
    return {
        "name": row.name,
        "title": row.struct.__name__,
        "summary": (row.struct.__doc__ or "").strip().partition("\n")[0],
        "contentType": CONTENT_TYPE,
        "correlationId": {"location": "$message.payload#/correlationid"},
        "payload": {"schemaFormat": "application/schema+json;version=2020-12", "schema": payload},
    }


def _channel(address: str, description: str, types: tuple[str, ...], **parameters: str) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "parameters": {name: {"description": text} for name, text in parameters.items()},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in types},
    }


def _stream(name: str, **more: object) -> dict[str, Any]:
    """Say what JetStream keeps, under a name of our own: the NATS binding has no words for streams."""
    kept = {key: value for key, value in stream_config(name).items() if key not in ("num_replicas", "max_consumers")}
    return {"x-jetstream": kept | more}


def _channels() -> dict[str, Any]:
    kind = "The message type, dots and all."
    return {
        "intake": _channel(f"{INTAKE}.{{type}}", "Events come in.", INTAKE_TYPES, type=kind)
        | _stream(IN, acknowledged="once it is journalled"),
        "outbox": _channel(
            f"{OUTBOX}.{{type}}.{{id}}", "Facts go out.", OUTBOX_TYPES, type=kind, id="Unique within the type."
        )
        | _stream(OUT, headers=["Nats-Msg-Id", "Nats-Expected-Last-Subject-Sequence"]),
        "chatter": _channel(f"{CHATTER}.{{type}}", "Progress and presence, never stored.", CHATTER_TYPES, type=kind),
        "control": {
            "address": f"{CONTROL}.{{verb}}",
            "description": "Requests to the board; the answer comes to the request's inbox.",
            "parameters": {"verb": {"description": "What is asked."}},
            "messages": {"control": {"$ref": "#/components/messages/control"}},
        },
        "hosts": _channel(
            f"{CONTROL}.host.{{verb}}",
            "Requests of an application to the board: the data of the message named, or plain JSON, and no envelope.",
            ("host.presence", "host.uses"),
            verb="What is asked: hello with host.presence, uses with host.uses, inbox, proposal, thumbnail…",
        ),
        "commands": _channel(
            f"{COMMANDS}.{{host}}",
            "What the board asks of an application, again at each hello until a receipt came.",
            ("host.command",),
            host="The application's id.",
        ),
    }


def _operation(action: str, channel: str, summary: str, queue: str = "") -> dict[str, Any]:
    operation: dict[str, Any] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
    }
    if queue:
        operation["bindings"] = {"nats": {"queue": queue, "bindingVersion": NATS_BINDING}}
    return operation


def asyncapi() -> dict[str, Any]:
    """Give the AsyncAPI document, as the board sees the bus: it receives events and sends facts."""
    control = {
        "name": "control",
        "title": "Control",
        "summary": "A request to the board, and its answer: a JSON object.",
        "contentType": "application/json",
        "payload": {"type": "object"},
    }
    answer = {"address": {"location": "$message.header#/reply"}, "channel": {"$ref": "#/channels/control"}}
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "Callboard",
            "version": VERSION,
            "description": f"CloudEvents 1.0 in structured mode; a message is at most {MAX_MESSAGE} bytes.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"nats": {"host": "127.0.0.1", "protocol": "nats", "description": "The embedded broker."}},
        "channels": _channels(),
        "operations": {
            "takeEvents": _operation("receive", "intake", "The board journals each event once."),
            "tellFacts": _operation("send", "outbox", "The board tells what was decided and done."),
            "tellProgress": _operation("send", "chatter", "The board tells how far its jobs are."),
            "hearPresence": _operation("receive", "chatter", "The board hears which hosts are there."),
            "answerHosts": _operation("receive", "hosts", "The board answers applications.", "callboard"),
            "askHosts": _operation("send", "commands", "The board asks applications to apply what was accepted."),
            "answerRequests": _operation("receive", "control", "The board answers.", "callboard") | {"reply": answer},
        },
        "components": {"messages": {row.name: _message(row) for row in MESSAGE_TYPES.values()} | {"control": control}},
    }


def documents() -> dict[str, dict[str, Any]]:
    """Give every generated file by name."""
    files = {f"{row.name}.json": data_schema(row) for row in MESSAGE_TYPES.values()}
    return files | {"envelope.json": envelope_schema(), "asyncapi.json": asyncapi()}


def _text(document: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def export(folder: Path) -> list[Path]:
    """Write every file into *folder*, and take away schemas of messages that are no more.

    Returns:
        The files that changed, in order of name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = documents()
    changed = [folder / name for name in differences(folder)]
    for path in changed:
        if path.name in wanted:
            path.write_bytes(_text(wanted[path.name]))
        else:
            path.unlink()
    return changed


def differences(folder: Path) -> list[str]:
    """Name the files in *folder* that are missing, left over, or not what the code says."""
    wanted = {name: _text(document) for name, document in documents().items()}
    found = {path.name: path.read_bytes() for path in folder.glob("*.json")} if folder.is_dir() else {}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


__all__ = ["FOLDER", "asyncapi", "data_schema", "differences", "documents", "envelope_schema", "export"]
