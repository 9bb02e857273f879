"""A result in a few words, for tables and feeds."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from callboard_schemas import Captions, Placeholder, Tags, Translation

from callboard.cli.output import count, plain
from callboard.tagwise import kept

_ROOM = 64
"""Characters for what is quoted of a result."""


def summary(body: object, without: Sequence[str] = ()) -> str:
    """Say a result in a few words; of tags, those that stand."""
    if isinstance(body, Captions):
        if not body.cues:
            return "no speech"
        said = plain(" ".join(" ".join(cue.lines) for cue in body.cues[:4]))
        return f"{count(len(body.cues), 'cue')} ({body.language}): {_short(said)}"
    if isinstance(body, Tags):
        standing = msgspec.structs.replace(body, items=kept(body.items, without))
        return f"{count(len(standing.items), 'tag')}: " + labels(standing)
    if isinstance(body, Translation):
        return f"{count(len(body.cues), 'cue')}, {body.source_language} to {body.language}"
    if isinstance(body, Placeholder):
        return f"placeholder for {plain(body.shot)} by {body.generator}"
    return "nothing to show"


def _short(text: str) -> str:
    return text if len(text) <= _ROOM else text[: _ROOM - 1].rstrip() + "…"


def labels(tags: Tags) -> str:
    """List labels while there is room: what is seen and heard first, technical facts last."""
    shown = ""
    for tag in sorted(tags.items, key=lambda tag: tag.group[:1] == ("technical",)):
        longer = f"{shown}, {plain(tag.label)}" if shown else plain(tag.label)
        if shown and len(longer) > _ROOM:
            return f"{shown}, …"
        shown = longer
    return _short(shown)


__all__ = ["labels", "summary"]
