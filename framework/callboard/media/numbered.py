"""Image sequences: which file is which frame, and when it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
from callboard_schemas import Sequence

from callboard.errors import MediaError
from callboard.media import MediaFacts
from callboard.media.files import shown

_NUMBER = re.compile(r"%0?(\d*)d")


class Numbered:
    """The files of an image sequence."""

    def __init__(self, path: Path, sequence: Sequence, rate: float) -> None:
        if "/" in sequence.pattern or not _NUMBER.search(sequence.pattern):
            raise MediaError(shown(path), f"has no number in its pattern {sequence.pattern!r}")
        self._folder = path if path.is_dir() else path.parent
        self._pattern, self._rate = sequence.pattern, rate
        self.first = sequence.first
        missing = set(sequence.missing)
        self.numbers = [n for n in range(sequence.first, sequence.last + 1) if n not in missing]
        if not self.numbers:
            raise MediaError(shown(path), "is a sequence without a frame")

    def path(self, number: int) -> Path:
        """Where frame *number* is. The last number in the name counts, as compositing programs write it."""
        *_, last = _NUMBER.finditer(self._pattern)
        digits = str(number).zfill(int(last[1] or 0))
        return self._folder / (self._pattern[: last.start()] + digits + self._pattern[last.end() :])

    def steps(self, every: float) -> Iterator[tuple[int, float]]:
        """Give index and time of each frame that is there, at least *every* seconds apart."""
        target = 0.0
        for number in self.numbers:
            index = number - self.first
            time = index / self._rate
            if time + 1e-6 >= target:
                yield index, time
                if every > 0:
                    target = ((time + 1e-6) // every + 1) * every

    def facts(self, facts: MediaFacts) -> MediaFacts:
        """Give the first frame's facts the length of the sequence."""
        length = self.numbers[-1] - self.first + 1
        video = tuple(
            msgspec.structs.replace(stream, frame_rate=self._rate, frames=len(self.numbers)) for stream in facts.video
        )
        return msgspec.structs.replace(facts, duration=length / self._rate, still=False, video=video)


__all__ = ["Numbered"]
