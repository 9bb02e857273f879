"""The subtitle file beside a project: cues as they are written there, so that a person's are never rewritten."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction

from callboard.timedtext.formats.blocks import Scanner
from callboard.timedtext.formats.clock import clock
from callboard.timedtext.formats.decoding import lines_of, text_of
from callboard.timedtext.formats.reading import Reading
from msgspec import Struct

from callboard_kdenlive.times import frame_at


class Block(Struct, frozen=True):
    """A cue: times in seconds of the timeline, and its lines with whatever marks they have."""

    start: float
    end: float
    text: str

    def key(self, fps: Fraction) -> str:
        """Give what a cue is known by again: its frames and its text; Kdenlive adds blanks at line ends."""
        text = "\n".join(line.strip() for line in self.text.strip().split("\n"))
        said = f"{frame_at(self.start, fps)}\0{frame_at(self.end, fps)}\0{text}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def read(data: bytes, name: str) -> list[Block]:
    """Read a subtitle file.

    Raises:
        SubtitleError: it cannot be read; the error names the line.
    """
    reading = Reading(name)
    lines = lines_of(text_of(data, reading), reading)
    found = Scanner(lines, reading, point=",", labels=False).scan()
    return [Block(block.times.start, block.times.end, "\n".join(block.text)) for block in found]


def write(blocks: Sequence[Block]) -> bytes:
    """Write cues by start, numbered from 1."""
    ordered = sorted(blocks, key=lambda block: (block.start, block.end))
    texts = (f"{number}\n{_times(block)}\n{block.text.strip()}\n" for number, block in enumerate(ordered, start=1))
    return "\n".join(texts).encode("utf-8")


def _times(block: Block) -> str:
    return f"{clock(round(block.start * 1000), ',')} --> {clock(round(block.end * 1000), ',')}"


__all__ = ["Block", "read", "write"]
