"""Asks media files where their timecode begins and how long they are, in a process that may die."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from callboard.errors import CallboardError
from callboard.media import MediaFacts
from callboard.media.timing import first_frame
from callboard.timedtext.rate import Rate


class Prober:
    """Remembers what each file said; a file that cannot be opened, or no decoder installed, says nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._known = folder, dict[Path, MediaFacts | None]()

    def began(self, path: Path, rate: Rate) -> int | None:
        """Give the frame of its first picture as its timecode counts, at *rate*; nothing where it has none."""
        facts = self._facts(path)
        return None if facts is None else first_frame(facts, rate)

    def frames(self, path: Path, rate: Rate) -> int | None:
        """Give its length in frames of *rate*; nothing for a still, and where it is not known."""
        facts = self._facts(path)
        if facts is None or facts.still or facts.duration <= 0:
            return None
        return rate.frame_at(facts.duration)

    def _facts(self, path: Path) -> MediaFacts | None:
        if path not in self._known:
            self._known[path] = None
            with contextlib.suppress(CallboardError, OSError, ImportError):
                from callboard.media.client import open_media

                with open_media(path, shm_folder=self._folder) as media:
                    self._known[path] = media.probe()
        return self._known[path]


@contextlib.contextmanager
def probing() -> Iterator[Prober]:
    """Give a prober; its decoder ends with the context."""
    from callboard.shm import make_folder

    folder = make_folder()
    try:
        yield Prober(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


__all__ = ["Prober", "probing"]
