"""A subtitle file, whatever its format: cues, their language and frame rate, and what was odd in it."""

from __future__ import annotations

from typing import NamedTuple

from callboard_schemas import Captions, Cue, Translation
from msgspec import Struct
from msgspec.structs import replace

from callboard.timedtext.rate import Rate, parse_rate

Result = Captions | Translation


class Note(NamedTuple):
    """Something odd in a file, and how it was read."""

    line: int
    """Counted from 1; 0 is the whole file."""
    text: str


class Document(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Subtitles as a file holds them; times in seconds from the first frame of the media."""

    cues: tuple[Cue, ...]
    """By start; ids count from 1 where the file has no better ones."""
    language: str = ""
    """BCP 47; empty where it is not known."""
    rate: Rate | None = None
    """Nothing where neither the file nor anybody else says it."""
    start: str = ""
    """Timecode of the first frame of the media, where the file counts from it; the cues' times do not."""
    title: str = ""
    format: str = ""
    """The format it was read from."""
    notes: tuple[Note, ...] = ()
    """What was odd, and how it was read; in the order of the file."""
    made: Result | None = None
    """The result that it was made of, without its cues, so that JSON loses nothing."""


def of_result(result: Result) -> Document:
    """Make a document of captions or of a translation."""
    return Document(
        cues=result.cues,
        language=result.language,
        rate=parse_rate(result.rate) if result.rate else None,
        made=replace(result, cues=()),
    )


def as_result(document: Document, language: str = "und") -> Result:
    """Make captions of a document, or the result that it was made of, with the document's cues.

    Args:
        document: what to make them of.
        language: used where the document does not say its own.
    """
    rate = str(document.rate) if document.rate else ""
    if document.made is not None:
        return replace(document.made, cues=document.cues, language=document.language or document.made.language)
    return Captions(
        language=document.language or language,
        cues=document.cues,
        confidence=1.0,
        duration=max((cue.end for cue in document.cues), default=0.0),
        rate=rate,
        task="file",
    )


def shifted(document: Document, seconds: float) -> Document:
    """Move every time of a document.

    Raises:
        ValueError: a cue would begin before the first frame.
    """
    early = next((cue for cue in document.cues if cue.start + seconds < -1e-6), None)
    if early is not None:
        raise ValueError(f"cue {early.id} would begin {-(early.start + seconds):.3f} s before the first frame")

    def at(time: float) -> float:
        moved = max(time + seconds, 0.0)
        return document.rate.snap(moved) if document.rate and abs(document.rate.snap(moved) - moved) < 1e-6 else moved

    cues = tuple(
        replace(
            cue,
            start=at(cue.start),
            end=at(cue.end),
            words=tuple(replace(word, start=at(word.start), end=at(word.end)) for word in cue.words),
        )
        for cue in document.cues
    )
    return replace(document, cues=cues)


__all__ = ["Document", "Note", "Result", "as_result", "of_result", "shifted"]
