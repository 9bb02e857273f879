"""What we made in a project: kept in the project itself, so that only ours is replaced or cleared.

Kdenlive gives guides, markers and subtitles no id, so the project keeps a list of them under
``kdenlive:docproperties.callboard``: by proposal, then by use. What a person changed no longer matches its line, and is
theirs from then on.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Final, NotRequired, TypedDict

import msgspec

from callboard_kdenlive.project import Project
from callboard_kdenlive.properties import drop, prop, put

NAME: Final = "kdenlive:docproperties.callboard"
Line = tuple[int, int, str]
"""Frame, category and comment of a marker."""


class Lost(TypedDict):
    """The clip in whose place a stand-in is."""

    ref: str
    """In the bin."""
    source_in: int
    """Frames into its source where it began."""
    source: str
    """The source of the track that it was from, as the file wrote it."""


class Standin(TypedDict):
    """Where a stand-in was put; times in frames."""

    clip: str
    track: str
    start: int
    length: int
    file: str
    out: str | None
    """The end of the track before."""
    lost: NotRequired[Lost]
    """Left out where there was a gap."""


class Relink(TypedDict):
    """What a clip showed before, and what we pointed it at."""

    was: str
    now: str
    head: NotRequired[int]
    """Frames of the file before what the stand-in's first became; what is shown was moved by so many."""


class Shown(TypedDict):
    """The file of the subtitle filter before us; nothing where we made the filter."""

    was: str | None


class Aside(TypedDict):
    """Cues in a file of their own language, because the project shows others."""

    language: str
    keys: list[str]


class Made(TypedDict, total=False):
    """What was made for one proposal at one use."""

    guides: list[Line]
    markers: list[Line]
    tags: list[str]
    description: str
    author: str
    subtitles: list[str]
    translated: str
    """The language of subtitles that are a translation."""
    aside: Aside
    placeholder: Standin
    relink: Relink
    filter: Shown


class Ledger:
    """The list, read from a project; ``save`` puts it back. One that cannot be read is an empty one."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.made: dict[str, dict[str, Made]] = {}
        with suppress(msgspec.MsgspecError, RecursionError):
            self.made = msgspec.json.decode(prop(project.bin, NAME) or "{}", type=dict[str, dict[str, Made]])

    def at(self, proposal: str, ref: str) -> Made:
        """Give what was made for a proposal at a use; it may be changed in place."""
        return self.made.setdefault(proposal, {}).setdefault(ref, {})

    def of(self, proposal: str) -> list[tuple[str, dict[str, Any]]]:
        """Give all that was made for a proposal, by use; changing it changes nothing here."""
        return [(ref, dict(made)) for ref, made in self.made.get(proposal, {}).items()]

    def strike(self, proposal: str, ref: str) -> None:
        """Take out what was made for a proposal at a use."""
        self.made.get(proposal, {}).pop(ref, None)

    def every(self, kind: str) -> list[tuple[str, str, Any]]:
        """Give everything of one kind: proposal, use, what was made."""
        places = [(p, r, dict(made)) for p, by_ref in self.made.items() for r, made in by_ref.items()]
        return [(p, r, made[kind]) for p, r, made in places if kind in made]

    def save(self) -> None:
        """Write the list into the project; an empty one goes."""
        kept = {p: {r: made for r, made in by_ref.items() if made} for p, by_ref in self.made.items()}
        kept = {p: by_ref for p, by_ref in kept.items() if by_ref}
        if kept:
            put(self._project.bin, NAME, json.dumps(kept, ensure_ascii=False, separators=(",", ":"), sort_keys=True))
        else:
            drop(self._project.bin, NAME)


__all__ = ["NAME", "Aside", "Ledger", "Line", "Lost", "Made", "Relink", "Standin"]
