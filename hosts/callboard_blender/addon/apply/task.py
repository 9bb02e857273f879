"""What every verb is given, and where it says what it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Task:
    """One command, and what becomes of it."""

    command: Mapping[str, Any]
    use: Mapping[str, Any] | None
    """The use as it is now; None where the command names none, or it is gone."""
    agreed: bool = False
    """A person agreed that it is applied although the project changed."""
    stale: str = ""
    """Why a person must agree first; then nothing was done."""
    landed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changed: bool = False
    """Something in the open file was changed."""

    @property
    def proposal(self) -> str:
        """The id that all we make carries."""
        return str(self.command["proposal"])

    @property
    def content(self) -> Mapping[str, Any]:
        """What the command brings."""
        return self.command.get("content") or {}

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What else it says."""
        return self.command.get("arguments") or {}

    @property
    def ref(self) -> str:
        """Which use it is for; empty where it names none."""
        return str((self.command.get("use") or {}).get("ref", ""))

    def miss(self, what: str, why: str) -> None:
        """Say what did not land, and why."""
        self.missing.append(f"{what}: {why}")
