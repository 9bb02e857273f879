"""What we made in a project: kept in the project itself, so that only ours is replaced or cleared.

Kdenlive gives guides, markers and subtitles no id, so the project keeps a list of them under
``kdenlive:docproperties.callboard``: by proposal, then by use. What a person changed no longer matches its line, and is
theirs from then on.
"""

from __future__ import annotations

import json
from typing import Any, Final

from callboard_kdenlive.project import Project
from callboard_kdenlive.properties import drop, prop, put

NAME: Final = "kdenlive:docproperties.callboard"
Made = dict[str, Any]
"""What was made for one proposal at one use, by kind: plain JSON."""


class Ledger:
    """The list, read from a project; ``save`` puts it back."""

    def __init__(self, project: Project) -> None:
        self._project = project
        try:
            read = json.loads(prop(project.bin, NAME) or "{}")
        except ValueError:
            read = {}
        known = read if isinstance(read, dict) else {}
        self.made: dict[str, dict[str, Made]] = {
            proposal: {ref: made for ref, made in by_ref.items() if isinstance(made, dict)}
            for proposal, by_ref in known.items()
            if isinstance(by_ref, dict)
        }

    def at(self, proposal: str, ref: str) -> Made:
        """Give what was made for a proposal at a use; it may be changed in place."""
        return self.made.setdefault(proposal, {}).setdefault(ref, {})

    def of(self, proposal: str) -> list[tuple[str, Made]]:
        """Give all that was made for a proposal, by use."""
        return list(self.made.get(proposal, {}).items())

    def every(self, kind: str) -> list[tuple[str, str, Any]]:
        """Give everything of one kind: proposal, use, what was made."""
        return [(p, r, made[kind]) for p, by_ref in self.made.items() for r, made in by_ref.items() if kind in made]

    def save(self) -> None:
        """Write the list into the project; an empty one goes."""
        kept = {p: {r: made for r, made in by_ref.items() if made} for p, by_ref in self.made.items()}
        kept = {p: by_ref for p, by_ref in kept.items() if by_ref}
        if kept:
            put(self._project.bin, NAME, json.dumps(kept, ensure_ascii=False, separators=(",", ":"), sort_keys=True))
        else:
            drop(self._project.bin, NAME)


__all__ = ["NAME", "Ledger", "Made"]
