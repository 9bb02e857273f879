"""How light falls: palette, brightness, contrast, warmth, key, and a guess at day or night."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callboard_autotag.picture import Look

if TYPE_CHECKING:
    from callboard.media import Frame

    from callboard_autotag.analyser import Found

EVERY = 0.5
"""Seconds between frames that are measured."""


class Light:
    """Measures two frames a second; a ``callboard_autotag.analyser.Watcher``."""

    def __init__(self) -> None:
        self._look = Look()
        self._next = float("-inf")

    def add(self, frame: Frame) -> None:
        """Take the next frame."""
        if frame.time >= self._next:
            self._next = frame.time + EVERY
            self._look.add(frame.pixels)

    def finish(self) -> Found:
        """Say what was found."""
        return self._look.finish()


__all__ = ["EVERY", "Light"]
