"""Names in the cues of a film: words with a capital where none is needed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_BEGINS: Final = re.compile(
    r"(?:^|(?:(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bSt)\.|[?!…:;])['\"”’»)\]]*|[-–—\"“«(\[¿¡♪])\s*$"
)
"""What stands before the first word of a sentence."""
_POSSESSIVE: Final = re.compile(r"['’]s$")
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
            word = _POSSESSIVE.sub("", found[0])
            if word[0].islower():
                small.add(word.casefold())
            elif word[0].isupper() and not word.isupper() and not _BEGINS.search(text[: found.start()]):
                capital.add(word)
    return frozenset(w for w in capital if w.casefold() not in small and w.casefold() not in _NO_NAMES)


def missing(source: str, target: str, names: frozenset[str]) -> list[str]:
    """Give the names that *source* says and of which *target* has nothing alike: three letters of one of its words."""
    there = [word.casefold() for word in _WORD.findall(target)]
    gone: list[str] = []
    for name in dict.fromkeys(_said(source, names)):
        starts = tuple(word.casefold()[:3] for word in name.split())
        if not any(word.startswith(starts) for word in there):
            gone.append(name)
    return gone


def _said(source: str, names: frozenset[str]) -> Iterator[str]:
    """Give the names in a text, those that follow each other as one: New York."""
    run: list[str] = []
    end = 0
    for found in _WORD.finditer(source):
        word = _POSSESSIVE.sub("", found[0])
        if run and (word not in names or source[end : found.start()] != " "):
            yield " ".join(run)
            run = []
        if word in names:
            run.append(word)
        end = found.end()
    if run:
        yield " ".join(run)


__all__ = ["NOUNS_IN_CAPITALS", "missing", "names_in"]
