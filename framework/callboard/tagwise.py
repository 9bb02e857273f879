"""Single tags of a proposal: which of them stand, and which a person means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from callboard_schemas import Proposal, Tag, Tags

from callboard.errors import UsageError
from callboard.vocabulary import fold

_LISTED = 40
"""Tags named in an error; more would not fit on a screen."""


def kept(items: Sequence[Tag], without: Iterable[str]) -> tuple[Tag, ...]:
    """Give the tags that stand: those whose label is not among *without*."""
    left_out = set(without)
    return tuple(tag for tag in items if tag.label not in left_out)


def kept_text(text: str, without: Iterable[str]) -> str:
    """Give a description without the sentences that name one of the tags *without*."""
    words = [re.escape(fold(word)) for word in without]
    if not words:
        return text
    named = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)")
    sentences = re.split(r"(?<=[.!?;])\s+", text)
    return " ".join(sentence for sentence in sentences if not named.search(fold(sentence)))


def meant(
    proposals: Sequence[Proposal], words: Sequence[str], *, also_before: bool = False
) -> Mapping[str, tuple[str, ...]]:
    """Find the tags that a person means, by label (however written) or by the id of a concept.

    Args:
        proposals: Where to look.
        words: Labels or ids of concepts.
        also_before: Add what each proposal was accepted without before.

    Returns:
        For each proposal's id the labels among its tags that *words* name, each once, in the order of the tags.

    Raises:
        UsageError: a word names no tag of any of them, none of them has tags, or nothing would be left of one.
    """
    if words and proposals and not any(isinstance(one.body, Tags) for one in proposals):
        whole = " ".join(one.id for one in proposals)
        raise UsageError(
            " and ".join(f"{one.id} has {one.result} and no tags" for one in proposals),
            f"Decide on the whole: 'callboard accept {whole}' or 'callboard reject {whole}'.",
        )
    known: dict[str, tuple[str, ...]] = {}
    named: set[str] = set()
    for proposal in proposals:
        items = proposal.body.items if isinstance(proposal.body, Tags) else ()
        labels = dict.fromkeys(proposal.without if also_before else ())
        for tag in items:
            hits = {word for word in words if word == tag.concept or fold(word) == fold(tag.label)}
            named |= hits
            if hits:
                labels[tag.label] = None
        if items and not kept(items, labels):
            raise UsageError(
                f"nothing would be left of {proposal.id}", f"Reject the whole with 'callboard reject {proposal.id}'."
            )
        known[proposal.id] = tuple(labels)
    strange = [word for word in words if word not in named]
    if strange:
        raise UsageError(f"no tag {strange[0]!r} in {', '.join(known)}", f"The tags are: {_listed(proposals)}.")
    return known


def _listed(proposals: Sequence[Proposal]) -> str:
    labels = list(
        dict.fromkeys(
            tag.label for proposal in proposals if isinstance(proposal.body, Tags) for tag in proposal.body.items
        )
    )
    shown = ", ".join(labels[:_LISTED])
    return f"{shown}, and {len(labels) - _LISTED} more" if len(labels) > _LISTED else shown or "none"


__all__ = ["kept", "kept_text", "meant"]
