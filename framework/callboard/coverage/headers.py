"""What media files say of themselves: only their headers are read, in a process that may die, and not for ever."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

from msgspec import Struct

from callboard.errors import Blocked, CallboardError, MediaCrash, MediaError
from callboard.media import MediaFacts, VideoStream
from callboard.media.limits import Limits
from callboard.media.timing import first_frame
from callboard.sources.kinds import KINDS
from callboard.timedtext.rate import Rate, rate_of

_LIMITS: Final = Limits(cpu_seconds=20, stall_seconds=40.0, threads=1)
"""A header takes milliseconds of processor time; a file whose header takes seconds was made to. A decoder that a busy
machine stops for ten seconds is no sign of a broken file."""
_PATIENCE: Final = 120.0
"""Seconds for all headers of a cut; a feature film's take some 20."""

_CLOSED: Final = frozenset((b".braw", b".r3d", b".ari", b".arx", b".crm", b".psd", b".cr2", b".cr3", b".nef", b".arw"))
"""Formats of camera makers, whole or not: nothing here opens them."""


class Told(Struct, frozen=True):
    """What came of a look into a file."""

    facts: MediaFacts | None = None
    problem: str = ""
    """Why it cannot be opened: it is broken."""


class Headers:
    """Remembers what each file said.

    Args:
        folder: This process's private folder from ``callboard.shm.make_folder``.
        patience: Seconds for all files together; the rest is not looked into.
    """

    def __init__(self, folder: Path, patience: float = _PATIENCE) -> None:
        self._folder, self._left = folder, patience
        self._known: dict[str, Told] = {}
        self.notes: list[str] = []
        """What was not looked into, and why."""

    def told(self, path: str) -> Told:
        """Look into a file, once."""
        if path not in self._known:
            self._known[path] = Told()
            began = time.monotonic()
            if self._left > 0:
                self._known[path] = self._look(path)
            elif not any("time is up" in note for note in self.notes):
                self.notes.append("the time is up: the rest of the media was not looked into")
            self._left -= time.monotonic() - began
        return self._known[path]

    def stream(self, path: str) -> VideoStream | None:
        """Give the facts of its pictures; nothing where it has none."""
        facts = self.told(path).facts
        return facts.video[0] if facts is not None and facts.video else None

    def began(self, path: Path, rate: Rate) -> int | None:
        """Give the frame of its first picture as its timecode counts, at *rate*; nothing where it has none."""
        facts = self.told(str(path)).facts
        return None if facts is None else first_frame(facts, rate)

    def frames(self, path: str, rate: Rate) -> int | None:
        """Give its length in frames of *rate*; nothing for a still, and where it is not known."""
        facts = self.told(path).facts
        if facts is None or facts.still or facts.duration <= 0:
            return None
        stream = facts.video[0] if facts.video else None
        if stream is not None and stream.frames > 0 and stream.frame_rate > 0 and not stream.variable_rate:
            with contextlib.suppress(ValueError):
                return round(Fraction(stream.frames) * rate.fps / rate_of(stream.frame_rate).fps)
        return rate.frame_at(facts.duration)

    def same_rate(self, path: str, rate: Rate) -> bool:
        """Say whether its frames are those of *rate*."""
        stream = self.stream(path)
        return stream is not None and not stream.variable_rate and abs(stream.frame_rate - float(rate.fps)) < 0.005

    def _look(self, path: str) -> Told:
        name = os.fsencode(path)
        try:
            from callboard.media.client import open_media

            with open_media(Path(os.path.realpath(path)), shm_folder=self._folder, limits=_LIMITS) as media:
                return Told(media.probe())
        except ImportError:
            if not self.notes:
                self.notes.append("no media was looked into: pip install 'callboard[media]'")
        except MediaCrash as error:
            return Told(problem=error.message)
        except MediaError as error:
            ending = os.path.splitext(name)[1].lower()
            if ending in KINDS and ending not in _CLOSED:
                return Told(problem=error.problem)
        except (Blocked, OSError) as error:
            self.notes.append(f"{path}: {getattr(error, 'message', error)}")
        except CallboardError as error:
            return Told(problem=error.message)
        return Told()


@contextlib.contextmanager
def reading(patience: float = _PATIENCE) -> Iterator[Headers]:
    """Give what reads headers; its decoder ends with the context."""
    from callboard.shm import make_folder

    folder = make_folder()
    try:
        yield Headers(folder, patience)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


__all__ = ["Headers", "Told", "reading"]
