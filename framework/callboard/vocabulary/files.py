"""A TOML file of many tables, such as a vocabulary or a glossary, read and checked by a person's measure.

Every problem is said at once, with the entry and the line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import Struct

from callboard.errors import CallboardError
from callboard.vocabulary.lines import Lines

Whole = TypeVar("Whole", bound=Struct)
Entry = TypeVar("Entry", bound=Struct)
_MOST: Final = 16 * 1024 * 1024
"""Bytes of a file; large published vocabularies have some ten thousand concepts in 2 MiB."""


class Problem(Struct, frozen=True):
    """Something wrong: *line* counts from 1, and is 0 where it is not known."""

    text: str
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class Layout(Generic[Whole, Entry]):
    """What the files of one sort hold."""

    whole: type[Whole]
    entry: type[Entry]
    table: str
    """The key of the entries."""
    word: str
    """What a person calls one entry."""
    named_by: tuple[str, ...]
    """The keys by which an entry is named in a problem, the best first."""
    complete: Callable[[Whole, Sequence[Entry]], Whole]
    """Put the entries into what the other keys gave."""
    check: Callable[[Whole, Lines], Iterator[Problem]]
    """Say everything that is wrong between the entries."""
    error: Callable[[str, tuple[str, ...]], CallboardError]
    """Make the error of a file's name and its problems."""

    def load(self, path: Path) -> Whole:
        """Read and check a file.

        Raises:
            CallboardError: it says what it must not: what ``error`` makes.
            OSError: it cannot be read.
        """
        if path.stat().st_size > _MOST:
            raise self.error(str(path), (f"it is larger than {_MOST // 2**20} MiB",))
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise self.error(str(path), (f"it is not UTF-8: {error.reason} at byte {error.start}",)) from None
        return self.parse(text, str(path))

    def parse(self, text: str, name: str) -> Whole:
        """Make what a file's text says; *name* is told in errors.

        Raises:
            CallboardError: see ``load``.
        """
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise self.error(name, (str(error),)) from None
        lines = Lines(text, self.table)
        problems: list[Problem] = []
        whole = self._convert(document, lines, problems)
        if whole is not None and not problems:
            problems = list(self.check(whole, lines))
        if whole is None or problems:
            raise self.error(name, tuple(f"line {p.line}: {p.text}" if p.line else p.text for p in problems))
        return whole

    def _convert(self, document: dict[str, Any], lines: Lines, problems: list[Problem]) -> Whole | None:
        """Turn plain values into structs, entry by entry, so that each problem finds its line."""
        known = {field.encode_name for field in msgspec.structs.fields(self.whole)}
        problems += (
            Problem(f"unknown key {key!r}; there are {', '.join(sorted(known))}") for key in document.keys() - known
        )
        given = document.pop(self.table, [])
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            problems[:] = [Problem(f"{self.word}s must be [[{self.table}]] tables")]
            return None
        entries: list[Entry] = []
        for number, one in enumerate(given):
            try:
                entries.append(msgspec.convert(one, self.entry))
            except msgspec.ValidationError as error:
                called = next((one[key] for key in self.named_by if one.get(key)), f"number {number + 1}")
                problems.append(Problem(f"{self.word} {str(called)!r}: {error}", lines.header(number)))
        try:
            rest = msgspec.convert({key: value for key, value in document.items() if key in known}, self.whole)
        except msgspec.ValidationError as error:
            problems.append(Problem(str(error)))
            return None
        return self.complete(rest, entries)


__all__ = ["Layout", "Problem"]
