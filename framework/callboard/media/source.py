"""What a decoding process opens: a still or a container, behind one contract. Runs in the decoder only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from callboard.media import AudioBlock, Frame, Loudness, MediaFacts, Wanted
from callboard.media.limits import Limits


class NotMedia(Exception):
    """The file cannot be decoded within the limits; *problem* says why in a user's words."""

    def __init__(self, problem: str, hint: str = "") -> None:
        self.problem, self.hint = problem, hint
        super().__init__(problem)


class Source(Protocol):
    """An opened file."""

    problems: list[str]
    """What was skipped or cut off so far."""

    def facts(self) -> MediaFacts:
        """Say what the file says of itself."""
        ...

    def sound(self, rate: int, block_seconds: float, *, channels: bool = False) -> Iterator[AudioBlock]:
        """Give the sound as float32 at *rate* Hz, gaps filled with silence: mono, or a column for each channel."""
        ...

    def loudness(self) -> Loudness | None:
        """Measure the sound; ``None`` where there is none."""
        ...

    def pictures(self, wanted: Wanted) -> Iterator[Frame]:
        """Give upright RGB frames."""
        ...


def open_source(fd: int, suffix: str, limits: Limits, alive: Callable[[], None]) -> AbstractContextManager[Source]:
    """Open the file behind *fd*; *suffix* settles only formats that have no mark of their own (TGA).

    Raises:
        NotMedia: it is empty, of no known format, or past a limit.
    """
    size = os.fstat(fd).st_size
    if size == 0:
        raise NotMedia("is empty", "Copy or export it again.")
    head = os.pread(fd, 64, 0)
    from callboard.media.stills import Still, still_formats

    formats = still_formats(head, suffix)
    if formats:
        still = Still.try_open(fd, formats, limits)
        if still is not None:
            return still
    from callboard.media.streams import Container

    return Container(fd, size, limits, alive)


__all__ = ["NotMedia", "Source", "open_source"]
