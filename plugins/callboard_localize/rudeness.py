"""How rude a text is: words of a list for each language, so that a translation can be as rude as its source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from msgspec import Struct

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_PACKAGE: Final = "callboard_localize"


class Counted(Struct, frozen=True):
    """How often a text is rude."""

    surely: int
    perhaps: int
    """With words that are rude only where they are meant so; those that surely are, too."""


@cache
def rude_words(language: str) -> Mapping[str, bool] | None:
    """Give the words and phrases that are rude in *language*, in lower case, and whether they surely are.

    ``None`` where there is no list.
    """
    path = files(_PACKAGE) / "rude" / f"{language.split('-')[0].lower()}.txt"
    if not path.is_file():
        return None
    lines = [line.strip().casefold() for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    return {line.removeprefix("?").strip(): not line.startswith("?") for line in lines if line}


def rude(text: str, language: str) -> Counted | None:
    """Count the rude words and phrases in *text*; ``None`` where there is no list for *language*."""
    listed = rude_words(language)
    if listed is None:
        return None
    words = [word.casefold().replace("’", "'") for word in _WORD.findall(text)]
    surely = perhaps = at = 0
    while at < len(words):
        size = next((size for size in (4, 3, 2, 1) if " ".join(words[at : at + size]) in listed), 0)
        if size:
            perhaps += 1
            surely += listed[" ".join(words[at : at + size])]
        at += max(size, 1)
    return Counted(surely, perhaps)


def changed(source: str, source_language: str, target: str, language: str) -> str:
    """Say in which way the rudeness of a text changed in its translation; empty where it did not or nobody knows."""
    before, after = rude(source, source_language), rude(target, language)
    if before is None or after is None:
        return ""
    if before.surely and not after.perhaps:
        return "milder than its source"
    return "ruder than its source" if after.surely and not before.perhaps else ""


__all__ = ["Counted", "changed", "rude", "rude_words"]
