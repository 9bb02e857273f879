"""Which pictures stand for an asset: per shot the sharp and typical ones, chosen while frames pass by.

Every half second a frame comes large. Those of a stretch that looks alike are weighed against each other, the best is
kept, and what is kept stays within a bound however long the film is. The shots, known at the end, then take theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from msgspec import Struct

from callboard_autotag.analyser import Picture, Shot

if TYPE_CHECKING:
    from callboard.media import Frame

Array = np.ndarray[Any, Any]

EVERY = 0.5
"""Seconds between candidates."""
SIDE = 1280
"""Pixels: longest side of the pictures that are handed out."""
SHARPNESS_SIDE = 512
_STRETCH = 2.0  # seconds after which a stretch is closed however alike it looks; doubled when there are too many
_OTHER_LOOK = 18.0  # mean difference of thumbnails, 0 to 255, from which a stretch is another
_SAME_LOOK = 4.0  # below it a picture shows nothing that the one before did not
_BLACK = 20.0  # mean luma: video black is 16
_RAW_BYTES = 64 << 20  # kept as they are; what is more is kept as JPEG
_EDGE = 0.25  # seconds from a cut in which a picture may be part of a transition


class _Candidate(Struct, eq=False):
    time: float
    index: int
    pixels: Array
    """As the picture is, or one dimension: JPEG."""
    sharpness: float
    thumbnail: Array
    worth: float = 0.0


class Chooser:
    """Takes frames in order, gives the pictures that stand for them. Holds at most three times *most* pictures."""

    def __init__(self, most: int = 40, again: float = 10.0) -> None:
        """Make a chooser.

        Args:
            most: Pictures to choose at most.
            again: Seconds after which a long shot gets another picture.
        """
        self._most, self._again = most, again
        self.clear()

    def clear(self) -> None:
        """Forget what was kept."""
        self._stretch, self._pause, self._since = _STRETCH, 0.0, 0.0
        self._open: list[_Candidate] = []
        self._kept: list[_Candidate] = []
        self._raw = 0

    @property
    def held(self) -> int:
        """Pictures held now."""
        return len(self._kept) + len(self._open)

    def add(self, frame: Frame) -> None:
        """Take a frame; one without a large version is no candidate."""
        if frame.large is None:
            return
        thumbnail = _thumbnail(frame.pixels)
        if self._open:
            lasts = frame.time - self._since
            other = lasts >= self._pause and _differ(thumbnail, self._open[-1].thumbnail) > _OTHER_LOOK
            if other or lasts >= self._stretch:
                self._close()
        if not self._open:
            self._since = frame.time
        candidate = _Candidate(frame.time, frame.index, frame.large, measure_sharpness(frame.large), thumbnail)
        self._open.append(candidate)
        if len(self._open) > 4:  # of a stretch that was made longer: two of the less sharp ones say enough
            self._open.remove(min(self._open[:-1], key=lambda other: other.sharpness))

    def _close(self) -> None:
        """Keep the best of the stretch: sharp, not black, near what the stretch looks like."""
        if not self._open:
            return
        typical = np.median([candidate.thumbnail for candidate in self._open], axis=0)
        for candidate in self._open:
            candidate.worth = _worth(candidate, typical)
        best = max(self._open, key=lambda candidate: candidate.worth)
        self._open = []
        if self._raw + best.pixels.nbytes > _RAW_BYTES:
            best.pixels = _pack(best.pixels)
        else:
            self._raw += best.pixels.nbytes
        self._kept.append(best)
        if len(self._kept) > 3 * self._most:
            self._thin()

    def _thin(self) -> None:
        """Keep the worthier of each two neighbours, and take half as many from here on: all of a film counts alike."""
        self._stretch, self._pause = self._stretch * 2, self._stretch
        pairs = [self._kept[at : at + 2] for at in range(0, len(self._kept), 2)]
        self._kept = [max(pair, key=lambda candidate: candidate.worth) for pair in pairs]
        self._raw = sum(candidate.pixels.nbytes for candidate in self._kept if candidate.pixels.ndim == 3)

    def choose(self, shots: Sequence[Shot]) -> Iterator[Picture]:
        """Give the pictures in order of time, each with its shot; call it once, at the end.

        Args:
            shots: In order; empty where they are not known.
        """
        self._close()
        chosen: list[tuple[_Candidate, Shot | None]] = []
        for start, end, shot in self._places(shots):
            inside = [candidate for candidate in self._kept if start - 0.001 <= candidate.time < end - 0.001]
            edge = min(_EDGE, (end - start) / 5)
            clear = [candidate for candidate in inside if start + edge <= candidate.time <= end - edge]
            if inside:
                best = max(clear or inside, key=lambda candidate: candidate.worth)
                chosen.append((best, shot or _shot_at(shots, best.time)))
        before: Array | None = None
        for candidate, shot in chosen:
            if before is not None and _differ(candidate.thumbnail, before) < _SAME_LOOK:
                continue
            before = candidate.thumbnail
            yield Picture(candidate.time, candidate.index, _unpack(candidate.pixels), candidate.sharpness, shot)

    def _places(self, shots: Sequence[Shot]) -> list[tuple[float, float, Shot | None]]:
        """Say for which stretches of time one picture each is wanted: shots, parts of long ones, or even slots."""
        end = (self._kept[-1].time if self._kept else 0.0) + 1.0
        spans: list[tuple[float, float, Shot | None]] = [(shot.start, shot.end, shot) for shot in shots]
        places: list[tuple[float, float, Shot | None]] = []
        spans = spans or self._looks(end)
        for start, stop, shot in spans:
            parts = max(1, int((stop - start) / self._again))
            edges = np.linspace(start, stop, parts + 1).tolist()
            places += [(low, high, shot) for low, high in pairwise(edges)]
        if len(places) <= self._most:
            return places
        edges = np.linspace(0.0, end, self._most + 1).tolist()
        return [(low, high, None) for low, high in pairwise(edges)]

    def _looks(self, end: float) -> list[tuple[float, float, Shot | None]]:
        """Say where the look changes, for want of shots."""
        starts = [0.0]
        for before, after in pairwise(self._kept):
            if _differ(before.thumbnail, after.thumbnail) > _OTHER_LOOK:
                starts.append(after.time)
        return [(start, stop, None) for start, stop in pairwise([*starts, end])]


def measure_sharpness(pixels: Array) -> float:
    """Measure a picture (uint8, height x width x 3, RGB): the variance of the Laplacian of its luma at 512."""
    height, width = pixels.shape[:2]
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    scale = SHARPNESS_SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def _worth(candidate: _Candidate, typical: Array) -> float:
    dark = float(candidate.thumbnail.mean()) < _BLACK
    strange = 1.0 + _differ(candidate.thumbnail, typical) / 10.0
    return float(candidate.sharpness**0.5 + 1.0) / strange * (0.01 if dark else 1.0)


def _thumbnail(pixels: Array) -> Array:
    return cv2.resize(np.ascontiguousarray(pixels), (32, 18), interpolation=cv2.INTER_AREA).astype(np.float32)


def _differ(one: Array, other: Array) -> float:
    return float(np.abs(one - other).mean())


def _shot_at(shots: Sequence[Shot], time: float) -> Shot | None:
    return next((shot for shot in shots if shot.start - 0.001 <= time < shot.end), shots[-1] if shots else None)


def _pack(pixels: Array) -> Array:
    # 95 and full colour: letters read from it are those read from the picture itself.
    given = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    packed: Array = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), given)[1].reshape(-1)
    return packed


def _unpack(pixels: Array) -> Array:
    if pixels.ndim == 3:
        return pixels
    unpacked: Array = np.ascontiguousarray(np.asarray(cv2.imdecode(pixels, cv2.IMREAD_COLOR))[..., ::-1])
    return unpacked


__all__ = ["EVERY", "SIDE", "Chooser", "measure_sharpness"]
