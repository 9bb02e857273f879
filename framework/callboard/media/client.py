"""Opening media from a plugin process: facts, frames and sound of a file, decoded in another process.

The file is opened here, read only, and only its descriptor goes to the decoder. What a decoder does to
itself (a crash, a hang, too much memory) costs one call on one file.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from callboard_schemas import Asset

from callboard.errors import MediaError
from callboard.media import SEQUENCE_RATE, AudioBlock, Frame, Loudness, MediaFacts, Wanted
from callboard.media.call import Call
from callboard.media.channel import Loud, Pictures, Probe, Request, Sound, Thumb
from callboard.media.files import open_regular, opened
from callboard.media.limits import Limits
from callboard.media.numbered import Numbered
from callboard.media.pool import Pool, shared

if TYPE_CHECKING:
    import numpy as np


def open_media(
    path: Path,
    asset: Asset | None = None,
    *,
    shm_folder: Path,
    limits: Limits | None = None,
    rate: float = SEQUENCE_RATE,
    pool: Pool | None = None,
) -> OpenMedia:
    """Open *path*, to be used in a ``with`` block.

    Args:
        path: The file; for a sequence, its folder and its pattern, or any path in that folder.
        asset: What is known of it; only its ``sequence`` is used.
        shm_folder: This process's private folder from ``callboard.shm.make_folder``.
        limits: Bounds on the decoding process.
        rate: Frames per second of a sequence.
        pool: Where decoders come from; this process's own when not given.

    Raises:
        MediaError: it is not there, not a regular file, or may not be read.
        Blocked: the disk or the share does not answer as it should.
    """
    sequence = asset.sequence if asset is not None else None
    numbered = Numbered(path, sequence, rate) if sequence is not None else None
    return OpenMedia(path, numbered, shm_folder, limits or Limits(), pool or shared)


class OpenMedia:
    """One asset; implements ``callboard.context.Media``. For one thread at a time."""

    def __init__(self, path: Path, numbered: Numbered | None, shm_folder: Path, limits: Limits, pool: Pool) -> None:
        self.problems: list[str] = []
        """What was skipped or cut off in the calls made so far."""
        self._limits, self._pool, self._folder = limits, pool, shm_folder
        self._numbered = numbered
        self._path = numbered.path(numbered.numbers[0]) if numbered else path
        self._fd = open_regular(self._path)
        self._facts: MediaFacts | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. Generators that still run keep their own descriptor."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def probe(self) -> MediaFacts:
        """Container and stream facts; for a sequence, of its first frame, with the sequence's length."""
        if self._facts is None:
            request = Probe(suffix=self._path.suffix.lower(), limits=self._limits)
            with self._call(self._fd, self._path, request) as call:
                facts = call.facts()
            self._facts = self._numbered.facts(facts) if self._numbered else facts
        return self._facts

    def audio(
        self, rate: int = 16000, block_seconds: float = 30.0, *, channels: bool = False
    ) -> Generator[AudioBlock, None, None]:
        """Float32 samples in order, without gaps; nothing where there is no sound. See ``callboard.context.Media``."""
        if not 1000 <= rate <= 384_000 or not 0.01 <= block_seconds <= 3600:
            raise ValueError(f"rate {rate} Hz or block of {block_seconds} s is out of range")
        if self._numbered:
            return
        request = Sound(self._path.suffix.lower(), self._limits, rate, block_seconds, channels)
        with self._call(self._fd, self._path, request) as call:
            for item, samples in call.items():
                yield AudioBlock(item.time, rate, samples)

    def loudness(self) -> Loudness | None:
        """Loudness by EBU R 128, of the first sound stream with all its channels; ``None`` where there is no sound."""
        if self._numbered:
            return None
        with self._call(self._fd, self._path, Loud(self._path.suffix.lower(), self._limits)) as call:
            return call.loudness()

    def thumbnail(self, side: int, seconds: float = 0.0, most: int = 40_000) -> bytes:
        """Give one small picture as a JPEG file; pixels never come into this process.

        Args:
            side: Pixels of its longest side.
            seconds: Where in the media; the first frame where it is shorter.
            most: Bytes at most.

        Raises:
            MediaError: there is no picture in it.
        """
        if self._numbered is None:
            request = Thumb(self._path.suffix.lower(), self._limits, side, seconds, most)
            with self._call(self._fd, self._path, request) as call:
                return call.drawn()
        found = [index for index, time in self._numbered.steps(0.0) if time <= seconds + 1e-6]
        path = self._numbered.path(self._numbered.first + found[-1])
        with (
            opened(path) as fd,
            self._call(fd, path, Thumb(path.suffix.lower(), self._limits, side, 0.0, most)) as call,
        ):
            return call.drawn()

    def frames(
        self, every: float = 0.0, max_side: int = 0, limit: int = 0, also: tuple[float, int] | None = None
    ) -> Generator[Frame, None, None]:
        """RGB frames, upright, in time order; see ``callboard.context.Media``."""
        large_every, large_side = also or (0.0, 0)
        wanted = Wanted(every=every, max_side=max_side, limit=limit, large_every=large_every, large_side=large_side)
        if self._numbered:
            yield from self._numbered_frames(self._numbered, wanted)
        else:
            yield from self._pictures(self._fd, self._path, wanted)

    def picture(self, at: float, max_side: int = 0) -> Frame | None:
        """Give the one frame that is shown at *at* seconds; see ``callboard.context.Media``."""
        wanted = Wanted(max_side=max_side, at=max(at, 0.0))
        if self._numbered is None:
            return next(iter(list(self._pictures(self._fd, self._path, wanted))), None)
        number, time = self._numbered.shown_at(max(at, 0.0))
        path = self._numbered.path(number)
        with opened(path) as fd:
            found = list(self._pictures(fd, path, Wanted(max_side=max_side, at=0.0)))
        return next((Frame(time, number - self._numbered.first, frame.pixels) for frame in found), None)

    @contextmanager
    def _call(self, fd: int, path: Path, request: Request) -> Iterator[Call]:
        call = Call(fd, path, request, self._pool, self._folder)
        try:
            with call:
                yield call
        finally:
            self.problems += [problem for problem in call.problems if problem not in self.problems]

    def _pictures(self, fd: int, path: Path, wanted: Wanted) -> Generator[Frame, None, None]:
        with self._call(fd, path, Pictures(path.suffix.lower(), self._limits, wanted)) as call:
            small: np.ndarray[Any, Any] | None = None
            for item, pixels in call.items():
                if item.more:
                    small = pixels
                elif small is not None:
                    frame, small = Frame(item.time, item.index, small, pixels), None
                    yield frame
                else:
                    yield Frame(item.time, item.index, pixels)

    def _numbered_frames(self, numbered: Numbered, wanted: Wanted) -> Generator[Frame, None, None]:
        """Open the files of a sequence one by one; one that fails is skipped and noted, unless all do."""
        given, failure, large_target = 0, None, 0.0
        for index, time in numbered.steps(wanted.every):
            path = numbered.path(numbered.first + index)
            large = bool(wanted.large_side) and time + 1e-6 >= large_target
            one = Wanted(max_side=wanted.max_side, limit=1, large_side=wanted.large_side if large else 0)
            try:
                with opened(path) as fd:
                    found = list(self._pictures(fd, path, one))
            except MediaError as error:
                self.problems.append(error.message)
                failure = error
                continue
            if large:
                large_target = time + wanted.large_every
            for frame in found:
                yield Frame(time, index, frame.pixels, frame.large)
                given += 1
            if wanted.limit and given >= wanted.limit:
                return
        if not given and failure is not None:
            raise failure


__all__ = ["OpenMedia", "open_media"]
