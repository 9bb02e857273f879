"""How light falls: palette, brightness, contrast and warmth, high or low key, and a guess at day or night."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from callboard.colour import to_lab
from callboard.media.bars import frame_bars
from callboard_schemas import Evidence, Tag

from callboard_autotag.picture import METHOD, Look, thin

if TYPE_CHECKING:
    from callboard.media import Frame

    from callboard_autotag.analyser import Facts, Found

Array = np.ndarray[Any, Any]

EVERY = 0.5
"""Seconds between frames that are measured."""
_LEAST = 0.5
_MOST_OF_IT = 0.6  # share of the frames that must look so


class Light:
    """Measures two frames a second; a ``callboard_autotag.analyser.Watcher``."""

    def __init__(self) -> None:
        self._look = Look()
        self._next = float("-inf")
        self._tones: list[_Tones] = []

    def add(self, frame: Frame) -> None:
        """Take the next frame."""
        if frame.time >= self._next:
            self._next = frame.time + EVERY
            self._look.add(frame.pixels)
            tones = _Tones(frame.pixels)
            if tones.lit:
                self._tones.append(tones)

    def finish(self) -> Found:
        """Say what was found."""
        tags, facts = self._look.finish()
        if any(tag.label in ("colour bars", "black picture") for tag in tags) or not self._tones:
            return tags, facts
        tags += self._named("key", "high key", [tones.high_key for tones in self._tones], 0.7)
        tags += self._named("key", "low key", [tones.low_key for tones in self._tones], 0.7)
        night = self._named("time of day", "night", [tones.night for tones in self._tones], 0.5, guess=True)
        tags += night or self._named("time of day", "day", [tones.day for tones in self._tones], 0.5, guess=True)
        numbers: Facts = {"shadows": round(float(np.mean([tones.shadows for tones in self._tones])), 3)}
        return tags, {**facts, **numbers}

    @staticmethod
    def _named(group: str, label: str, votes: list[bool], score: float, *, guess: bool = False) -> list[Tag]:
        share = float(np.mean(votes))
        if share < _MOST_OF_IT:
            return []
        return [
            Tag(
                label=label,
                score=round(score + 0.25 * (share - _MOST_OF_IT) / (1 - _MOST_OF_IT), 3),
                method=METHOD,
                group=("picture", group),
                evidence=(Evidence(value=round(share, 3)),),
                guess=guess,
                threshold=_LEAST,
            )
        ]


class _Tones:
    """How the lightness of one frame is spread: L* of CIE 1976, 0 to 100."""

    def __init__(self, pixels: Array) -> None:
        small = thin(pixels)
        rows, columns = frame_bars(small)
        small = small[rows : small.shape[0] - rows, columns : small.shape[1] - columns]
        lab = to_lab(small)
        light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
        dark, mid, bright, most = np.percentile(light, [10, 50, 90, 99.5]).tolist()
        self.lit = most > 8.0
        self.shadows = float((light < 25).mean())
        """Share of the picture in shadow."""
        # Photography's words: high key is light throughout with hardly a shadow, low key is mostly shadow with some
        # light that models it. A grey card is neither.
        self.high_key = mid > 75 and dark > 50
        self.low_key = self.shadows > 0.6 and bright > 25 and most > 45
        top = light[: max(light.shape[0] // 3, 1)]
        top_b = lab[: max(light.shape[0] // 3, 1), :, 2]
        sky = ((top > 55) & (top_b < -8)) | ((top > 85) & (chroma[: top.shape[0]] < 12))
        # Lamps and windows in the dark; by day a bright or blue upper part over something darker.
        self.night = self.shadows > 0.75 and mid < 18 and most > 60 and float((light > 55).mean()) < 0.12
        self.day = (
            float(sky.mean()) > 0.6 and 35 < mid < 90 and float(light[-max(light.shape[0] // 3, 1) :].mean()) < 80
        )


__all__ = ["EVERY", "Light"]
