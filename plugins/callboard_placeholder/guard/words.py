"""Finds words in texts as people hide them: other letters that look the same, digits for letters, letters apart.

Whole words alone: a term is never found inside another word, but in its plural, with ``-ed`` and with ``-ing``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

_LOOKS: Final = {
    "a": "a4@",
    "b": "b8",
    "e": "e3€",
    "g": "g9",
    "i": "i1!|",
    "l": "l1|",
    "o": "o0",
    "s": "s5$",
    "t": "t7+",
    "z": "z2",
}
"""Letter to what is written in its place."""
_ALIKE: Final = str.maketrans("аеорсухіјѕԁһӏοανρτυικ", "aeopcyxijsdhloavptuik")
"""Cyrillic and Greek letters that look like Latin ones (a part of Unicode's confusables.txt)."""
_LATIN: Final = re.compile(r"[a-z]")
_FOREIGN: Final = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")
_WORD: Final = re.compile(r"[^\W_]+")
_UNSPACED: Final = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)
"""Scripts that part no words by spaces, or hang particles on them: there a term is found inside others, too."""
_SENTENCE: Final = re.compile(r"[.!?;\n\u3002\uff01\uff1f]+(?:\s|$)")
_APART: Final = 4
"""Letters from which a word is also looked for with its letters apart; shorter ones turn up where nobody meant them."""
_INFLECTED: Final = 3
_VOWELS: Final = "aeiou"


def normal(text: str) -> str:
    """Write a text so that what looks the same is the same: compatible forms, case, accents, invisible characters."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(char for char in text if not "\u0300" <= char <= "\u036f")
    return _WORD.sub(_unmixed, unicodedata.normalize("NFC", text))


def _unmixed(word: re.Match[str]) -> str:
    """Write a word in Latin where its letters are of several scripts; a Russian word stays one."""
    mixed = _LATIN.search(word[0]) and _FOREIGN.search(word[0])
    return word[0].translate(_ALIKE) if mixed else word[0]


def sentences(text: str) -> list[str]:
    """Split a text where a sentence ends."""
    return [part for part in _SENTENCE.split(text) if part.strip()]


def finds(term: str, text: str) -> str:
    """Look for a term, word after word.

    Args:
        term: A word or several, as a person wrote them.
        text: As ``normal`` gives it.

    Returns:
        What was found, as it stands in the text; empty where it is not.
    """
    for pattern in _patterns(term):
        for found in pattern.finditer(text):
            if 2 * _letters(found[0]) >= _letters(term):  # fewer are by chance: ``50s`` is a decade
                return found[0]
    return ""


def finds_all(term: str, text: str) -> str:
    """Look for all words of a term in one sentence, in any order; give them as they stand there."""
    for sentence in sentences(text):
        found = [finds(word, sentence) for word in _WORD.findall(normal(term))]
        if found and all(found):
            return " … ".join(found)
    return ""


def _letters(text: str) -> int:
    return sum(char.isalpha() for char in text)


@lru_cache(maxsize=4096)
def _patterns(term: str) -> tuple[re.Pattern[str], ...]:
    words = _WORD.findall(normal(term))
    if not words:
        return ()
    if any(_UNSPACED.search(word) for word in words):
        return (re.compile(r"\s*".join(map(re.escape, words))),)
    together = r"[\W_]{0,3}".join("(?:" + "|".join(map(_looks, _forms(word))) + ")" for word in words)
    patterns = [_bounded(together)]
    if len(words) == 1 and len(words[0]) >= _APART:
        apart = "|".join(r"[\W_]{1,3}".join(map(_look, form)) for form in _forms(words[0]))
        patterns.append(_bounded(f"(?:{apart})"))
    return tuple(patterns)


def _bounded(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){pattern}(?![^\W_])")


def _looks(word: str) -> str:
    return "".join(map(_look, word))


def _look(letter: str) -> str:
    return f"[{re.escape(_LOOKS[letter])}]" if letter in _LOOKS else re.escape(letter)


def _forms(word: str) -> list[str]:
    """Give a word with its English inflections, the longest first; others as they are."""
    if len(word) < _INFLECTED or not word.isascii() or not word.isalpha():
        return [word]
    bases = {word, *_singular(word)}
    return sorted({form for base in bases for form in (base, *_inflected(base))}, key=lambda form: (-len(form), form))


def _singular(word: str) -> Iterator[str]:
    if word.endswith("ies") and len(word) > 4:
        yield word[:-3] + "y"
    elif word.endswith(("shes", "ches", "xes", "sses", "zes")):
        yield word[:-2]
    elif word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is")):
        yield word[:-1]


def _inflected(word: str) -> Iterator[str]:
    after_consonant = len(word) > 2 and word[-2] not in _VOWELS
    if word.endswith("y") and after_consonant:
        yield from (word[:-1] + "ies", word[:-1] + "ied", word + "ing")
    elif word.endswith("e"):
        yield from (word + "s", word + "d", word[:-1] + "ing")
    else:
        yield word + ("es" if word.endswith(("s", "x", "z", "ch", "sh")) else "s")
        yield from (word + "ed", word + "ing")
        if word[-1] not in "aeiouwxy" and word[-2] in _VOWELS and word[-3] not in _VOWELS:
            yield from (word + word[-1] + "ed", word + word[-1] + "ing")


__all__ = ["finds", "finds_all", "normal", "sentences"]
