"""What a rule finds, before it is told."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

SLACK: Final = 0.0015
"""Seconds that the length of a cue may be off because its times were written in whole milliseconds."""


class Found(NamedTuple):
    """A breach of a rule by the cue at one place of the list."""

    at: int
    """From 0."""
    rule: str
    message: str
    value: float | None = None
    limit: float | None = None
    line: int = 0
    """Of the cue, from 0."""
    severity: Literal["error", "warning"] | None = None
    """Where it is another than the rule's."""


__all__ = ["SLACK", "Found"]
