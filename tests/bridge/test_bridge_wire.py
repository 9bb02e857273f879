"""Bytes in and out: frames however they are cut, limits, signatures, and contents that are read in slices."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Generator
from itertools import pairwise
from typing import Any

import nkeys
import pytest
from callboard_bridge import contents, nkey, wire
from hypothesis import given, settings
from hypothesis import strategies as st

WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
STREAM = (
    b'INFO {"max_payload":1}\r\n+OK\r\nPING\r\n'
    b"MSG a.b 1 5\r\nhello\r\nMSG a.b 1 re.ply 0\r\n\r\n"
    b"HMSG c 2 re 22 24\r\nNATS/1.0 503\r\nA: b\r\n\r\n\r\n\r\n"
    b"-ERR 'no'\r\n"
)


def frames(parser: wire.Parser) -> list[Any]:
    """Take all frames that are whole."""
    found = []
    while (frame := parser.next()) is not None:
        name, rest = frame
        found.append((name, (rest.subject, rest.reply, rest.status, rest.body) if name == b"MSG" else rest))
    return found


WHOLE = wire.Parser()
WHOLE.add(STREAM)
EXPECTED = frames(WHOLE)


def test_frames_are_what_was_sent() -> None:
    """Names, subjects, replies, header status and bodies come out as they went in."""
    assert [frame[0] for frame in EXPECTED] == [b"INFO", b"+OK", b"PING", b"MSG", b"MSG", b"MSG", b"-ERR"]
    assert EXPECTED[3][1] == ("a.b", "", 0, b"hello")
    assert EXPECTED[4][1] == ("a.b", "re.ply", 0, b"")
    assert EXPECTED[5][1] == ("c", "re", 503, b"\r\n")


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_frames_may_be_cut_anywhere(cuts: list[int]) -> None:
    """However the stream is cut into packets, the same frames come out."""
    parser, found = wire.Parser(), []
    edges = [0, *sorted(cuts), len(STREAM)]
    for start, end in pairwise(edges):
        parser.add(STREAM[start:end])
        found += frames(parser)
    assert found == EXPECTED
    assert len(parser) == 0


@given(st.binary(max_size=400))
def test_noise_is_refused_or_waited_on(noise: bytes) -> None:
    """Bytes that are no frames raise nothing but ``WireError``."""
    parser = wire.Parser()
    parser.add(noise + b"\r\n")
    with contextlib.suppress(wire.WireError):
        frames(parser)
    assert len(parser) <= len(noise) + 2


@pytest.mark.parametrize(
    "line",
    [
        b"MSG a 1 -5\r\n",
        b"MSG a 1 99999999999\r\n",
        b"MSG a 1\r\n",
        b"MSG 5\r\n",
        b"HMSG a 1 9 4\r\n",
        b"HMSG a 1 x 4\r\n",
        b"MSG a 1 2\r\nhello\r\n",
        b"x" * wire.MAX_LINE,
        b"INFO " + b" " * wire.MAX_INFO,
    ],
)
def test_impossible_frames_are_refused(line: bytes) -> None:
    """Sizes that cannot be, lines without an end and bodies longer than they say are an error of the other side."""
    parser = wire.Parser()
    parser.add(line)
    with pytest.raises(wire.WireError):
        frames(parser)


def test_a_huge_message_is_thrown_away_as_it_comes() -> None:
    """Of a message over the limit nothing is kept, and what follows it is read."""
    parser, size, kept = wire.Parser(), wire.MAX_SKIPPED, 0
    parser.add(b"MSG huge 1 %d\r\n" % size)
    block = bytes(1 << 20)
    for _ in range(size >> 20):
        parser.add(block)
        assert frames(parser) == []
        kept = max(kept, len(parser))
    parser.add(b"\r\nPING\r\n")

    assert frames(parser) == [(b"MSG", ("huge", "", 0, None)), (b"PING", b"")]
    assert kept == 0


@given(st.dictionaries(WORDS, WORDS | st.integers(-(10**18), 10**18) | st.none()))
def test_json_is_one_line_and_comes_back(value: dict[str, Any]) -> None:
    """What is written has no line feed in it and reads as what it was."""
    line = wire.encode(value)
    assert b"\n" not in line
    assert wire.decode(line.decode()) == value


@pytest.mark.parametrize("text", ["1" * 80_000, "[" * 80_000, '{"a":' * 20_000, "nope", ""])
def test_hostile_json_is_an_error(text: str) -> None:
    """Numbers without end and nests without end are errors like any other."""
    with pytest.raises((ValueError, RecursionError)):
        wire.decode(text)


def _finish(work: Generator[None, None, Any]) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value


@settings(max_examples=25)  # each takes 20 ms
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=64))
def test_signatures_are_those_of_nkeys(secret: bytes, nonce: bytes) -> None:
    """The public key and the signature are those that the nkeys library makes of the same seed."""
    seed = nkeys.encode_seed(secret, nkeys.PREFIX_BYTE_USER)
    peer = nkeys.from_seed(bytearray(seed))
    public, signature = _finish(nkey.sign(bytes(seed), nonce))

    assert public == bytes(peer.public_key).decode()
    assert base64.urlsafe_b64decode(signature + "==") == peer.sign(nonce)


@pytest.mark.parametrize("damage", [b"", b"SUAB", b"x" * 58, b"SU" + b"A" * 56, "é".encode() * 29])
def test_a_damaged_seed_is_told(damage: bytes) -> None:
    """What is no seed of a user raises ``SeedError``."""
    with pytest.raises(nkey.SeedError):
        nkey.decode_seed(damage)


def test_a_seed_of_another_kind_is_told() -> None:
    """A server's seed is not a user's."""
    with pytest.raises(nkey.SeedError, match="not a user's"):
        nkey.decode_seed(bytes(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_SERVER)))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(WORDS, VALUES, max_size=6), st.sampled_from([None, 2]))
def test_contents_in_slices_are_what_json_says(content: dict[str, Any], indent: int | None) -> None:
    """Reading in slices gives what reading at once gives."""
    assert _finish(contents.read(json.dumps(content, indent=indent))) == content


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"a"}', '{"a":}', '{"a":1', '{"a":1,}', '{"a":[1,]}', '{"a":[1 2]}', "{} {}", "{1:2}", "nul"],
)
def test_a_broken_content_is_told(text: str) -> None:
    """What is no JSON object raises ``ContentError``."""
    with pytest.raises(contents.ContentError):
        _finish(contents.read(text))


def test_one_piece_cannot_be_long() -> None:
    """A piece that would take long to read is refused, though the list that it is in may be longer."""
    piece = [{"text": "x" * 200}] * 3000
    assert len(json.dumps(piece)) > 5 * wire.MAX_PAYLOAD
    assert _finish(contents.read(json.dumps({"cues": piece})))["cues"] == piece
    with pytest.raises(contents.ContentError, match="too long"):
        _finish(contents.read(json.dumps({"cues": [piece]})))
