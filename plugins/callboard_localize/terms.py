"""The glossary as a translation needs it: what must be called what, what stays, and what must not be said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from callboard.glossary import Glossary, Term
from msgspec import Struct

_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")
"""Letters of scripts that put no space between words: Thai, Lao, Burmese, Khmer, Han, kana; Korean adds particles."""


class Wording(Struct, frozen=True):
    """One term of the glossary, between two languages."""

    spelled: str
    """In the source."""
    required: str
    """In the target."""
    pattern: re.Pattern[str]
    """Finds its spellings in the source."""

    def write(self, found: str) -> str:
        """Give what is written where the source says *found*: all in capitals where that is."""
        if len(found) > 3 and found.isupper() and not self.required.isupper():
            return self.required.upper()
        return self.required


def wordings(glossary: Glossary | None, source: str, target: str, names: Iterable[str] = ()) -> tuple[Wording, ...]:
    """Give the terms that hold from one language into another, longest spelling first.

    Args:
        glossary: The project's.
        source: BCP 47.
        target: BCP 47.
        names: Further words that stay as they are, such as those of speakers.
    """
    found = [wording for term in (glossary.term if glossary else ()) if (wording := _wording(term, source, target))]
    known = {wording.spelled.casefold() for wording in found}
    found += [_made((name,), name, case=True) for name in names if name.casefold() not in known]
    return tuple(sorted(found, key=lambda wording: -len(wording.spelled)))


def _wording(term: Term, source: str, target: str) -> Wording | None:
    if term.speaks(source):
        spellings: tuple[str, ...] = (term.text, *term.variants)
    elif there := term.called(source):
        spellings = (there,)
    else:
        return None
    required = term.called(target)
    if required is None and term.language is not None and term.speaks(target):
        required = term.text
    return _made(spellings, required, case=term.case) if required else None


def _made(spellings: Sequence[str], required: str, *, case: bool) -> Wording:
    return Wording(spellings[0], required, spelled_as(spellings, case=case))


def spelled_as(spellings: Iterable[str], *, case: bool = False) -> re.Pattern[str]:
    """Make a pattern that finds *spellings* as whole words; inside a run of letters where words are not spaced."""
    wanted = "|".join(_bounded(text) for text in sorted(spellings, key=len, reverse=True))
    return re.compile(wanted, 0 if case else re.IGNORECASE)


def _bounded(text: str) -> str:
    inner = r"\s+".join(map(re.escape, text.split()))
    left = r"(?<!\w)" if text[:1].isalnum() and not _UNSPACED.match(text[:1]) else ""
    right = r"(?!\w)" if text[-1:].isalnum() and not _UNSPACED.match(text[-1:]) else ""
    return left + inner + right


def disobeyed(source: str, target: str, wordings: Sequence[Wording]) -> list[tuple[str, str]]:
    """Give the terms, as spelled and as required, that *source* says more often than *target* does."""
    missing: list[tuple[str, str]] = []
    taken = source
    for wording in wordings:
        taken, said = wording.pattern.subn(" ", taken)  # "New York Times" asks for no second "New York"
        if said > len(spelled_as([wording.required]).findall(target)):
            missing.append((wording.spelled, wording.required))
    return missing


def banned(text: str, glossary: Glossary | None, language: str) -> list[str]:
    """Give the words in *text* that the glossary bans from subtitles of *language*."""
    if glossary is None:
        return []
    wanted = language.lower()
    words = [
        word
        for tag, listed in glossary.banned.items()
        if wanted == tag.lower() or wanted.startswith(tag.lower() + "-")
        for word in listed
    ]
    return [word for word in words if spelled_as([word]).search(text)]


__all__ = ["Wording", "banned", "disobeyed", "spelled_as", "wordings"]
