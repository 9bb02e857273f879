"""What is to be written, and what was."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from callboard.errors import JobError
from msgspec import Struct

from callboard_placeholder.engine import Order

_SUFFIXES: Final = {"prores": ".mov", "dnxhr": ".mov", "h264": ".mp4", "png": ".png", "exr": ".exr"}
FIRST_NUMBER: Final = 1001
"""Number of a sequence's first picture: visual effects count from there, so that handles need no negative numbers."""


class Target(Struct, frozen=True, kw_only=True):
    """What an order is written as."""

    codec: str
    """One of those of ``suffix``."""
    order: Order
    sound: bool = False
    """Whether there is a sound track even where nothing sounds."""


class Written(Struct, frozen=True, kw_only=True):
    """Files that were made."""

    path: Path
    """What an application opens: the film, or the first picture of a sequence."""
    files: tuple[Path, ...]
    """All that belongs to it, *path* among them: every picture, and the sound that goes with a sequence."""


def suffix(codec: str) -> str:
    """Give the suffix of a codec's files: ``.mov``, ``.mp4``, ``.png`` or ``.exr``.

    Raises:
        JobError: there is no such codec.
    """
    if codec not in _SUFFIXES:
        raise JobError(f"placeholders are not written as {codec!r}", f"There are: {', '.join(_SUFFIXES)}.")
    return _SUFFIXES[codec]


__all__ = ["FIRST_NUMBER", "Target", "Written", "suffix"]
