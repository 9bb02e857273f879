"""A transcript to read: paragraphs by speaker and pause. Written only; it has no times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from callboard_schemas import Cue

from callboard.timedtext import plain
from callboard.timedtext.formats.srt import spoken

_PAUSE: Final = 2.0
"""Seconds of silence that begin a new paragraph."""
_NO_SPACE: Final = ("zh", "ja", "th", "lo", "km", "my", "yue")
"""Languages that put no space between words, so none between lines either."""


def transcript(cues: Sequence[Cue], language: str = "", title: str = "") -> bytes:
    """Write the words of cues as paragraphs, UTF-8; sound descriptions stand alone."""
    space = "" if language.lower().split("-")[0] in _NO_SPACE else " "
    paragraphs: list[str] = [plain.one_line(title)] if title else []
    before: Cue | None = None
    for cue, lines in spoken(cues):
        words = space.join("".join(run.text for run in line) for line in lines)
        speaker = plain.one_line(cue.speaker or "")
        if before is not None and _goes_on(before, cue):
            paragraphs[-1] += space + words
        else:
            paragraphs.append(f"{speaker}: {words}" if speaker and cue.kind == "speech" else words)
        before = cue
    return ("\n\n".join(paragraphs) + "\n").encode("utf-8")


def _goes_on(before: Cue, cue: Cue) -> bool:
    if (before.speaker, before.kind, cue.kind) != (cue.speaker, "speech", "speech"):
        return False
    return cue.start - before.end < _PAUSE


__all__ = ["transcript"]
