"""What translates, behind one interface. An engine sees texts, never times or ids, and is believed in nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, Self

from msgspec import Struct

if TYPE_CHECKING:
    from callboard.context import Context

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


class Text(str):
    """A translated text that also says what its engine doubts: plain text to whoever does not ask."""

    __slots__ = ("confidence", "unknown")
    confidence: float | None
    """How sure the engine is, 0 to 1, on a scale of its own; ``None`` where it cannot tell."""
    unknown: tuple[str, ...]
    """Words that it does not know and left as they were."""

    def __new__(cls, text: str, confidence: float | None = None, unknown: tuple[str, ...] = ()) -> Self:
        """Make a text with its doubts."""
        made = super().__new__(cls, text)
        made.confidence, made.unknown = confidence, unknown
        return made


class Engine(Protocol):
    """Translates between two languages. One with a ``close`` holds processes until that is called or it is dropped.

    One that goes over other languages says over how many steps in ``links``; without it, it is one.
    """

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
        """Translate *lines*; answers may be ``Text``, which says what the engine doubts.

        The caller checks everything: a wrong number of answers, lost marks and empty texts are all its to find.

        Raises:
            Blocked: the engine cannot be reached or is not installed; the job waits.
            JobError: it refuses these lines.
        """
        ...


def choose(source: str, target: str, context: Context, engine: str = "auto") -> Engine:
    """Make the best engine that is here for a pair of languages.

    Args:
        source: BCP 47 tag of the lines.
        target: BCP 47 tag of what they become.
        context: Of the job: its models, runtime and parameters.
        engine: ``auto`` takes a neural model, else Apertium directly, else over other languages, else a service where
            one is configured; or ``neural``, ``apertium``, ``service``, or the name of a model pack.

    Raises:
        NoTranslator: none is here; the error says what to install.
        JobError: there is nothing to translate between two tags of one language, or *engine* is not known.
    """
    from callboard_localize.engines.choosing import choose as chosen

    return chosen(source, target, context, engine)


__all__ = ["Engine", "Hints", "Line", "Method", "Text", "choose"]
