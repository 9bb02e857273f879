"""Whatever comes over the bus, the codec answers with a message or a refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from callboard import codec
from callboard.errors import MessageRefused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BODIES = [path.read_bytes() for path in sorted(Path(__file__).with_name("corpus").glob("*/*.json"))]
SNIPPETS = [b'"', b"\\", b"{", b"}", b"[", b"]", b":", b",", b"null", b"1e999", b"NaN", b"-", b"\xff", b"\x00"]
SNIPPETS += [
    b"\\ud800",
    b"\\u003a",
    b'"id":"x",',
    b'"data":{},',
    b"[" * 40,
    b"9" * 400,
    b"\xef\xbb\xbf",
    b" " * 9,
    b'{"a":1}',
]
MANY = settings(max_examples=2000, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

edits = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(0, 40), st.one_of(st.sampled_from(SNIPPETS), st.binary(max_size=6))),
    min_size=1,
    max_size=6,
)


def judged(body: bytes) -> tuple[codec.Decoded | None, str]:
    """Give the message, or the reason why there is none."""
    try:
        return codec.decode(body), ""
    except MessageRefused as refused:
        return None, refused.reason


def second_keys(text: str) -> bool:
    """Say, slowly and by another parser, whether an object in *text* has a key twice."""
    found = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found.append(len({key for key, _ in items}) < len(items))
        return dict(items)

    json.loads(text, object_pairs_hook=pairs)
    return any(found)


@MANY
@given(st.sampled_from(BODIES), edits)
def test_mutated_messages_are_judged(body: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    """A mutated message is read or refused, never anything else, and one that is read has no second key."""
    for at, length, put in changes:
        at %= len(body) + 1
        body = body[:at] + put + body[at + length :]
    message, refusal = judged(body)
    if message is None:
        assert refusal
        return
    assert message.raw == body
    assert not second_keys(body.decode())
    assert codec.decode(codec.encode(message.envelope)).data == message.data


@settings(MANY, max_examples=500)
@given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    """Bytes that nobody meant as a message are refused."""
    assert judged(noise)[1]


keys = st.sampled_from(["a", "b", "c:", 'd"', "é", "{"])
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text(':"\\{[u03a', max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: ("list", items)),
        st.lists(st.tuples(keys, inner), max_size=4).map(lambda items: ("object", items)),
    ),
    max_leaves=12,
)


def spelled(value: Any, escape: bool) -> str:
    """Write *value* as JSON with its keys as they are, twice where they are twice."""
    match value:
        case ("list", items):
            return "[" + ",".join(spelled(item, escape) for item in items) + "]"
        case ("object", items):
            return "{" + ", ".join(f"{spelled(key, escape)} : {spelled(item, escape)}" for key, item in items) + "}"
        case str() if escape:
            return '"' + "".join(f"\\u{ord(char):04x}" for char in value) + '"'
        case _:
            return json.dumps(value)


@settings(MANY, max_examples=1000)
@given(values, st.booleans())
def test_second_keys_are_found_exactly(value: Any, escape: bool) -> None:
    """In fields that nobody knows a second key is refused, and nothing else is."""
    text = spelled(value, escape)
    body = BODIES[0].replace(b'"data":{', b'"data":{"later":%s,' % text.encode(), 1)
    assert judged(body)[1] == ("duplicate-key" if second_keys(text) else "")
