"""``vocabulary.toml`` read and checked: every problem is said at once, with the concept and the line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from callboard.errors import VocabularyError
from callboard.known_types import know
from callboard.vocabulary.concepts import Concept, Vocabulary, words_of
from callboard.vocabulary.files import Layout, Problem
from callboard.vocabulary.lines import Lines
from callboard.vocabulary.words import fold


def load(path: Path) -> Vocabulary:
    """Read and check a vocabulary file.

    Raises:
        VocabularyError: it says what it must not; each problem names its concept and its line.
        OSError: it cannot be read.
    """
    return _LAYOUT.load(path)


def parse(text: str, name: str = "vocabulary.toml") -> Vocabulary:
    """Make a vocabulary of a file's text; *name* is told in errors.

    Raises:
        VocabularyError: see ``load``.
    """
    return _LAYOUT.parse(text, name)


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


_LAYOUT: Final = Layout(
    whole=Vocabulary,
    entry=Concept,
    table="concepts",
    word="concept",
    named_by=("id", "label"),
    complete=lambda rest, concepts: replace(rest, concepts=tuple(concepts)),
    check=check,
    error=VocabularyError,
)
know(Concept, Vocabulary)

__all__ = ["check", "load", "parse"]
