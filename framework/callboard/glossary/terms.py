"""What a glossary says."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

from callboard_schemas.events import Language
from msgspec import Meta, Struct, field

from callboard.shelf import Digested

Text = Annotated[str, Meta(min_length=1, max_length=200)]
MODEL = "glossary"
"""The name under which a glossary's digest stands among the models of a job."""


class Term(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A name or a term."""

    text: Text
    """As it is to be written."""
    language: Language | None = None
    """Of *text*; nothing holds for every language."""
    id: str = ""
    """What results name it by; made of *text* where it is empty."""
    variants: tuple[Text, ...] = ()
    """Spellings that are to become *text*."""
    sounds_like: tuple[Text, ...] = ()
    """Hints in ordinary letters, such as ``shiv-awn`` for Siobhan."""
    keep: bool = False
    """Never translated."""
    translations: dict[Language, Text] = {}
    """What it is called in other languages: required there."""
    case: bool = False
    """Whether upper and lower case tell it from an ordinary word (``Will``, ``May``)."""
    note: str = ""

    def speaks(self, language: str) -> bool:
        """Say whether it holds in texts of *language*; an empty one is any."""
        return not language or self.language is None or primary(self.language) == primary(language)

    def called(self, language: str) -> str | None:
        """Give what it must be called in *language*, itself where it is kept; ``None`` leaves it to the translator.

        ``pt-BR`` is looked for as such, then as ``pt``; ``pt`` takes the first of its regions where there is no other.
        """
        if self.keep:
            return self.text
        by_tag = {tag.lower(): text for tag, text in self.translations.items()}
        wanted = language.lower()
        if (found := by_tag.get(wanted) or by_tag.get(primary(wanted))) is not None or "-" in wanted:
            return found
        return next((text for tag, text in by_tag.items() if primary(tag) == wanted), None)


class Glossary(Digested, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Every term of a project, and words that must not be used. Made by ``parse`` or ``load``, which check it."""

    term: tuple[Term, ...] = ()
    banned: dict[Language, tuple[Text, ...]] = field(default_factory=dict)
    """Words by language that must not be in subtitles of it."""
    synopsis: str = ""
    """What the film is about, for engines that can use it."""

    @cached_property
    def _by_id(self) -> dict[str, Term]:
        return {term.id: term for term in self.term}

    def get(self, ident: str) -> Term | None:
        """Give the term with this id."""
        return self._by_id.get(ident)

    def of(self, language: str) -> tuple[Term, ...]:
        """Give the terms that hold in texts of *language*."""
        return tuple(term for term in self.term if term.speaks(language))


def primary(language: str) -> str:
    """Give the language of a BCP 47 tag without region and script, in lower case."""
    return language.partition("-")[0].lower()


__all__ = ["MODEL", "Glossary", "Term", "Text", "primary"]
