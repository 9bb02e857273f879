"""Marks: what stands in a text for a masked piece, and how they are found again in what an engine wrote."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

_PROBE: Final = (12_345, 678)
_MOST: Final = 1000
"""Marks looked for where their text does not hold their number."""
_COMMON: Final = frozenset(".,;:!?¡¿'\"-–—()&%")


class Marks:
    """Writes the marks of one engine and finds them, whoever they belong to.

    Space inside a mark and another case of its letters are forgiven: engines split and capitalise what they do
    not know. The number must be the same.
    """

    def __init__(self, mark: Callable[[int], str]) -> None:
        self._mark = mark
        self._numbers: dict[str, int] = {}
        self.pattern = self._numbered() or self._listed()
        self.signs = frozenset(char for char in mark(0) if unicodedata.category(char)[0] in "SCP") - _COMMON
        """Characters of which marks are made, and ordinary texts are not: one that stands alone is a broken mark."""

    def __call__(self, number: int) -> str:
        """Give the mark with *number*, from 0."""
        return self._mark(number)

    def _numbered(self) -> re.Pattern[str] | None:
        shapes = []
        for probe in _PROBE:
            before, found, after = self._mark(probe).partition(str(probe))
            if not found or not (before or after):
                return None
            shapes.append((before, after))
        if shapes[0] != shapes[1]:
            return None
        before, after = (r"\s*".join(map(re.escape, part)) for part in shapes[0])
        left = r"\s*" if before else r"(?<!\d)"
        right = r"\s*" if after else r"(?!\d)"
        return re.compile(f"{before}{left}(\\d{{1,7}}){right}{after}", re.IGNORECASE)

    def _listed(self) -> re.Pattern[str]:
        self._numbers = {self._mark(number).casefold(): number for number in range(_MOST)}
        longest_first = sorted(self._numbers, key=len, reverse=True)
        return re.compile("(" + "|".join(map(re.escape, longest_first)) + ")", re.IGNORECASE)

    def find(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Give start, end and number of every mark in *text*, in order."""
        for found in self.pattern.finditer(text):
            number = self._numbers.get(found[1].casefold()) if self._numbers else int(found[1])
            if number is not None:
                yield found.start(), found.end(), number


__all__ = ["Marks"]
