"""Faults of the picture: black, frozen and flash frames, fades to and from black, and softness as a guess."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from callboard_schemas import Evidence, Tag

from callboard_autotag.blur import measure_blur

if TYPE_CHECKING:
    from callboard.media import Frame

    from callboard_autotag.analyser import Facts, Found, Picture

Array = np.ndarray[Any, Any]

METHOD = "frame-statistics"
BLUR_METHOD = "re-blur"
BLACK = 28.0
"""Brightest level of a black frame, 0 to 255, once grain is averaged away: video black is 0 in RGB, lifted black 16."""
FROZEN = 1.0
"""Seconds of the same picture from which it counts as frozen: repeated frames of a changed rate are much shorter."""
SOFT = 0.55
"""Blur (Crété et al. 2007), 0 to 1, from which a picture is called soft."""
_SAME, _SAME_ANYWHERE = 0.6, 5.0  # mean and largest difference, 0 to 255, of frames that are one but for compression
_FLASH = 14.0  # mean difference to both neighbours that a flash has at least
_COMES_BACK = 0.4  # share of it by which the pictures before and after may differ
_LONGEST_FLASH = 3  # frames
_FADE = 0.25  # seconds of a ramp from which it is a fade and not a cut to black
_MOST_EVIDENCE = 200
_FLAT = 6.0  # standard deviation of luma: a picture with less shows nothing that could be sharp


class Glitches:
    """Watches every frame; a ``callboard_autotag.analyser.Watcher``. Holds five thumbnails and 16 bytes a frame."""

    def __init__(self) -> None:
        self._recent: deque[Array] = deque(maxlen=_LONGEST_FLASH + 2)
        self._times: list[float] = []
        self._indices: list[int] = []
        self._means: list[float] = []
        self._tops: list[float] = []
        self._changes: list[float] = []
        self._anchor: Array | None = None
        self._stands: list[bool] = []
        self._flashes: list[tuple[int, int]] = []

    def add(self, frame: Frame) -> None:
        """Take the next frame."""
        thumbnail = _thumbnail(frame.pixels)
        change = float(np.abs(thumbnail - self._recent[-1]).mean()) if self._recent else 255.0
        self._recent.append(thumbnail)
        self._times.append(frame.time)
        self._indices.append(frame.index)
        self._means.append(float(thumbnail.mean()))
        self._tops.append(float(thumbnail.max()))
        self._changes.append(change)
        self._stands.append(self._stands_still(frame.pixels))
        self._look_back()

    def _stands_still(self, pixels: Array) -> bool:
        """Say whether the picture stands: compared with the first frame that did, as slow pans change little each."""
        grey = cv2.blur(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), (3, 3)).astype(np.float32)
        if self._anchor is not None and self._anchor.shape == grey.shape:
            difference = np.abs(grey - self._anchor)
            if float(difference.mean()) < _SAME and float(difference.max()) < _SAME_ANYWHERE:
                return True
        self._anchor = grey
        return False

    def _look_back(self) -> None:
        """See whether the last frames were a flash: the picture leaves at once, and comes back at once."""
        now = len(self._changes) - 1
        if self._changes[now] < _FLASH:
            return
        for length in range(1, _LONGEST_FLASH + 1):
            if len(self._recent) < length + 2:
                return
            first = now - length
            away = self._changes[first]
            after = float(np.abs(self._recent[-1] - self._recent[-2 - length]).mean())
            if away >= _FLASH and after < _COMES_BACK * min(away, self._changes[now]):
                if max(self._tops[first:now], default=0.0) >= BLACK:  # a black frame is told as such
                    self._flashes.append((first, now - 1))
                return

    def finish(self) -> Found:
        """Say what was found."""
        if len(self._times) < 2:
            return [], {}
        black = [run for run in self._runs(np.array(self._tops) < BLACK) if run[0] > 0 or run[1] < len(self._times) - 1]
        frozen = [
            run
            for run in ((max(first - 1, 0), last) for first, last in self._runs(np.array(self._stands)))
            if self._lasts(run) >= FROZEN and max(self._tops[run[0] : run[1] + 1]) >= BLACK
        ]
        share = sum(map(self._lasts, frozen)) / max(self._lasts((0, len(self._times) - 1)), 1e-6)
        tags = [*self._tag("black frames", 0.95, black), *self._tag("flash frames", 0.7, self._flashes, guess=True)]
        # Where nothing ever moves it is a picture that was meant to stand: a slide, a title, a test signal.
        tags += self._tag("frozen frames" if share < 0.9 else "still picture", 0.7, frozen, guess=share < 0.9)
        for label, runs in (("fade in", self._fades(black, 1)), ("fade out", self._fades(black, -1))):
            tags += self._tag(label, 0.8, runs)
        facts: Facts = {}
        if black:
            facts["black_seconds"] = round(sum(map(self._lasts, black)), 3)
        return tags, facts

    def _runs(self, marked: Array) -> list[tuple[int, int]]:
        edges = np.diff(np.concatenate([[0], marked.astype(np.int8), [0]]))
        return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))

    def _lasts(self, run: tuple[int, int]) -> float:
        frame = (self._times[-1] - self._times[0]) / (len(self._times) - 1)
        return self._times[run[1]] - self._times[run[0]] + frame

    def _fades(self, black: list[tuple[int, int]], way: int) -> list[tuple[int, int]]:
        """Follow the brightness out of each black stretch while it keeps rising."""
        found = []
        for run in black:
            edge = run[1] if way > 0 else run[0]
            at = edge
            while 0 <= at + way < len(self._means) and self._means[at + way] > self._means[at] + 0.15:
                at += way
            ramp = (min(edge, at), max(edge, at))
            steps = np.diff(self._means[ramp[0] : ramp[1] + 1])
            rise = abs(self._means[at] - self._means[edge])
            even = bool(len(steps)) and float(np.abs(steps).max()) < 0.5 * rise
            if self._lasts(ramp) >= _FADE and rise > 12.0 and even:
                found.append(ramp)
        return found

    def _tag(self, label: str, score: float, runs: list[tuple[int, int]], *, guess: bool = False) -> list[Tag]:
        if not runs:
            return []
        evidence = tuple(
            Evidence(
                start=round(max(self._times[first], 0.0), 3),
                end=round(max(self._times[first] + self._lasts((first, last)), 0.0), 3),
                frame=self._indices[first],
            )
            for first, last in runs[:_MOST_EVIDENCE]
        )
        return [Tag(label=label, score=score, method=METHOD, group=("quality",), evidence=evidence, guess=guess)]


class Sharpness:
    """Looks at the chosen pictures, which are the sharpest there are; a ``callboard_autotag.analyser.Looker``."""

    def __init__(self) -> None:
        self._seen: list[tuple[Picture, float]] = []
        self._sharpness: list[float] = []

    def look(self, picture: Picture) -> None:
        """Measure one more picture; one that shows nothing is passed over."""
        self._sharpness.append(picture.sharpness)
        grey = cv2.cvtColor(np.ascontiguousarray(picture.pixels), cv2.COLOR_RGB2GRAY)
        if min(grey.shape) >= 32 and float(grey.std()) >= _FLAT:
            blur = measure_blur(grey)
            self._seen.append((_place(picture), blur))

    def finish(self) -> Found:
        """Say whether most pictures are soft; out of focus, shaken and scaled up look alike, so it is a guess."""
        facts: Facts = {}
        if self._sharpness:
            facts["sharpness"] = round(float(np.median(self._sharpness)), 1)
        if not self._seen:
            return [], facts
        facts["blur"] = round(float(np.median([blur for _, blur in self._seen])), 3)
        soft = [(picture, blur) for picture, blur in self._seen if blur >= SOFT]
        if len(soft) < 0.5 * len(self._seen):
            return [], facts
        beyond = float(np.mean([blur for _, blur in soft])) - SOFT
        evidence = tuple(
            Evidence(start=round(max(picture.time, 0.0), 3), frame=picture.index, value=round(blur, 3))
            for picture, blur in soft[:_MOST_EVIDENCE]
        )
        tag = Tag(
            label="soft picture",
            score=round(min(0.55 + 1.5 * beyond, 0.9), 3),
            method=BLUR_METHOD,
            group=("quality",),
            evidence=evidence,
            guess=True,
        )
        return [tag], facts


def _place(picture: Picture) -> Picture:
    """Keep where a picture is, and not the picture."""
    from msgspec.structs import replace

    return replace(picture, pixels=np.zeros((0, 0, 3), np.uint8))


def _thumbnail(pixels: Array) -> Array:
    small = cv2.resize(np.ascontiguousarray(pixels), (48, 27), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)


__all__ = ["BLACK", "BLUR_METHOD", "FROZEN", "METHOD", "SOFT", "Glitches", "Sharpness"]
