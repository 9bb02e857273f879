"""``vocabulary.toml`` read and checked: every problem is said at once, with the concept and the line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from callboard.errors import VocabularyError
from callboard.known_types import know
from callboard.vocabulary.concepts import Concept, Vocabulary, words_of
from callboard.vocabulary.lines import Lines
from callboard.vocabulary.words import fold

_KEYS = {"concepts", "never", "language", "strict"}
_MOST = 16 * 1024 * 1024
"""Bytes of a vocabulary file; large published ones have some ten thousand concepts in 2 MiB."""


class Problem(Struct, frozen=True):
    """Something wrong: *line* counts from 1, and is 0 where it is not known."""

    text: str
    line: int = 0


def load(path: Path) -> Vocabulary:
    """Read and check a vocabulary file.

    Raises:
        VocabularyError: it says what it must not; each problem names its concept and its line.
        OSError: it cannot be read.
    """
    if path.stat().st_size > _MOST:
        raise VocabularyError(str(path), (f"it is larger than {_MOST // 2**20} MiB",))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise VocabularyError(str(path), (f"it is not UTF-8: {error.reason} at byte {error.start}",)) from None
    return parse(text, str(path))


def parse(text: str, name: str = "vocabulary.toml") -> Vocabulary:
    """Make a vocabulary of a file's text; *name* is told in errors.

    Raises:
        VocabularyError: see ``load``.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise VocabularyError(name, (str(error),)) from None
    lines = Lines(text)
    vocabulary, problems = _convert(document, lines)
    if not problems:
        problems = list(check(vocabulary, lines))
    if problems:
        raise VocabularyError(name, tuple(f"line {p.line}: {p.text}" if p.line else p.text for p in problems))
    return vocabulary


def _convert(document: dict[str, Any], lines: Lines) -> tuple[Vocabulary, list[Problem]]:
    """Turn plain values into structs, concept by concept, so that each problem finds its line."""
    problems = [
        Problem(f"unknown key {key!r}; there are {', '.join(sorted(_KEYS))}") for key in document.keys() - _KEYS
    ]
    given = document.pop("concepts", [])
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        return Vocabulary(), [Problem("concepts must be [[concepts]] tables")]
    concepts: list[Concept] = []
    for number, one in enumerate(given):
        try:
            concepts.append(msgspec.convert(one, Concept))
        except msgspec.ValidationError as error:
            named = repr(str(one.get("id") or one.get("label") or f"number {number + 1}"))
            problems.append(Problem(f"concept {named}: {error}", lines.header(number)))
    try:
        rest = msgspec.convert({key: value for key, value in document.items() if key in _KEYS}, Vocabulary)
    except msgspec.ValidationError as error:
        return Vocabulary(), [*problems, Problem(str(error))]
    return msgspec.structs.replace(rest, concepts=tuple(concepts)), problems


def check(vocabulary: Vocabulary, lines: Lines | None = None) -> Iterator[Problem]:
    """Say everything that is wrong between the concepts of a vocabulary."""
    lines = lines or Lines("")
    yield from _check_ids(vocabulary, lines)
    yield from _check_words(vocabulary, lines)
    yield from _check_parents(vocabulary, lines)
    for word in vocabulary.never:
        if not fold(word):
            yield Problem("never: an empty word")


def _check_ids(vocabulary: Vocabulary, lines: Lines) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for number, concept in enumerate(vocabulary.concepts):
        if concept.id in seen:
            where = lines.header(seen[concept.id])
            first = f", first on line {where}" if where else ""
            yield Problem(f"concept {concept.id!r}: its id is there twice{first}", lines.word(number, concept.id))
        seen.setdefault(concept.id, number)


def _check_words(vocabulary: Vocabulary, lines: Lines) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for number, concept in enumerate(vocabulary.concepts):
        for word in words_of(concept):
            folded, line = fold(word), lines.word(number, word)
            if not folded:
                yield Problem(f"concept {concept.id!r}: an empty word", line)
                continue
            other = owners.setdefault(folded, concept.id)
            if other != concept.id:
                yield Problem(f"concept {concept.id!r}: {word!r} already means {other!r}", line)
        if not concept.category and vocabulary.banned(concept.label):
            yield Problem(f"concept {concept.id!r}: its label is among the words never to use", lines.header(number))


def _check_parents(vocabulary: Vocabulary, lines: Lines) -> Iterator[Problem]:
    parents = {concept.id: concept.parent for concept in vocabulary.concepts}
    told: set[str] = set()
    for number, concept in enumerate(vocabulary.concepts):
        if concept.parent and concept.parent not in parents:
            line = lines.word(number, concept.parent)
            yield Problem(f"concept {concept.id!r}: no concept has the id of its parent, {concept.parent!r}", line)
        way = [concept.id]
        while (above := parents.get(way[-1], "")) and above not in way:
            way.append(above)
        if above == concept.id and not told & set(way):
            told |= set(way)
            yield Problem(
                f"concept {concept.id!r}: it is above itself: {' < '.join([*way, above])}", lines.header(number)
            )


know(Concept, Vocabulary)

__all__ = ["Problem", "check", "load", "parse"]
