"""``glossary.toml`` read and checked: every problem is said at once, with the term and the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from callboard.errors import GlossaryError
from callboard.glossary.terms import Glossary, Term, primary
from callboard.known_types import know
from callboard.vocabulary.files import Layout, Problem
from callboard.vocabulary.lines import Lines
from callboard.vocabulary.words import slug


def load(path: Path) -> Glossary:
    """Read and check a glossary file.

    Raises:
        GlossaryError: it says what it must not; each problem names its term and its line.
        OSError: it cannot be read.
    """
    return _LAYOUT.load(path)


def parse(text: str, name: str = "glossary.toml") -> Glossary:
    """Make a glossary of a file's text, every term with an id; *name* is told in errors.

    Raises:
        GlossaryError: see ``load``.
    """
    return _LAYOUT.parse(text, name)


def named_terms(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Give an id to each term without one: its text, and its language where another term has that text."""
    taken = {term.id for term in terms if term.id}
    named: list[Term] = []
    for term in terms:
        ident = term.id
        if not ident:
            plain = slug(term.text)
            ident = f"{plain}-{term.language.lower()}" if plain in taken and term.language else plain
            ident = next(name for name in chain((ident,), (f"{ident}-{n}" for n in count(2))) if name not in taken)
            taken.add(ident)
        named.append(replace(term, id=ident))
    return tuple(named)


def check(glossary: Glossary, lines: Lines | None = None) -> Iterator[Problem]:
    """Say everything that is wrong between the terms of a glossary."""
    lines = lines or Lines("", "term")
    yield from _check_ids(glossary, lines)
    yield from _check_spellings(glossary, lines)
    for number, term in enumerate(glossary.term):
        for problem, word in _within(term):
            yield Problem(f"term {term.text!r}: {problem}", lines.word(number, word))
    yield from _check_banned(glossary, lines)


def _check_ids(glossary: Glossary, lines: Lines) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for number, term in enumerate(glossary.term):
        if term.id in seen:
            where = lines.header(seen[term.id])
            first = f", first on line {where}" if where else ""
            yield Problem(f"term {term.text!r}: the id {term.id!r} is there twice{first}", lines.header(number))
        seen.setdefault(term.id, number)


def _check_spellings(glossary: Glossary, lines: Lines) -> Iterator[Problem]:
    """Find spellings that would have to become two different texts in one language."""
    owners: dict[str, list[tuple[int, Term]]] = {}
    for number, term in enumerate(glossary.term):
        for word in dict.fromkeys((term.text, *term.variants)):
            key = spelling(word)
            for other_number, other in owners.get(key, []):
                if other_number != number and _meet(term, other):
                    what = f"{word!r} is already written {other.text!r}"
                    where = lines.header(other_number)
                    told = f"{what}, for the term on line {where}" if where else what
                    yield Problem(f"term {term.text!r}: {told}", lines.word(number, word))
            owners.setdefault(key, []).append((number, term))


def _meet(one: Term, other: Term) -> bool:
    return one.language is None or other.language is None or primary(one.language) == primary(other.language)


def _within(term: Term) -> Iterator[tuple[str, str]]:
    """Give what is wrong with one term, and the word that shows where."""
    for word in (term.text, *term.variants, *term.sounds_like, *term.translations.values()):
        if not any(char.isalnum() for char in word):
            yield f"{word!r} has no letter", word
        elif word != " ".join(word.split()) or not word.isprintable():
            yield f"{word!r} has blanks or signs that no subtitle shows", word
    for word in term.variants:
        if word == term.text:
            yield f"the variant {word!r} is the term itself", word
    for tongue, text in term.translations.items():
        if term.keep and text != term.text:
            yield f"it is never translated, and is {text!r} in {tongue}", text
        if term.language is not None and tongue.lower() == term.language.lower():
            yield f"{tongue} is its own language: put {text!r} among its variants, or leave it out", text


def _check_banned(glossary: Glossary, lines: Lines) -> Iterator[Problem]:
    for tongue, words in glossary.banned.items():
        seen: set[str] = set()
        for word in words:
            key = spelling(word)
            if not any(char.isalnum() for char in word):
                yield Problem(f"banned.{tongue}: {word!r} has no letter", lines.find(word))
            if key in seen:
                yield Problem(f"banned.{tongue}: {word!r} is there twice", lines.find(word))
            seen.add(key)
        for number, term in enumerate(glossary.term):
            must = term.called(tongue) or (term.text if term.language and _same(term.language, tongue) else None)
            if must is not None and spelling(must) in seen:
                yield Problem(
                    f"term {term.text!r}: {must!r} must be used in {tongue}, and is banned there",
                    lines.word(number, must),
                )


def _same(one: str, other: str) -> bool:
    return primary(one) == primary(other)


def spelling(text: str) -> str:
    """Give the form in which two spellings are one: without regard to case and blanks, with accents."""
    return " ".join(text.casefold().split())


_LAYOUT: Final = Layout(
    whole=Glossary,
    entry=Term,
    table="term",
    word="term",
    named_by=("text", "id"),
    complete=lambda rest, terms: replace(rest, term=named_terms(terms)),
    check=check,
    error=GlossaryError,
)
know(Term, Glossary)

__all__ = ["check", "load", "named_terms", "parse", "spelling"]
