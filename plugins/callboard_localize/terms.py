"""The glossary as a translation needs it: what must be called what, what stays, and what must not be said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from callboard.glossary import Glossary, banned, find, obeyed

_POSSESSIVE = re.compile(r"['’]s?$")


class Terms:
    """The terms that hold from one language into another, and words that stay as they are, such as names."""

    def __init__(self, source: str, target: str, glossary: Glossary | None = None, names: Iterable[str] = ()) -> None:
        self.source, self.target = source, target
        self.glossary = glossary
        kept = "|".join(re.escape(name) for name in sorted(set(names), key=len, reverse=True))
        self._names = re.compile(rf"(?<!\w)(?:{kept})(?!\w)") if kept else None

    def spans(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Give where terms stand in a text of the source language, and what each must become; none overlap.

        An ending such as a possessive's is left to the engine.
        """
        taken: list[tuple[int, int]] = []
        for found in find(text, self.glossary, self.source):
            required = self._required(found.term)
            if required is None:
                continue
            end = found.end - len((_POSSESSIVE.search(found.text) or [""])[0])
            taken.append((found.start, end))
            yield found.start, end, _in_case(text[found.start : end], required)
        for name in self._names.finditer(text) if self._names is not None else ():
            if not any(name.start() < end and name.end() > start for start, end in taken):
                yield name.start(), name.end(), name[0]

    def _required(self, ident: str) -> str | None:
        term = self.glossary.get(ident) if self.glossary is not None else None
        return term.called(self.target) if term is not None else None

    def said_in(self, text: str) -> dict[str, str]:
        """Give the terms that a text of the source language holds, and what they must become."""
        found = {text[start:end]: required for start, end, required in self.spans(text)}
        return {spelled: required for spelled, required in found.items() if spelled != required}

    def breaches(self, said: str, came: str) -> Iterator[str]:
        """Say which terms of a source its translation does not have as it must, and which banned words it has."""
        for breach in obeyed(said, came, self.glossary, self.source, self.target):
            yield f"glossary: {breach.source!r} must be {breach.wanted!r}"
        for word in banned(came, self.glossary, self.target):
            yield f"banned word: {word.text!r}"

    def inflected(self, said: str) -> Iterator[str]:
        """Say which terms stand in a source with an ending, which what they must become does not have."""
        for found in find(said, self.glossary, self.source):
            term = self.glossary.get(found.term) if self.glossary is not None else None
            told = _POSSESSIVE.sub("", found.text).casefold()
            if term is None or self._required(found.term) in (None, term.text):
                continue
            if told not in {spelled.casefold() for spelled in (term.text, *term.variants)}:
                yield f"glossary: {found.text!r} became {self._required(found.term)!r}, which may want an ending"


def _in_case(found: str, required: str) -> str:
    """Write *required* in capitals where the source does."""
    return required.upper() if len(found) > 3 and found.isupper() and not required.isupper() else required


__all__ = ["Terms"]
