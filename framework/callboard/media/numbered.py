"""Image sequences: which file is which frame, and when it is shown."""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
from callboard_schemas import Sequence

from callboard.errors import MediaError
from callboard.media import MediaFacts
from callboard.media.files import shown
from callboard.sources.sequences import frame_name

_MOST_NUMBERS = 10_000_000  # 4 days of frames at 24 a second; a wider range is a mistake in what was sent


class Numbered:
    """The files of an image sequence."""

    def __init__(self, path: Path, sequence: Sequence, rate: float) -> None:
        if sequence.last - sequence.first >= _MOST_NUMBERS:
            raise MediaError(shown(path), f"numbers its frames {sequence.first} to {sequence.last}, too wide a range")
        self._folder = path if path.is_dir() else path.parent
        self._sequence, self._rate = sequence, rate
        self.first = sequence.first
        missing = set(sequence.missing)
        self.numbers = [n for n in range(sequence.first, sequence.last + 1) if n not in missing]
        if not self.numbers:
            raise MediaError(shown(path), "is a sequence without a frame")
        try:
            name = frame_name(sequence, sequence.first)
        except ValueError as error:
            raise MediaError(shown(path), str(error)) from None
        if b"/" in name:
            raise MediaError(shown(path), f"names frames in another folder: {sequence.pattern!r}")

    def path(self, number: int) -> Path:
        """Where frame *number* is."""
        return self._folder / os.fsdecode(frame_name(self._sequence, number))

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

    def shown_at(self, time: float) -> tuple[int, float]:
        """Give the number of the frame that is shown at a time, and its own time; a missing one lets the last stand."""
        wanted = self.first + int((time + 1e-6) * self._rate)
        number = self.numbers[max(bisect.bisect_right(self.numbers, wanted) - 1, 0)]
        return number, (number - self.first) / self._rate

    def facts(self, facts: MediaFacts) -> MediaFacts:
        """Give the first frame's facts the length of the sequence."""
        length = self.numbers[-1] - self.first + 1
        video = tuple(
            msgspec.structs.replace(stream, frame_rate=self._rate, frames=len(self.numbers)) for stream in facts.video
        )
        return msgspec.structs.replace(facts, duration=length / self._rate, still=False, video=video)


__all__ = ["Numbered"]
