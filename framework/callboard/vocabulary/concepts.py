"""A vocabulary in memory: concepts with their words, found by any of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated

from msgspec import Meta, Struct

from callboard.shelf import Digested
from callboard.vocabulary.words import fold

Word = Annotated[str, Meta(min_length=1, max_length=200)]
Share = Annotated[float, Meta(ge=0, le=1)]
Tongue = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
"""A BCP 47 language tag."""
MODEL = "vocabulary"
"""The name under which a vocabulary's digest stands among the models of a job."""


class Words(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A concept's words in one language."""

    label: Word | None = None
    synonyms: tuple[Word, ...] = ()


class Concept(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One thing that media is tagged with."""

    id: Annotated[str, Meta(pattern=r"^[^\s|<>{}\[\]]{1,200}$")]
    label: Word
    parent: str = ""
    """Id of the concept above it."""
    synonyms: tuple[Word, ...] = ()
    languages: dict[Tongue, Words] = {}
    prompts: tuple[Annotated[str, Meta(min_length=1, max_length=400)], ...] = ()
    """Sentences that describe it to a model of pictures and texts."""
    threshold: Share | None = None
    """Score from which a tag of any method counts."""
    thresholds: dict[str, Share] = {}
    """The same for single methods, such as ``{clip = 0.4}``; they come before ``threshold``."""
    analysers: tuple[str, ...] = ()
    """Methods that it listens to; empty means all."""
    category: bool = False
    """It only orders others: it is part of their path, and never a tag itself."""
    note: str = ""
    """What it covers and what it does not, for people."""


class Vocabulary(Digested, frozen=True, kw_only=True, omit_defaults=True):
    """A studio's own words. Made by ``parse`` or ``load``, which check it; treat it as a constant."""

    concepts: tuple[Concept, ...] = ()
    never: tuple[str, ...] = ()
    """Words that no tag may have."""
    language: str = ""
    """Language in which tags are written; empty takes each concept's ``label``."""
    strict: bool = False
    """Drop what is no concept."""

    @cached_property
    def _by_id(self) -> dict[str, Concept]:
        return {concept.id: concept for concept in self.concepts}

    @cached_property
    def _by_word(self) -> dict[str, Concept]:
        return {fold(word): concept for concept in self.concepts for word in words_of(concept)}

    @cached_property
    def _never(self) -> frozenset[str]:
        return frozenset(map(fold, self.never))

    def get(self, ident: str) -> Concept | None:
        """Give the concept with this id."""
        return self._by_id.get(ident)

    def find(self, text: str) -> Concept | None:
        """Find the concept that has *text* among its labels and synonyms, in any language."""
        return self._by_word.get(fold(text))

    def label(self, ident: str) -> str:
        """Give a concept's label in the vocabulary's language.

        Raises:
            KeyError: no concept has this id.
        """
        concept = self._by_id[ident]
        own = concept.languages.get(self.language)
        return own.label if own is not None and own.label else concept.label

    def path(self, ident: str) -> tuple[str, ...]:
        """Give the labels of the concepts above one, outermost first, without its own.

        Raises:
            KeyError: no concept has this id.
        """
        above: list[str] = []
        concept = self._by_id[ident]
        while concept.parent:
            above.append(self.label(concept.parent))
            concept = self._by_id[concept.parent]
        return tuple(reversed(above))

    def threshold(self, ident: str, method: str = "") -> float | None:
        """Give the score from which a concept counts for a method; ``None`` leaves it to the method.

        Raises:
            KeyError: no concept has this id.
        """
        concept = self._by_id[ident]
        return concept.thresholds.get(method, concept.threshold)

    def banned(self, text: str) -> bool:
        """Say whether a word must never be a tag."""
        return fold(text) in self._never


def words_of(concept: Concept) -> Iterator[str]:
    """Give every label and synonym of a concept, in all languages."""
    yield concept.label
    yield from concept.synonyms
    for words in concept.languages.values():
        if words.label:
            yield words.label
        yield from words.synonyms


__all__ = ["MODEL", "Concept", "Vocabulary", "Words", "words_of"]
