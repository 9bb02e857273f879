"""What came of a command, said in the words that a receipt carries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from callboard_schemas import Command, Content
from msgspec import Struct, field

from callboard_kdenlive.ledger import Ledger
from callboard_kdenlive.project import Project
from callboard_kdenlive.srt import Block

_SHOWN: Final = 50
"""Names of one kind in a receipt, which must fit into one message."""


class Measured(NamedTuple):
    """What there is in a media file."""

    seconds: float
    """0 for a still."""
    video: bool
    audio: bool


class Outcome(Struct):
    """What landed, and what did not and why."""

    landed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is worth knowing and is no failure."""
    refused: str = ""
    """Why nothing at all was done."""
    stale: str = ""
    """What is not as it was when the command was made."""

    def miss(self, what: str, why: str) -> None:
        """Say that something did not land."""
        self.missing.append(f"{what}: {why}")


class Work(Struct):
    """One command at one project, while it is applied."""

    project: Project
    ledger: Ledger
    command: Command
    content: Content
    subtitles: list[Block]
    """What the project's subtitle file holds; changed in place."""
    measure: Callable[[str], Measured]
    asides: dict[str, list[Block]] = field(default_factory=dict)
    """What the files beside the project hold that have subtitles it does not show, by language; changed in place."""
    outcome: Outcome = field(default_factory=Outcome)
    stamp: int = 0
    """Milliseconds since 1970, for the document's id."""

    @property
    def named(self) -> str:
        """What it is for, as a person knows it."""
        use = self.command.use
        return use.name or use.ref if use is not None else "what it is for (no clip is named)"

    @property
    def ref(self) -> str:
        """Where it is applied, as the project's list has it."""
        if self.command.use is not None:
            return self.command.use.ref
        return self.content.gap.ref if self.content.gap is not None else ""


def shortened(names: list[str]) -> list[str]:
    """Leave out names beyond the first fifty, and say how many."""
    rest = len(names) - _SHOWN
    return names if rest <= 0 else [*names[:_SHOWN], f"… and {rest} more"]


__all__ = ["Measured", "Outcome", "Work", "shortened"]
