"""What the codec takes, what it refuses, and with which reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from callboard import codec
from callboard.bus import MAX_MESSAGE
from callboard.errors import MessageParked, MessageRefused
from callboard_schemas import MESSAGE_TYPES, Captions, Cue, Decision, Failure, JobState, MediaSettled, Place, RootState

CORPUS = Path(__file__).with_name("corpus")
RECORDED = sorted((CORPUS / "1.0").glob("*.json"))
SETTLED = (CORPUS / "1.0" / "media.settled.json").read_bytes()


def reason(body: bytes) -> str:
    """Say why *body* is refused, or that it is not."""
    try:
        codec.decode(body)
    except MessageRefused as error:
        return error.reason
    return "accepted"


def edited(change: Callable[[dict[str, Any]], object], body: bytes = SETTLED) -> bytes:
    """Change a message as a plain object."""
    document = json.loads(body)
    change(document)
    return json.dumps(document).encode()


def test_every_type_is_recorded() -> None:
    """The corpus of version 1.0 holds one message of every type."""
    assert {path.stem for path in RECORDED} == set(MESSAGE_TYPES)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_messages_are_read(path: Path) -> None:
    """A message recorded from version 1.0 is read, keeps its bytes, and is written back the same."""
    body = path.read_bytes()
    message = codec.decode(body)
    assert message.envelope.type == path.stem
    assert isinstance(message.data, MESSAGE_TYPES[path.stem].struct)
    assert message.raw == body
    assert codec.encode(message.envelope) == body
    assert codec.decode_data(path.stem, message.envelope.data) == message.data


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_other_writers_are_read(path: Path) -> None:
    """Spaces, another order of keys and escaped letters change nothing."""
    document = json.loads(path.read_bytes())
    turned = json.dumps(dict(reversed(document.items())), indent=2).encode()
    message, original = codec.decode(turned), codec.decode(path.read_bytes())
    if path.stem != "job.requested":  # its event is kept as it came, spaces too
        assert message.data == original.data
    assert message.envelope.id == original.envelope.id


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_second_keys_are_refused_at_every_place(path: Path) -> None:
    """A key said twice is refused in whichever object of a message it is, first or second value kept."""
    text = path.read_text("utf-8")
    places = [at for at, char in enumerate(text) if char == "{" and text[at + 1] == '"']
    assert places
    for at in places:
        key = text[at + 1 : text.index('"', at + 2) + 1]
        value, _ = json.JSONDecoder().raw_decode(text, at + 1 + len(key) + 1)
        doubled = f"{text[: at + 1]}{key}:{json.dumps(value)},{text[at + 1 :]}"
        assert reason(doubled.encode()) == "duplicate-key", doubled[at : at + 60]


def test_a_second_key_cannot_hide() -> None:
    """Escaped colons, escaped keys and fields nobody knows do not hide a second key."""
    assert reason(SETTLED.replace(b'"root":"renders"', b'"root":"r\\u003a","root":"renders"')) == "duplicate-key"
    assert reason(SETTLED.replace(b'"root":"renders"', b'"root":"x","root":"r\\u003A"')) == "duplicate-key"
    assert reason(SETTLED.replace(b'"root":"renders"', b'"r\\u006fot":"x","root":"renders"')) == "duplicate-key"
    assert reason(SETTLED.replace(b'"data":{', b'"data":{"later":{"a":1,"a":1},')) == "duplicate-key"
    assert reason(SETTLED.replace(b'"id":', b'"later":[{"a":1,"a":2}],"id":', 1)) == "duplicate-key"
    assert (
        reason(SETTLED.replace(b'"time":"2026-01-05T09:30:00.250000Z"', b'"hops":1,"time":"2026-01-05T09:30:00+0530"'))
        == "duplicate-key"
    )


def test_a_missing_tag_does_not_hide_a_second_key() -> None:
    """A result may leave its own tag out; that does not make room for a key said twice."""
    body = (CORPUS / "1.0" / "result.tags.json").read_bytes()
    without = body.replace(b'"result":"tags",', b"")
    assert without != body
    assert reason(without) == "accepted"
    assert reason(without.replace(b'"confidence":', b'"confidence":0.1,"confidence":')) == "duplicate-key"
    state = (CORPUS / "1.0" / "job.state.json").read_bytes().replace(b'"result":"failure",', b"")
    assert reason(state) == "accepted"
    assert reason(state.replace(b'"cause":', b'"cause":"crash","cause":')) == "duplicate-key"


def test_a_second_key_in_an_event_inside_a_job() -> None:
    """The event that a job carries as it came is searched too."""
    body = (CORPUS / "1.0" / "job.requested.json").read_bytes()
    assert reason(body.replace(b'"event":{', b'"event":{"type":"x",')) == "duplicate-key"
    deep = body.replace(b'"event":{', b'"event":{"later":' + b"[" * 40 + b"]" * 40 + b",")
    assert reason(deep) == "too-deep"


@pytest.mark.parametrize("text", ["a\\u003ab", "a:b", 'say \\"{[:\\" twice', "\\\\u003a", "{[" * 40, '\\"' * 50])
def test_strings_may_look_like_anything(text: str) -> None:
    """Colons, quotes and brackets inside text are text, in fields we know and in fields we do not."""
    for field in ("shot", "later"):
        body = edited(lambda message: None, (CORPUS / "1.0" / "placeholder.requested.json").read_bytes())
        spelled = body.replace(b'"data": {', b'"data": {"%s": "%s", ' % (b"later", text.encode()))
        if field == "shot":
            spelled = body.replace(b'"shot": "sh020"', b'"shot": "%s"' % text.encode())
        assert reason(spelled) == "accepted"


@pytest.mark.parametrize(
    ("depth", "answer"), [(31, "accepted"), (32, "too-deep"), (900, "too-deep"), (30_000, "too-deep")]
)
def test_depth(depth: int, answer: str) -> None:
    """32 levels are taken and 33 refused, closed or not, without a deep stack."""
    nested = b"[" * depth + b"]" * depth
    assert reason(SETTLED.replace(b'"data":', b'"later":' + nested + b',"data":')) == answer
    mixed = b'{"a":[' * (depth // 2) + b"1" + b"]}" * (depth // 2)
    if len(mixed) < MAX_MESSAGE - 2000:
        inside = reason(SETTLED.replace(b'"data":{', b'"data":{"later":' + mixed + b","))
        assert inside == ("accepted" if depth < 31 or depth // 2 * 2 + 2 <= 32 else "too-deep")


def test_a_full_stack_of_our_own_is_not_blamed_on_the_message() -> None:
    """Near the interpreter's own recursion limit a good message raises RecursionError, not a refusal."""

    def dive() -> None:
        codec.decode(SETTLED)
        dive()

    with pytest.raises(RecursionError):
        dive()
    assert reason(SETTLED) == "accepted"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"", "not-json"),
        (b"null", "wrong-type"),
        (b"[]", "wrong-type"),
        (b"{}", "wrong-type"),
        (b"\xef\xbb\xbf" + SETTLED, "not-json"),
        (SETTLED.decode().encode("utf-16"), "not-json"),
        (SETTLED + b" x", "not-json"),
        (SETTLED[:-1], "not-json"),
        (SETTLED.replace(b"9876543", b"NaN"), "not-json"),
        (SETTLED.replace(b"9876543", b"Infinity"), "not-json"),
        (SETTLED.replace(b"9876543", b"1e999"), "wrong-type"),
        (SETTLED.replace(b"9876543", b"-1"), "wrong-type"),
        (SETTLED.replace(b"9876543", b"9" * 5000), "wrong-type"),
        (SETTLED.replace(b"9876543", b'"9876543"'), "wrong-type"),
        (SETTLED.replace(b'"data":{', b'"data":{"later":1e999,'), "wrong-type"),
        (SETTLED.replace(b'"data":{', b'"data":{"later":NaN,'), "not-json"),
        (SETTLED.replace(b'"data":{', b'"data":{"later":"\xff",'), "not-utf8"),
        (SETTLED.replace(b'"data":{', b'"data":{"later":"\\ud800",'), "not-json"),
        (SETTLED.replace(b"renders", b"\xff\xfe"), "not-utf8"),
        (SETTLED.replace(b"renders", b"\\ud800"), "not-json"),
        (SETTLED.replace(b"media.settled", b"media.unheard"), "unknown-type"),
        (SETTLED.replace(b'"type":"media.settled"', b'"type":"Media Settled"'), "wrong-type"),
        (SETTLED.replace(b'"specversion":"1.0"', b'"specversion":"0.3"'), "bad-version"),
        (SETTLED.replace(b"settled:1.0", b"settled:0.9"), "bad-version"),
        (SETTLED.replace(b"settled:1.0", b"settled:one"), "bad-version"),
        (SETTLED.replace(b"settled:1.0", b"settled:1.0.0"), "bad-version"),
        (SETTLED.replace(b"urn:callboard:schema:media.settled", b"urn:callboard:schema:media.gone"), "bad-version"),
        (SETTLED.replace(b'"hops":1', b'"hops":17'), "too-many-hops"),
        (SETTLED.replace(b'"hops":1', b'"hops":-1'), "wrong-type"),
        (SETTLED.replace(b"00.250000Z", b"00.250000"), "wrong-type"),
        (b" " * (MAX_MESSAGE - len(SETTLED)) + SETTLED, "accepted"),
        (b" " * (MAX_MESSAGE - len(SETTLED) + 1) + SETTLED, "too-long"),
    ],
)
def test_refusals(body: bytes, answer: str) -> None:
    """Each way of being wrong has its own reason."""
    assert reason(body) == answer


def test_the_message_of_a_refusal_says_where() -> None:
    """A wrong field is named by its path."""
    with pytest.raises(MessageRefused, match=r"Expected `int`, got `str` - at `\$\.asset\.size`"):
        codec.decode(SETTLED.replace(b"9876543", b'"many"'))


def test_a_later_minor_is_read() -> None:
    """Fields of a newer minor are skipped, and stay in the bytes that the journal keeps."""
    body = (CORPUS / "later" / "minor.json").read_bytes()
    message = codec.decode(body)
    assert isinstance(message.data, MediaSettled)
    assert message.data.asset.digest.startswith("sha256:b7")
    assert b'"camera"' in message.raw
    assert b"traceparent" in message.raw


def test_a_later_major_is_parked() -> None:
    """A newer major of a known type is parked, not refused."""
    with pytest.raises(MessageParked) as caught:
        codec.decode((CORPUS / "later" / "major.json").read_bytes())
    assert caught.value.reason == "newer-version"


def test_a_message_without_a_schema_is_of_this_version() -> None:
    """``dataschema`` may be left out, as CloudEvents allows."""
    assert reason(edited(lambda message: message.pop("dataschema"))) == "accepted"


def test_times_with_an_offset_are_read() -> None:
    """A time zone other than UTC names the same instant."""
    message = codec.decode(edited(lambda message: message.update(time="2026-01-05T15:00:00.25+05:30")))
    assert message.envelope.time == datetime(2026, 1, 5, 9, 30, 0, 250000, tzinfo=UTC)
    assert reason(edited(lambda message: message.update(time="2026-01-05T15:00:00+0530"))) == "accepted"


def test_make_starts_a_run() -> None:
    """An event without a cause names its own run and can be read."""
    envelope = codec.make("root.offline", RootState(root="footage", reason="unplugged"), source="callboard:watch")
    assert envelope.correlationid == envelope.id
    assert (envelope.causationid, envelope.hops) == (None, 0)
    message = codec.decode(codec.encode(envelope))
    assert message.envelope.time == envelope.time
    assert message.data == RootState(root="footage", reason="unplugged")


def test_make_carries_the_run_on() -> None:
    """An event with a cause shares its run, names it, and is one hop further."""
    first = codec.make("root.offline", RootState(root="footage"), source="a")
    second = codec.make("root.online", RootState(root="footage"), source="a", cause=first, subject="footage", id="two")
    third = codec.make("root.online", RootState(root="footage"), source="a", cause=second)
    assert (second.id, second.subject) == ("two", "footage")
    assert (second.correlationid, second.causationid, second.hops) == (first.id, first.id, 1)
    assert (third.correlationid, third.causationid, third.hops) == (first.id, "two", 2)


def test_make_ends_a_loop() -> None:
    """A chain of more than sixteen hops cannot be made."""
    envelope = codec.make("root.online", RootState(root="footage"), source="a")
    for _ in range(codec.MAX_HOPS):
        envelope = codec.make("root.online", RootState(root="footage"), source="a", cause=envelope)
    assert reason(codec.encode(envelope)) == "accepted"
    with pytest.raises(MessageRefused, match="too-many-hops"):
        codec.make("root.online", RootState(root="footage"), source="a", cause=envelope)


def test_make_refuses_what_cannot_be_read_back() -> None:
    """Unknown types, data of another type and text that is not Unicode are refused before they are sent."""
    with pytest.raises(MessageRefused, match="unknown-type"):
        codec.make("root.sideways", RootState(root="footage"), source="a")
    with pytest.raises(MessageRefused, match=r"root\.online carries RootState, not Place"):
        codec.make("root.online", Place(root="a", path="b"), source="a")
    with pytest.raises(MessageRefused, match="not-utf8"):
        codec.make("root.online", RootState(root="\udcff"), source="a")
    with pytest.raises(MessageRefused, match="not-utf8"):
        codec.encode(codec.make("root.online", RootState(root="footage"), source="\udcff"))
    with pytest.raises(MessageRefused, match="wrong-type"):
        codec.make("review.decided", Decision(proposal="p", decision="accept", by="a", reason=object()), source="a")  # type: ignore[arg-type]  # as an untyped caller might


def test_a_given_time_is_kept() -> None:
    """The time of an event is the caller's, whatever its zone."""
    when = datetime(2026, 1, 5, 9, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    envelope = codec.make("root.online", RootState(root="footage"), source="a", time=when)
    assert codec.decode(codec.encode(envelope)).envelope.time == when


def test_decode_data_judges_as_decode_does() -> None:
    """Data kept without its envelope is held to the same rules."""
    data = msgspec.json.encode(
        JobState(key="0" * 64, plugin="tag", state="failed", failure=Failure(code="x", message="y", cause="crash"))
    )
    assert codec.decode_data("job.state", data) == codec.decode_data("job.state", msgspec.Raw(data))
    for raw, answer in [
        (data.replace(b'"key"', b'"key":"%s","key"' % (b"1" * 64)), "duplicate-key"),
        (data.replace(b"failed", b"dreaming"), "wrong-type"),
        (b" " * MAX_MESSAGE + data, "too-long"),
    ]:
        with pytest.raises(MessageRefused) as caught:
            codec.decode_data("job.state", raw)
        assert caught.value.reason == answer


def test_a_long_message_is_read_whole() -> None:
    """Ten minutes of captions come through as they were."""
    cues = tuple(
        Cue(id=number, start=number * 2.0, end=number * 2.0 + 1.5, lines=(f"Line {number}: go, go.",), confidence=0.9)
        for number in range(400)
    )
    captions = Captions(language="en", cues=cues, confidence=0.9, duration=800.0)
    body = codec.encode(codec.make("result.captions", captions, source="a"))
    assert 30_000 < len(body) < MAX_MESSAGE
    assert codec.decode(body).data == captions
    assert codec.decode(json.dumps(json.loads(body)).encode()).data == captions
