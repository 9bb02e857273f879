"""What every reader shares: its limits, its notes, and how a cue is put together."""

from __future__ import annotations

import itertools
import re
from typing import Final

from callboard_schemas import Cue
from msgspec import Struct

from callboard.errors import SubtitleError
from callboard.timedtext.document import Note
from callboard.timedtext.markup import Lines, is_sound, marked
from callboard.timedtext.rate import Rate

LARGEST: Final = 32 * 1024 * 1024
"""Bytes of a file: a feature film has under 200 kB of subtitles; word-timed files of a day are below this."""
LONGEST_LINE: Final = 65_536
"""Characters of one line: nothing that a person reads comes near; one endless line is an attack or no text."""
MOST_CUES: Final = 100_000
_HOUR: Final = 3600.0
_LAST: Final = 10_000 * 3600.0
"""Seconds: what SRT's hours hold when they are written with four digits."""
LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class Raw(Struct, kw_only=True):
    """A cue as it was found."""

    line: int
    start: float
    end: float
    lines: Lines
    number: int | None = None
    speaker: str = ""
    align: int | None = None
    settings: str = ""
    language: str = ""
    sound: bool = False


class Reading:
    """One file while it is read: where notes and cues go, and how it is refused."""

    def __init__(self, name: str, rate: Rate | None = None) -> None:
        self.name, self.rate = name, rate
        self.language = self.title = self.start = ""
        self.notes: list[Note] = []
        self.found: list[Raw] = []

    def note(self, line: int, text: str) -> None:
        """Say what was odd in a line, and how it was read."""
        self.notes.append(Note(line, text))

    def refuse(self, line: int, problem: str, hint: str = "") -> SubtitleError:
        """Make the error that says why the file cannot be read."""
        return SubtitleError(self.name, problem, line=line, hint=hint)

    def add(self, raw: Raw) -> None:
        """Take a cue.

        Raises:
            SubtitleError: it lies before the first frame or past ten thousand hours, or is one too many.
        """
        if len(self.found) >= MOST_CUES:
            raise self.refuse(raw.line, f"more than {MOST_CUES} cues")
        if raw.end > _LAST or raw.start > _LAST:
            raise self.refuse(raw.line, "a time past 10000 hours")
        if raw.start < 0:
            if raw.end <= 0:
                raise self.refuse(raw.line, "a cue that is over before the first frame", "Move the times first.")
            self.note(raw.line, "starts before the first frame: read as starting with it")
            raw.start = 0.0
        if raw.end < raw.start:
            self.note(raw.line, "ends before it starts: read as ending where it starts")
            raw.end = raw.start
        if not raw.lines:
            self.note(raw.line, "a cue without text: left out")
            return
        self.found.append(raw)

    def cues(self) -> tuple[Cue, ...]:
        """Give the cues by start, with the file's numbers where those count up, else counted from 1."""
        ordered = sorted(self.found, key=lambda raw: (raw.start, raw.end))
        for before, raw in zip(self.found, self.found[1:], strict=False):
            if (raw.start, raw.end) < (before.start, before.end):
                self.note(raw.line, "starts before the cue above it: put in order")
        for before, raw in itertools.pairwise(ordered):
            if raw.start < before.end:
                self.note(raw.line, "overlaps the cue before it: kept so")
        if ordered and ordered[0].start >= _HOUR:
            self.note(ordered[0].line, "the first cue begins after an hour: if times are timecode, move them")
        return tuple(_cue(raw, number) for raw, number in zip(ordered, self._numbers(ordered), strict=True))

    def _numbers(self, ordered: list[Raw]) -> list[int]:
        given = [raw.number for raw in ordered]
        numbers = [number for number in given if number is not None]
        rising = all(before < after for before, after in itertools.pairwise(numbers))
        if numbers and rising and len(numbers) == len(given) and numbers[-1] < 2**53:
            return numbers
        if numbers:
            self.note(0, "the cues' numbers do not count up, or some are missing: counted from 1")
        return list(range(1, len(ordered) + 1))


def _cue(raw: Raw, number: int) -> Cue:
    lines, styled = marked(raw.lines)
    return Cue(
        id=number,
        start=raw.start,
        end=raw.end,
        lines=lines,
        confidence=1.0,
        speaker=raw.speaker or None,
        styled=styled,
        align=raw.align if raw.align != 2 else None,
        settings=raw.settings,
        kind="sound" if raw.sound or is_sound(raw.lines) else "speech",
        language=raw.language or None,
    )


__all__ = ["LANGUAGE", "LARGEST", "LONGEST_LINE", "MOST_CUES", "Raw", "Reading"]
