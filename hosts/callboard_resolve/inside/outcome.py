"""What came of a command: what is there now, what is not, and why."""

MOST = 200
"""Names that a receipt carries at most; the rest is counted, since a message holds 64 KiB."""


class Refused(Exception):
    """Nothing was done, for a reason that a person can act on."""


class Stale(Refused):
    """What the command was made for has changed since."""


class Outcome:
    """Gathers what a receipt says; every line of ``landed`` was read back from the application."""

    def __init__(self) -> None:
        self.landed: list[str] = []
        self.missing: list[str] = []
        self.notes: list[str] = []

    @property
    def state(self) -> str:
        """Say ``applied``, ``partial`` or ``failed``."""
        if not self.missing:
            return "applied"
        return "partial" if self.landed else "failed"

    def note(self, text: str) -> None:
        """Say something once."""
        if text and text not in self.notes:
            self.notes.append(text)

    def lines(self) -> "tuple[list[str], list[str], str]":
        """Give landed, missing and note, short enough for one message."""
        return _short(self.landed), _short(self.missing), "; ".join(self.notes)[:2000]


def _short(lines: "list[str]") -> "list[str]":
    kept = [line[:300] for line in lines[:MOST]]
    return [*kept, f"… and {len(lines) - MOST} more"] if len(lines) > MOST else kept
