"""Tags turned into a vocabulary's concepts."""

from __future__ import annotations

from collections.abc import Sequence

from callboard_schemas import Evidence, Tag
from msgspec.structs import replace

from callboard.vocabulary.concepts import Concept, Vocabulary

_FACTS = ("technical",)
"""First group of tags that say what the container says: they are facts, not words that were chosen."""


def resolve(tags: Sequence[Tag], vocabulary: Vocabulary | None) -> tuple[Tag, ...]:
    """Say *tags* in the words of *vocabulary*.

    A tag whose label or synonym is a concept's gets that concept's label, its path as group, and its id. What one
    method says of one concept becomes one tag: best score, all evidence. A tag below its concept's threshold goes, and
    so do words never to use. Others stay, unless the vocabulary is strict. Technical facts keep their words.

    Args:
        tags: In any order; those that are resolved already stay so.
        vocabulary: ``None`` changes nothing.

    Returns:
        Tags in the order in which each concept or word first came.
    """
    if vocabulary is None:
        return tuple(tags)
    kept: list[Tag] = []
    places: dict[tuple[str, str], int] = {}
    for tag in tags:
        named = _named(tag, vocabulary)
        if named is None or vocabulary.banned(named.label):
            continue
        key = (named.concept, named.method)
        if named.concept and key in places:
            kept[places[key]] = _merge(kept[places[key]], named)
            continue
        places[key] = len(kept)
        kept.append(named)
    return tuple(kept)


def _named(tag: Tag, vocabulary: Vocabulary) -> Tag | None:
    """Give a tag its concept's words; ``None`` when it goes."""
    if tag.group[:1] == _FACTS:
        return tag
    concept = _concept(tag, vocabulary)
    if concept is None:
        return None if vocabulary.strict else replace(tag, concept="")
    least = vocabulary.threshold(concept.id, tag.method)
    if concept.category or (least is not None and tag.score < least):
        return None
    return replace(
        tag,
        label=vocabulary.label(concept.id),
        group=vocabulary.path(concept.id),
        concept=concept.id,
        threshold=tag.threshold if least is None else least,
    )


def _concept(tag: Tag, vocabulary: Vocabulary) -> Concept | None:
    found = (vocabulary.get(tag.concept) if tag.concept else None) or vocabulary.find(tag.label)
    if found is None or (found.analysers and tag.method not in found.analysers):
        return None
    return found


def _merge(one: Tag, other: Tag) -> Tag:
    """Join two tags of one concept and method: the surer one, with the evidence of both and no more of a guess."""
    best, rest = (one, other) if one.score >= other.score else (other, one)
    evidence: dict[Evidence, None] = dict.fromkeys((*best.evidence, *rest.evidence))
    return replace(best, evidence=tuple(evidence), guess=one.guess and other.guess)


__all__ = ["resolve"]
