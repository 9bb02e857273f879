"""Words taken apart: punctuation around them, and the endings that a name keeps whatever its spelling."""

from __future__ import annotations

import re
import unicodedata

from msgspec import Struct

_PIECE = re.compile(r"^([^\w]*)(.*?)([^\w]*)$", re.DOTALL)
_POSSESSIVE = re.compile(r"^(.*\w)(['’]s|['’])$", re.DOTALL | re.IGNORECASE)


class Piece(Struct, frozen=True):
    """A word as it was written: what is before it, itself, what is after it."""

    before: str
    core: str
    after: str


def piece(text: str) -> Piece:
    """Take brackets, quotes and punctuation off a word; an apostrophe that ends it stays when it marks a possessive."""
    found = _PIECE.match(text.strip())
    assert found is not None  # every text matches
    before, core, after = found.groups()
    if core[-1:] in "sSzZxX" and after[:1] in ("'", "’") and after[1:2] != after[:1] and "'" not in before + "’":
        return Piece(before, core + after[0], after[1:])
    return Piece(before, core, after)


def possessive(core: str) -> tuple[str, str]:
    """Take ``'s`` or ``'`` off a word. Returns the word and the ending, which may be empty."""
    found = _POSSESSIVE.match(core)
    return (found[1], found[2]) if found else (core, "")


def bare(text: str) -> str:
    """Give the letters and digits of a text without accents and case, words run together."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if char.isalnum())


__all__ = ["Piece", "bare", "piece", "possessive"]
