"""Paths on the bus: any bytes come back, and what is written survives JSON."""

from __future__ import annotations

import json

import msgspec
import pytest
from callboard_schemas import Place, decode_path, encode_path
from hypothesis import example, given
from hypothesis import strategies as st


@given(st.binary(max_size=300))
@example("Zoë 01.mov".encode())
@example(b"take%41.mov")
@example(b"\xed\xa0\x80")  # a surrogate spelled in UTF-8, which is not UTF-8
@example(b"a\nb\x00c\x7f")
@example("e\u0301 \u202etxt.exe \U0001f3ac".encode())
def test_any_bytes_come_back(path: bytes) -> None:
    """The bytes of a name survive being written as text, as JSON and as a message."""
    text = encode_path(path)
    assert decode_path(text) == path
    assert json.loads(json.dumps(text).encode("utf-8")) == text
    if 0 < len(text) <= 4096 * 3:
        place = Place(root="footage", path=text)
        assert msgspec.json.decode(msgspec.json.encode(place), type=Place) == place


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=100))
def test_any_text_is_decoded_to_bytes(text: str) -> None:
    """Text that no ``encode_path`` wrote still names bytes, and those have one spelling."""
    path = decode_path(text)
    assert decode_path(encode_path(path)) == path


def test_ordinary_names_stay_readable() -> None:
    """Letters, spaces and slashes are written as they are; what would break a line is not."""
    assert encode_path("takes/Zoë 01.mov".encode()) == "takes/Zoë 01.mov"
    assert encode_path(b"100%\n") == "100%25%0A"
    assert encode_path(b"bad\xff") == "bad%FF"


def test_a_lone_surrogate_is_no_path() -> None:
    """Text that could not have come through JSON is refused."""
    with pytest.raises(ValueError, match="surrogates not allowed"):
        decode_path("a\ud800")
