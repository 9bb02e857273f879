"""Shots by arithmetic: hard cuts found from small frames, and the rhythm of the cutting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
from callboard.media.cuts import SIDE, Cut, CutFinder

from callboard_autotag.shots import rhythm

if TYPE_CHECKING:
    from callboard.media import Frame

    from callboard_autotag.analyser import Found


class HardCuts:
    """Finds hard cuts without a model; a ``callboard_autotag.analyser.ShotFinder``."""

    def __init__(self, duration: float) -> None:
        """Take the seconds of picture there are."""
        self._duration, self._finder = duration, CutFinder()

    def add(self, frame: Frame) -> None:
        """Take the next frame."""
        pixels = frame.pixels
        scale = SIDE / max(pixels.shape[:2])
        if scale < 1:
            size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        self._finder.add(frame.time, frame.index, pixels)

    def cuts(self) -> list[Cut]:
        """Find the cuts among the frames so far."""
        return self._finder.cuts()

    def finish(self) -> Found:
        """Put the cutting into words, with every cut as evidence."""
        return rhythm(self._finder.cuts(), self._duration, self._finder.frames)


__all__ = ["HardCuts"]
