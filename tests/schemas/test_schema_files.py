"""The generated schemas say what the code says, and accept what the code accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from callboard import schema_export
from callboard.bus import CHATTER, COMMANDS, CONTROL, INTAKE, OUTBOX
from callboard_schemas import MESSAGE_TYPES

RECORDED = sorted((Path(__file__).with_name("corpus") / "1.0").glob("*.json"))


@pytest.fixture
def folder(pytestconfig: pytest.Config) -> Path:
    """Give the folder of generated schemas in the source tree."""
    return pytestconfig.rootpath / schema_export.FOLDER


def checker(folder: Path, name: str) -> Any:
    """Give a validator for a schema file, which must itself be a valid schema."""
    schema = json.loads((folder / name).read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_files_are_current(folder: Path) -> None:
    """The files in the tree are those that the code writes; 'callboard schema export' writes them."""
    assert schema_export.differences(folder) == []


def test_export_mends_a_folder(tmp_path: Path) -> None:
    """Missing, altered and left over files are found and mended; a second export changes nothing."""
    folder = tmp_path / "json"
    everything = sorted(schema_export.documents())
    assert schema_export.differences(folder) == everything
    assert [path.name for path in schema_export.export(folder)] == everything
    assert schema_export.export(folder) == []
    (folder / "media.gone.json").write_text("{}")
    (folder / "envelope.json").unlink()
    (folder / "media.eaten.json").write_text("{}")
    wrong = ["envelope.json", "media.eaten.json", "media.gone.json"]
    assert schema_export.differences(folder) == wrong
    assert [path.name for path in schema_export.export(folder)] == wrong
    assert schema_export.differences(folder) == []


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_messages_fit_their_schema(path: Path, folder: Path) -> None:
    """An independent validator accepts each recorded message, and its data by the schema that it names."""
    message = json.loads(path.read_bytes())
    checker(folder, "envelope.json").validate(message)
    data = checker(folder, path.name)
    assert data.schema["$id"] == message["dataschema"]
    data.validate(message["data"])


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_the_schema_refuses_what_the_codec_refuses(path: Path, folder: Path) -> None:
    """A required field that is gone, or of another type, is refused by the schema too."""
    data = json.loads(path.read_bytes())["data"]
    validator = checker(folder, path.name)
    for field in validator.schema["required"]:
        without = {key: value for key, value in data.items() if key != field}
        assert not validator.is_valid(without)
        if validator.schema["properties"][field] != {}:  # an event inside a job may be anything here
            assert not validator.is_valid(data | {field: object()})


def test_every_message_has_a_channel(folder: Path) -> None:
    """The AsyncAPI document has every channel of the bus, and every message is on one."""
    document = json.loads((folder / "asyncapi.json").read_text("utf-8"))
    assert document["asyncapi"] == "3.1.0"
    addresses = {name: channel["address"] for name, channel in document["channels"].items()}
    assert addresses == {
        "intake": f"{INTAKE}.{{type}}",
        "outbox": f"{OUTBOX}.{{type}}.{{id}}",
        "chatter": f"{CHATTER}.{{type}}",
        "control": f"{CONTROL}.{{verb}}",
        "hosts": f"{CONTROL}.host.{{verb}}",
        "commands": f"{COMMANDS}.{{host}}",
    }
    told = {name for channel in document["channels"].values() for name in channel["messages"]}
    assert told == set(MESSAGE_TYPES) | {"control"}


def test_every_reference_leads_somewhere(folder: Path) -> None:
    """Each ``$ref`` in a generated file names something that is there."""

    def look(node: Any, document: Any) -> None:
        if isinstance(node, list):
            node = dict(enumerate(node))
        if not isinstance(node, dict):
            return
        ref = node.get("$ref")
        if isinstance(ref, str):
            file, _, pointer = ref.partition("#")
            target = json.loads((folder / file).read_text("utf-8")) if file else document
            for part in pointer.split("/")[1:]:
                target = target[part]
        for value in node.values():
            look(value, document)

    for path in folder.glob("*.json"):
        document = json.loads(path.read_text("utf-8"))
        look(document, document)


def test_stream_details_are_extensions(folder: Path) -> None:
    """What JetStream keeps is said under ``x-`` names; the NATS binding 0.1.0 knows a queue only."""
    document = json.loads((folder / "asyncapi.json").read_text("utf-8"))
    assert document["channels"]["intake"]["x-jetstream"]["retention"] == "workqueue"
    assert document["channels"]["outbox"]["x-jetstream"]["max_msgs_per_subject"] == 1
    bindings = [
        operation["bindings"]["nats"] for operation in document["operations"].values() if "bindings" in operation
    ]
    assert bindings == [{"queue": "callboard", "bindingVersion": "0.1.0"}] * 2
