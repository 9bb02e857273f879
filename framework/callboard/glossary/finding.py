"""Where a glossary's terms stand in a text, inflected or not; whether a translation keeps to them; banned words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

from callboard.glossary.terms import Glossary, Term, primary
from callboard.vocabulary.words import fold

_WORD = re.compile(r"\w+(?:['’]\w+)*", re.UNICODE)
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Thai, Lao, Burmese, Khmer, kana and Han: written without blanks between words."""
_CLITIC = re.compile(r"^(?:[dlmtsjcn]|qu|dell|all|nell|dall|sull|un|jusqu|lorsqu|puisqu)['’](?=\w)", re.IGNORECASE)
"""What French, Italian and Catalan join to a word's front: l'Avana, d'Orlaith, dell'arte."""
_ENDINGS = {"en": ("s", "es", "'s", "’s", "s'", "s’")}
"""Languages whose names and nouns take few endings; others are given ``_TAIL``."""
_TAIL = 3
"""Letters of an ending: Siobhanem, Siobhanin, Siobhanának is left out."""
_STEM = 4
"""Letters that a word must have for its end to change."""
_VOWELS = frozenset("aeiouyаеёиоуыэюяієαεηιουω")


class Found(Struct, frozen=True):
    """A place in a text: characters from *start* up to *end*, and whose they are."""

    start: int
    end: int
    text: str
    """As it stands there."""
    term: str = ""
    """Id of the glossary's entry; empty for a banned word."""


class Breach(Struct, frozen=True):
    """A term of the source that the target does not have as it must."""

    term: str
    source: str
    """As it stands in the source."""
    wanted: str
    """What the target must say."""
    missing: int = 1
    """How many times too few."""


def find(text: str, glossary: Glossary | None, language: str) -> tuple[Found, ...]:
    """Say where terms and their variants stand in *text*, longest first where they overlap, in order of place.

    Endings are tolerated: possessives and plurals in English, up to three letters in languages that inflect more; an
    article that is joined to the front is left out of the span. Case counts only for a term that says so.
    """
    if glossary is None:
        return ()
    spellings = [(spelled, term) for term in glossary.of(language) for spelled in (term.text, *term.variants)]
    return _placed(text, spellings, language)


def obeyed(
    source: str, target: str, glossary: Glossary | None, source_language: str, target_language: str
) -> tuple[Breach, ...]:
    """Say which terms of *source* are not in *target* as often as they must be; nothing when all are.

    A term that is kept must be there as it is, one with a translation as that, with any ending of its language.
    """
    if glossary is None:
        return ()
    breaches: list[Breach] = []
    there = find(source, glossary, source_language)
    for ident in dict.fromkeys(one.term for one in there):
        term = glossary.get(ident)
        wanted = term.called(target_language) if term is not None else None
        if term is None or wanted is None:
            continue
        must = [one for one in there if one.term == ident]
        has = len(_placed(target, [(wanted, term)], target_language))
        if has < len(must):
            breaches.append(Breach(ident, must[0].text, wanted, len(must) - has))
    return tuple(breaches)


def banned(text: str, glossary: Glossary | None, language: str) -> tuple[Found, ...]:
    """Say where words stand that must not be in subtitles of *language*, in any case and with any ending."""
    if glossary is None:
        return ()
    words = [
        word for tongue, listed in glossary.banned.items() if primary(tongue) == primary(language) for word in listed
    ]
    nobody = Term(text="-")
    return tuple(
        Found(one.start, one.end, one.text) for one in _placed(text, [(word, nobody) for word in words], language)
    )


def _placed(text: str, spellings: Sequence[tuple[str, Term]], language: str) -> tuple[Found, ...]:
    text_words = [(at.start() + skip, at.end()) for at in _WORD.finditer(text) for skip in (_clitic(at[0]),)]
    places: list[Found] = []
    for spelled, term in sorted(spellings, key=lambda one: -len(one[0])):
        if _UNSPACED.search(spelled):
            spans: Iterator[tuple[int, int]] = _anywhere(text, spelled)
        else:
            spans = _in_words(text, text_words, spelled, term, language)
        for start, end in spans:
            if not any(start < other.end and end > other.start for other in places):
                places.append(Found(start, end, text[start:end], term.id))
    return tuple(sorted(places, key=lambda one: one.start))


def _clitic(word: str) -> int:
    found = _CLITIC.match(word)
    return found.end() if found else 0


def _anywhere(text: str, spelled: str) -> Iterator[tuple[int, int]]:
    for at in re.finditer(re.escape(spelled), text):
        yield at.start(), at.end()


def _in_words(
    text: str, places: Sequence[tuple[int, int]], spelled: str, term: Term, language: str
) -> Iterator[tuple[int, int]]:
    wanted = [found[0] for found in _WORD.finditer(spelled)]
    for at in range(len(places) - len(wanted) + 1 if wanted else 0):
        span = places[at : at + len(wanted)]
        between = [text[one[1] : two[0]] for one, two in pairwise(span)]
        told = [text[start:end] for start, end in span]
        same = (_same(one, word, language, case=term.case) for one, word in zip(told, wanted, strict=True))
        if all(map(_joins, between)) and all(same):
            yield span[0][0], span[-1][1]


def _joins(gap: str) -> bool:
    """Say whether a name may go across what stands between two of its words."""
    return gap.count("\n") <= 1 and not gap.strip().strip("-‐‑–·’'" + ("." if gap == gap.strip() else ""))


@lru_cache(maxsize=65536)
def _same(told: str, wanted: str, language: str, *, case: bool) -> bool:
    """Say whether *told* is *wanted*, with or without an ending."""
    if case and told[:1].isupper() != wanted[:1].isupper():
        return False
    one, other = _plain(told), _plain(wanted)
    if one == other:
        return True
    endings = _ENDINGS.get(primary(language))
    if endings is not None:
        ies = other.endswith("y") and one == f"{other[:-1]}ies"
        return ies or any(one == other + fold(ending) for ending in endings)
    if other.endswith(tuple(_VOWELS)) and len(other) > _STEM:
        other = other[:-1]
    return len(other) >= _STEM and one.startswith(other) and len(one) - len(other) <= _TAIL and one.isalpha()


def _plain(text: str) -> str:
    return fold(unicodedata.normalize("NFC", text)).replace("’", "'")


__all__ = ["Breach", "Found", "banned", "find", "obeyed"]
