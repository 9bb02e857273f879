"""What is looked for in pictures: a studio's own concepts, or a small film vocabulary, with sentences."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from callboard.known_types import know
from msgspec import Struct

if TYPE_CHECKING:
    from callboard.vocabulary import Vocabulary

METHOD: Final = "clip"
TEMPLATES: Final = ("a photo of {}", "a frame of a film that shows {}", "a video still of {}")
"""Sentences made of a label that has none: an average of several is steadier than one (Radford et al. 2021, 3.1.4)."""
ELSE: Final = (
    "a photo",
    "a frame of a film",
    "a blurred picture",
    "a photo of something else",
    "a plain background",
    "a close-up of a surface",
)
"""What a picture may show instead, where the concept does not say."""


class Sight(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One concept to look for."""

    id: str
    label: str
    group: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    """Sentences; without any, some are made of *word*."""
    word: str = ""
    """Empty is the label: which may be in another language than the model's."""
    against: tuple[str, ...] = ELSE
    """Sentences of what a picture may show instead."""
    threshold: float | None = None
    concept: str = ""
    """Id in the project's vocabulary."""


class _List(Struct, forbid_unknown_fields=True):
    concepts: tuple[Sight, ...]


def film_sights() -> tuple[Sight, ...]:
    """Give the small film vocabulary that comes with the plugin."""
    raw = tomllib.loads(Path(__file__).with_name("concepts.toml").read_text("utf-8"))
    return msgspec.convert(raw, _List).concepts


def sights_of(vocabulary: Vocabulary | None) -> tuple[Sight, ...]:
    """Give what to look for: a project's own concepts, else the small film vocabulary.

    Categories are left out, and concepts that do not listen to the method ``clip``.
    """
    if vocabulary is None or not vocabulary.concepts:
        return film_sights()
    return tuple(
        Sight(
            id=concept.id,
            label=vocabulary.label(concept.id),
            group=vocabulary.path(concept.id),
            word=concept.label,
            prompts=concept.prompts,
            threshold=vocabulary.threshold(concept.id, METHOD),
            concept=concept.id,
        )
        for concept in vocabulary.concepts
        if not concept.category and (not concept.analysers or METHOD in concept.analysers)
    )


know(_List)

__all__ = ["ELSE", "METHOD", "TEMPLATES", "Sight", "film_sights", "sights_of"]
