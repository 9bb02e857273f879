"""Words compared as people mean them: without regard to case, accents, width and blanks."""

from __future__ import annotations

import unicodedata

_ACCENTS = range(0x0300, 0x0370)
"""Combining marks of Latin, Greek and Cyrillic. Those of other scripts (U+3099 in Japanese, vowel signs in Hindi) make
another letter and stay: https://www.unicode.org/charts/PDF/U0300.pdf."""


def fold(text: str) -> str:
    """Give the form in which two words are compared, such as ``cafe bar`` for `` Café  BAR``."""
    apart = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(char for char in unicodedata.normalize("NFKD", apart) if ord(char) not in _ACCENTS)
    return " ".join(unicodedata.normalize("NFC", bare).split())


def slug(text: str) -> str:
    """Make an id of a label: lower-case letters and digits of any script, joined by ``-``; never empty."""
    made = "".join(char if char.isalnum() else " " for char in fold(text))
    return "-".join(made.split()) or "concept"


__all__ = ["fold", "slug"]
