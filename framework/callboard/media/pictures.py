"""Frames from a container: decoded in a row, or sought for, whichever costs less. Runs in the decoder only."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import av.error
import numpy as np
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from callboard.media import Frame, Wanted
from callboard.media.geometry import display_size, fit, upright
from callboard.media.source import NotMedia

if TYPE_CHECKING:
    from callboard.media.streams import Container

_SLACK = 0.001  # seconds; a frame this close before its target is the target's: containers round times to 1 ms
_SLACK_SHOWN = 0.0006  # the same, and two frames that are 1 ms apart are told apart
_REORDER = 0.5  # seconds by which a key frame may be shown after the decoding time that the index holds
_BACK = (_REORDER, 10.0, 60.0)  # seconds before a single frame to seek to, in turn, until a key frame precedes it
_EXACT = Interpolation.ACCURATE_RND | Interpolation.BITEXACT
_WORTH = 1.0  # seconds of decoding that a seek must save; a seek drains and refills every decoding thread


class _Decoded(NamedTuple):
    number: int
    time: float
    frame: Any


def frames(container: Container, wanted: Wanted) -> Iterator[Frame]:
    """Give upright RGB frames of the first picture stream: the first one, then the first at or after each step.

    Large versions come with the first frame, and with the first at or after each of their own steps.

    Raises:
        NotMedia: not one frame can be decoded.
    """
    reader = _Reader(container)
    if wanted.at is not None:
        yield _single(reader, container, wanted.at, wanted.max_side)
        return
    aspect = container.aspect(container.video()[0])
    render, render_large = _Renderer(wanted.max_side, aspect), _Renderer(wanted.large_side, aspect)
    given, target, large_target = 0, float("-inf"), float("-inf")
    while (found := reader.read(target)) is not None:
        large = None
        if wanted.large_side and found.time + _SLACK >= large_target:
            large = render_large(found.frame)
            large_target = _next(found.time, wanted.large_every)
        yield Frame(found.time, found.number, render(found.frame), large)
        given += 1
        if wanted.limit and given >= wanted.limit:
            return
        if wanted.every > 0:
            target = _next(found.time, wanted.every)
    if not given:
        raise NotMedia("holds no picture that can be decoded", "Copy or export it again.")


def _single(reader: _Reader, container: Container, at: float, max_side: int) -> Frame:
    found = reader.shown_at(at)
    if found is None:
        raise NotMedia("holds no picture that can be decoded", "Copy or export it again.")
    render = _Renderer(max_side, container.aspect(container.video()[0]))
    return Frame(found.time, found.number, render(found.frame))


def _next(time: float, every: float) -> float:
    """Say when the step after *time* begins."""
    return ((max(time, 0.0) + _SLACK) // every + 1) * every if every > 0 else time


class _Reader:
    """Decodes one stream forwards, and leaps to key frames where that saves work."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._stream = container.prepare(container.video()[0])
        self._rate = float(self._stream.average_rate or 25)
        self._start = float(container.start)
        self._keys = self._key_times()
        self._last = _Decoded(-1, 0.0, None)
        self._leapt = False
        self._damaged = 0
        self._frames = self._decode()

    def read(self, target: float) -> _Decoded | None:
        """Return the next frame at or after *target* seconds; ``None`` at the end."""
        self._leap(target)
        for found in self._frames:
            if found.time + _SLACK >= target:
                return found
        if self._damaged:
            self._container.problems.append(f"{self._damaged} packets of the picture could not be decoded")
            self._damaged = 0
        return None

    def shown_at(self, at: float) -> _Decoded | None:
        """Return the last frame that begins at or before *at* seconds, else the first; ``None`` where there is none."""
        length = (self._container.av.duration or 0) / 1_000_000
        end = min(at, length) if length else at
        for back in _BACK:
            if end <= back or not self._seek(end - back):
                break
            if (found := self._forward(at)) is not None:
                return found
        self._container.reopen()
        self._stream = self._container.prepare(self._container.video()[0])
        self._restart(leapt=False)
        return self._forward(at, first=True)

    def _forward(self, at: float, *, first: bool = False) -> _Decoded | None:
        """Decode from where the container stands up to *at*; what precedes a key frame is not whole, and passed over.

        Args:
            at: Seconds.
            first: Take any frame, and the first one where all are later.
        """
        shown: _Decoded | None = None
        whole = first
        for found in self._frames:
            if self._leapt and found.frame.time is None:
                return None  # only counting from the start tells its time
            whole = whole or bool(found.frame.key_frame)
            if found.time > at + _SLACK_SHOWN:
                return shown or (found if first else None)
            if whole:
                shown = found
        return shown

    def _seek(self, time: float) -> bool:
        """Go to the key frame before *time*; whether the container can."""
        offset = round((time + self._start) / self._stream.time_base)
        try:
            self._container.av.seek(offset, stream=self._stream)
        except av.error.FFmpegError:
            return False
        self._restart(leapt=True)
        return True

    def _restart(self, *, leapt: bool) -> None:
        self._leapt, self._last = leapt, _Decoded(-1, 0.0, None)
        self._frames = self._decode()

    def _key_times(self) -> list[float]:
        base = self._stream.time_base
        keys = (entry.timestamp for entry in self._stream.index_entries if entry.is_keyframe)
        return sorted(float(key * base) - self._start for key in keys)

    def _leap(self, target: float) -> None:
        """Seek to the last key frame before *target*, when it lies well ahead of where decoding stands."""
        at = bisect.bisect_right(self._keys, target - _REORDER) - 1
        if at < 0 or self._keys[at] < self._last.time + _WORTH:
            return
        offset = round((self._keys[at] + self._start) / self._stream.time_base)
        try:
            self._container.av.seek(offset, stream=self._stream)
        except av.error.FFmpegError:
            self._keys = []  # decode in a row from here on
            return
        self._leapt = True

    def _decode(self) -> Iterator[_Decoded]:
        packets = self._container.av.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.error.FFmpegError, OSError) as error:
                self._container.problems.append(f"the file cannot be read to its end: {error}")
                return
            self._container.alive()
            try:
                decoded = packet.decode()
            except (av.error.FFmpegError, ValueError):
                self._damaged += 1
                continue
            for frame in decoded:
                self._last = self._place(frame)
                yield self._last

    def _place(self, frame: Any) -> _Decoded:
        """Give a frame its time and number: counted while decoding in a row, reckoned from the time after a leap."""
        behind = 1 / self._rate if self._last.frame is not None else 0.0
        time = self._last.time + behind if frame.time is None else frame.time - self._start
        if self._container.still:
            time = 0.0
        index = round(time * self._rate) if self._leapt else self._last.number + 1
        return _Decoded(max(index, 0), time, frame)


class _Renderer:
    """Makes upright RGB arrays in square pixels."""

    def __init__(self, max_side: int, aspect: float) -> None:
        self._max_side, self._aspect = max_side, aspect
        # What is made of pictures in full may have to be the same on every processor; small ones are for looking at,
        # and swscale's quick ways, which differ by processor, take half the time.
        self._exact = _EXACT if max_side == 0 else Interpolation(0)
        self._scaler = VideoReformatter()  # keeps swscale's tables between frames of one size

    def __call__(self, frame: Any) -> np.ndarray[Any, Any]:
        from callboard.media.streams import turn_of

        size = display_size(frame.width, frame.height, self._aspect)
        width, height = fit(*size, self._max_side)
        smaller = width < frame.width
        rgb = self._scaler.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=_matrix(frame),
            interpolation=(Interpolation.AREA if smaller else Interpolation.BICUBIC) | self._exact,
        )
        return upright(rgb.to_ndarray(), turn_of(frame))


def _matrix(frame: Any) -> int | None:
    """Name the colour matrix of YUV that does not say its own: players take BT.709 from 720 lines up."""
    unsaid = frame.colorspace == 2 and not frame.format.is_rgb  # AVCOL_SPC_UNSPECIFIED
    return int(Colorspace.ITU709) if unsaid and frame.height >= 720 else None


__all__ = ["frames"]
