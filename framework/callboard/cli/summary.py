"""A result in a few words, for tables and feeds."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from callboard_schemas import Captions, Cue, Placeholder, Swap, Tags, Translation

from callboard.cli.output import count, plain
from callboard.cuewise import kept_cues
from callboard.shots.words import line
from callboard.tagwise import kept

_ROOM = 64
"""Characters for what is quoted of a result."""


def summary(body: object, without: Sequence[str] = ()) -> str:
    """Say a result in a few words; of tags and cues, those that stand."""
    if isinstance(body, Captions):
        if not body.cues:
            return "no speech"
        cues = kept_cues(body.cues, without)
        said = plain(" ".join(" ".join(cue.lines) for cue in cues[:4]))
        return f"{count(len(cues), 'cue')} ({body.language}){_doubtful(cues)}: {_short(said)}"
    if isinstance(body, Tags):
        standing = msgspec.structs.replace(body, items=kept(body.items, without))
        return f"{count(len(standing.items), 'tag')}: " + labels(standing)
    if isinstance(body, Translation):
        return _translated(body, without)
    if isinstance(body, Placeholder | Swap):
        return plain(line(body))
    return "nothing to show"


def _translated(body: Translation, without: Sequence[str]) -> str:
    cues = kept_cues(body.cues, without)
    parts = [f"{count(len(cues), 'cue')}{_doubtful(cues)}"] if body.cues else []
    parts += ["the description"] if body.description else []
    parts += [count(len(body.labels), "text")] if body.labels else []
    return f"{', '.join(parts) or 'nothing'}, {body.source_language} to {body.language}"


def _doubtful(cues: Sequence[Cue]) -> str:
    """Say how many cues must not ship unseen."""
    failed = sum(bool(cue.failed) for cue in cues)
    return f" with {failed} to look at first" if failed else ""


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
