"""A result in a few words, for tables and feeds."""

from __future__ import annotations

from callboard_schemas import Captions, Placeholder, Tags, Translation

from callboard.cli.output import plain


def summary(body: object) -> str:
    """Say a result in a few words."""
    if isinstance(body, Captions):
        first = " / ".join(body.cues[0].lines) if body.cues else "no speech"
        return f"{_count(len(body.cues), 'cue')} ({body.language}): {plain(first)[:60]}"
    if isinstance(body, Tags):
        return f"{_count(len(body.items), 'tag')}: " + plain(", ".join(tag.label for tag in body.items[:6]))
    if isinstance(body, Translation):
        return f"{_count(len(body.cues), 'cue')}, {body.source_language} to {body.language}"
    if isinstance(body, Placeholder):
        return f"placeholder for {plain(body.shot)} by {body.generator}"
    return "nothing to show"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


__all__ = ["summary"]
