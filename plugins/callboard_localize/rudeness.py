"""How rude a text is: words of a list for each language, so that a translation can be as rude as its source."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_PACKAGE: Final = "callboard_localize"


@cache
def rude_words(language: str) -> frozenset[str] | None:
    """Give the words and phrases that are rude in *language*, in lower case; ``None`` where there is no list."""
    path = files(_PACKAGE) / "rude" / f"{language.split('-')[0].lower()}.txt"
    if not path.is_file():
        return None
    lines = path.read_text("utf-8").splitlines()
    return frozenset(line.strip().casefold() for line in lines if line.strip() and not line.startswith("#"))


def rude(text: str, language: str) -> int | None:
    """Count the rude words and phrases in *text*; ``None`` where there is no list for *language*."""
    listed = rude_words(language)
    if listed is None:
        return None
    words = [word.casefold().replace("’", "'") for word in _WORD.findall(text)]
    found = at = 0
    while at < len(words):
        size = next((size for size in (4, 3, 2, 1) if " ".join(words[at : at + size]) in listed), 0)
        found += bool(size)
        at += max(size, 1)
    return found


def changed(source: str, source_language: str, target: str, language: str) -> str:
    """Say in which way the rudeness of a text changed in its translation; empty where it did not or nobody knows."""
    before, after = rude(source, source_language), rude(target, language)
    if before is None or after is None or bool(before) == bool(after):
        return ""
    return "milder than its source" if before else "ruder than its source"


__all__ = ["changed", "rude", "rude_words"]
