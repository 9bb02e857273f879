"""JSON that must hold what it says, once: second keys, depth and bad values, found at the speed of a parser in C."""

from __future__ import annotations

import re
from typing import NoReturn

import msgspec

from callboard.errors import MessageRefused

MAX_DEPTH = 32
"""Objects and arrays inside each other; the deepest message of our own has 8."""
BAD = (ValueError, OverflowError, RecursionError)
"""Everything that parsing raises: msgspec's errors and bad UTF-8 are ValueErrors."""
PILE = b"[" * (MAX_DEPTH + 1)

_encode = msgspec.json.Encoder().encode
_decode_any = msgspec.json.Decoder().decode
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_ESCAPE = re.compile(rb"\\(?:u003[aA]|.)")
_NOT_MARKS = bytes(byte for byte in range(256) if byte not in b'[]{}"')
_SQUARE = bytes.maketrans(b"{}", b"[]")


def colons(text: bytes) -> int:
    """Count the colons that *text*, which is JSON, has or spells as an escape."""
    count = text.count(b":")
    if b"\\u003a" in text or b"\\u003A" in text:
        count += sum(len(found) > 2 for found in _ESCAPE.findall(text))
    return count


def scan(text: bytes) -> None:
    """Refuse second keys, depth and bad values anywhere in *text*, also in fields that no type names.

    Parsing keeps each string and one of each key, so a colon that is gone afterwards stood after a second key.
    """
    try:
        check_depth(text)
        kept = _encode(_decode_any(text))
    except BAD as error:
        refuse(error, text)
    if colons(text) != kept.count(b":"):
        raise MessageRefused("duplicate-key", "an object has the same key twice")


def check_depth(text: bytes) -> None:
    """Take the innermost brackets away, round by round; no recursion, whatever the text."""
    if text.count(b"{") + text.count(b"[") <= MAX_DEPTH:
        return
    if b"\\" not in text:
        text = text.translate(_SQUARE, _NOT_MARKS).replace(b'""', b"")
    if b'"' in text:
        text = _STRING.sub(b"", text)
    brackets = text.translate(_SQUARE, _NOT_MARKS)
    for _ in range(MAX_DEPTH):
        before = len(brackets)
        brackets = brackets.replace(b"[]", b"")
        if len(brackets) == before:
            break
    if b"[" in brackets:
        raise MessageRefused("too-deep", f"more than {MAX_DEPTH} objects and arrays inside each other")


def refuse(error: Exception, text: bytes) -> NoReturn:
    """Say why *text* could not be parsed."""
    if isinstance(error, RecursionError):
        if text.count(b"{") + text.count(b"[") <= MAX_DEPTH:
            raise error  # this program's own stack is full; the message is not to blame
        raise MessageRefused("too-deep", f"more than {MAX_DEPTH} objects and arrays inside each other") from None
    if isinstance(error, UnicodeDecodeError):
        raise MessageRefused("not-utf8", str(error)) from None
    problem = str(error)
    if isinstance(error, msgspec.ValidationError | OverflowError):
        reason = "bad-version" if problem.endswith("`$.specversion`") else "wrong-type"
        raise MessageRefused(reason, problem) from None
    if text.startswith(b"\xef\xbb\xbf"):
        problem = "it begins with a byte order mark, which JSON on a network must not have (RFC 8259 section 8.1)"
    raise MessageRefused("not-json", problem) from None


__all__ = ["BAD", "MAX_DEPTH", "PILE", "check_depth", "colons", "refuse", "scan"]
