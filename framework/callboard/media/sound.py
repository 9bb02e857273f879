"""Sound from a container: mono or by channel, resampled, on one unbroken time line. Runs in the decoder only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import av
import av.error
import numpy as np

from callboard.media import AudioBlock

if TYPE_CHECKING:
    from callboard.media.streams import Container

_TOLERANCE = 0.02  # seconds; smaller steps are rounding of timestamps, not gaps
_LONGEST_GAP = 86_400.0  # seconds; a longer leap is a clock that was reset, not silence

Samples = np.ndarray[Any, np.dtype[np.float32]]


def blocks(container: Container, rate: int, block_seconds: float, *, channels: bool = False) -> Iterator[AudioBlock]:
    """Give the first sound stream in blocks of *block_seconds*, the last one shorter; mono, or a column a channel."""
    size = max(1, round(rate * block_seconds))
    waiting: list[Samples] = []
    held = given = 0
    for samples in _Timeline(container, rate, channels=channels).samples(size):
        waiting.append(samples)
        held += len(samples)
        while held >= size:
            joined = np.concatenate(waiting)
            yield AudioBlock(given / rate, rate, joined[:size])
            given += size
            waiting, held = [joined[size:]], len(joined) - size
    if held:
        yield AudioBlock(given / rate, rate, np.concatenate(waiting))


class _Timeline:
    """Lays decoded sound where its timestamps say: silence in gaps, overlaps cut."""

    def __init__(self, container: Container, rate: int, *, channels: bool) -> None:
        self._container, self._rate = container, rate
        self._stream = container.prepare(container.audio()[0])
        # What follows a change of layout in mid-stream is mixed to the channels that the stream began with.
        self._layout = self._stream.codec_context.layout if channels else av.AudioLayout("mono")
        self._duration = (container.av.duration or 0) / 1_000_000
        self._resampler: av.AudioResampler | None = None
        self._form: tuple[object, ...] = ()
        self._expected: float | None = None
        """Where the next frame should start, in seconds; ``None`` before the first."""
        self._offset = 0.0
        """Added to timestamps after a clock was reset."""
        self._given = 0
        self._cut = 0
        """Samples still to be dropped because they overlap what was given."""

    def samples(self, most: int) -> Iterator[Samples]:
        """Give everything in order; silence in pieces of at most *most* samples."""
        for frame in decoded(self._container, self._stream):
            time = self._time(frame)
            form = (frame.format.name, frame.layout.name, frame.sample_rate)
            if self._expected is None or abs(time - self._expected) > _TOLERANCE or form != self._form:
                yield from self._finish()
                yield from self._move_to(time, most)
                self._form = form
                self._expected = time
                self._resampler = av.AudioResampler(format="flt", layout=self._layout, rate=self._rate)
            self._expected = (self._expected or 0.0) + frame.samples / frame.sample_rate
            assert self._resampler is not None
            for done in self._resampler.resample(frame):
                yield from self._give(self._shaped(_array(done)))
        yield from self._finish()

    def _time(self, frame: Any) -> float:
        """Place a frame; a leap that no file length explains counts as a reset of the clock."""
        if frame.time is None:
            return self._expected or 0.0
        time = float(frame.time - float(self._container.start) + self._offset)
        expected = self._expected or 0.0
        gap = time - expected
        if gap > _LONGEST_GAP or (gap > _TOLERANCE and time > max(self._duration, expected + 600.0)) or gap < -600.0:
            self._offset += expected - time
            self._container.problems.append("the clock of the sound jumps; it is joined without a gap")
            return expected
        return time

    def _move_to(self, time: float, most: int) -> Iterator[Samples]:
        missing = round(time * self._rate) - self._given
        self._cut = max(0, -missing)
        while missing > 0:
            piece = self._shaped(np.zeros(min(missing, most) * self._layout.nb_channels, np.float32))
            missing -= len(piece)
            self._container.alive()
            yield from self._give(piece)

    def _give(self, samples: Samples) -> Iterator[Samples]:
        if self._cut:
            dropped = min(self._cut, len(samples))
            self._cut -= dropped
            samples = samples[dropped:]
        if len(samples):
            self._given += len(samples)
            yield samples

    def _shaped(self, samples: Samples) -> Samples:
        """Give each channel its column, where there are more than one or they were asked for."""
        return samples if self._layout.name == "mono" else samples.reshape(-1, self._layout.nb_channels)

    def _finish(self) -> Iterator[Samples]:
        """Draw what the resampler still holds."""
        if self._resampler is None:
            return
        for done in self._resampler.resample(None):
            yield from self._give(self._shaped(_array(done)))
        self._resampler = None


def decoded(container: Container, stream: Any) -> Iterator[Any]:
    """Decode a stream from where the container stands; what is damaged is left out and noted."""
    damaged = 0
    packets = container.av.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.error.FFmpegError, OSError) as error:
            container.problems.append(f"the file cannot be read to its end: {error}")
            break
        if packet is None:
            break
        container.alive()
        try:
            yield from packet.decode()
        except (av.error.FFmpegError, ValueError):
            damaged += 1
    if damaged:
        container.problems.append(f"{damaged} packets of the sound could not be decoded")


def _array(frame: Any) -> Samples:
    samples: Samples = np.ascontiguousarray(frame.to_ndarray().reshape(-1)).clip(-1.0, 1.0)
    return np.nan_to_num(samples, copy=False)


__all__ = ["blocks", "decoded"]
