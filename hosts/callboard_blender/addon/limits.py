"""How long names and texts may be, in bytes of UTF-8, and cutting them so that no character breaks."""

from __future__ import annotations

from typing import Final

MARKER_NAME: Final = 63
STRIP_NAME: Final = 61
STRIP_NAME_FREE: Final = STRIP_NAME - len(".001")
"""Leaves room for the ``.001`` that Blender adds to a name that is taken."""
TAG_NAME: Final = 63
CHANNEL_NAME: Final = 63
TEXT: Final = 511
"""Of a text strip before Blender 5.0, which has no such limit."""


def cut(text: str, size: int) -> str:
    """Cut *text* to at most *size* bytes of UTF-8, between characters."""
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")


def one_line(text: str) -> str:
    """Put a text on one line, without control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
