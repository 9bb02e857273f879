"""Finding media again: by words, by what a picture shows, by likeness, and as copies of each other.

The catalog holds the truth (``catalog.texts``, ``catalog.prints``); everything here only reads it. Words need nothing
but SQLite; pictures need numpy, which comes with Callboard's ``media`` extra.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Why = Literal["name", "tags", "about", "said", "screen", "looks", "same"]
"""``looks`` is by what a model sees in the picture, ``same`` by its perceptual hash; the rest are words."""


class Reason(Struct, frozen=True, kw_only=True):
    """Why something was found, and where to jump to."""

    why: Why
    text: str = ""
    """The words around the match, which stands between U+0002 and U+0003."""
    start: float | None = None
    """Seconds from the first frame."""
    end: float | None = None
    frame: int | None = None
    state: str = "accepted"
    """``proposed`` where nobody has decided on it yet."""
    score: float = 0.0
    """``looks``: cosine; ``same``: share of equal bits; words: how sure the method was."""


class Hit(Struct, frozen=True, kw_only=True):
    """An asset that was found."""

    digest: str
    score: float
    """Only good for order, and within one search."""
    reasons: tuple[Reason, ...] = ()


MARKS = ("\x02", "\x03")
"""What stands before and after a matching word."""

__all__ = ["MARKS", "Hit", "Reason", "Why"]
