"""What translates, behind one interface. An engine sees texts, never times or ids, and is believed in nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

Method = Literal["neural", "rules", "service"]


class Line(Struct, frozen=True, kw_only=True):
    """One text to be translated; what must survive as it is has been replaced by marks."""

    text: str
    before: tuple[str, ...] = ()
    """Texts that come before it, nearest last: context, not to be translated."""
    after: tuple[str, ...] = ()
    speaker: str = ""


class Hints(Struct, frozen=True, kw_only=True):
    """What an engine may use where it can."""

    synopsis: str = ""
    terms: tuple[tuple[str, str], ...] = ()
    """Source and target spelling of the glossary's terms that occur in these lines."""
    formal: bool | None = None


class Engine(Protocol):
    """Translates between two languages."""

    @property
    def name(self) -> str:
        """What is kept in results: the engine, its version and its model or chain."""
        ...

    @property
    def method(self) -> Method:
        """How it works, which says how far it is trusted."""
        ...

    @property
    def batch(self) -> int:
        """Lines that it should be given at once."""
        ...

    @property
    def separate(self) -> bool:
        """Whether each answer is made of its own line alone, whatever else is in the batch.

        Lines of one that is not are each given a mark of their own, which proves that no answers changed places.
        """
        ...

    def mark(self, number: int) -> str:
        """Give the text that stands for the masked piece *number*, from 0: one that this engine leaves alone."""
        ...

    def translate(self, lines: Sequence[Line], hints: Hints) -> Sequence[str]:
        """Translate *lines*.

        The caller checks everything: a wrong number of answers, lost marks and empty texts are all its to find.

        Raises:
            Blocked: the engine cannot be reached or is not installed; the job waits.
            JobError: it refuses these lines.
        """
        ...


__all__ = ["Engine", "Hints", "Line", "Method"]
