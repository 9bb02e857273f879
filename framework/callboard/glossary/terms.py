"""What a glossary says."""

from __future__ import annotations

from typing import Annotated

from callboard_schemas.events import Language
from msgspec import Meta, Struct

Text = Annotated[str, Meta(min_length=1, max_length=200)]


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


class Glossary(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Every term of a project, and words that must not be used."""

    term: tuple[Term, ...] = ()
    banned: dict[Language, tuple[Text, ...]] = {}
    """Words by language that must not be in subtitles of it."""
    synopsis: str = ""
    """What the film is about, for engines that can use it."""


__all__ = ["Glossary", "Term", "Text"]
