"""Names in the cues of a film: words with a capital where none is needed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_BEGINS: Final = re.compile(
    r"(?:^|(?:(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bSt)\.|[?!…:;])['\"”’»)\]]*|[-–—\"“«(\[¿¡♪])\s*$"
)
"""What stands before the first word of a sentence."""
NOUNS_IN_CAPITALS: Final = frozenset({"de", "lb"})
# English puts capitals on more than names: pronoun, days, months, peoples and their languages, forms of address.
_CAPITALS = """
i i'm i'll i'd i've mr mrs ms miss dr sir ma'am mom mum dad mommy daddy grandma grandpa god lord ok tv
monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
september october november december english spanish french german italian portuguese russian chinese japanese
american british european african indian christmas easter
"""
_NO_NAMES: Final = frozenset(_CAPITALS.split())


def names_in(texts: Iterable[str], language: str) -> frozenset[str]:
    """Find the names in all the texts of a film.

    A name stands with a capital inside a sentence, and nowhere without one. Languages that write every noun so, and
    scripts without capitals, give none.
    """
    if language.split("-")[0].lower() in NOUNS_IN_CAPITALS:
        return frozenset()
    capital: set[str] = set()
    small: set[str] = set()
    for text in texts:
        if text.isupper():
            continue
        for found in _WORD.finditer(text):
            word = found[0]
            if word[0].islower():
                small.add(word.casefold())
            elif word[0].isupper() and not word.isupper() and not _BEGINS.search(text[: found.start()]):
                capital.add(word)
    return frozenset(w for w in capital if w.casefold() not in small and w.casefold() not in _NO_NAMES)


def missing(source: str, target: str, names: frozenset[str]) -> list[str]:
    """Give the names that *source* says and of which *target* has nothing alike: its first three letters."""
    said: Sequence[str] = [word for word in _WORD.findall(source) if word in names]
    there = [word.casefold() for word in _WORD.findall(target)]
    return [name for name in dict.fromkeys(said) if not any(word.startswith(name.casefold()[:3]) for word in there)]


__all__ = ["NOUNS_IN_CAPITALS", "missing", "names_in"]
