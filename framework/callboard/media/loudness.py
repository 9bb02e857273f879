"""Loudness by EBU R 128, measured by libavfilter's ebur128. Runs in the decoder only."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import av.error
from av.filter import Graph

from callboard.media import Loudness
from callboard.media.sound import decoded

if TYPE_CHECKING:
    from callboard.media.streams import Container

_GATE = -70.0  # LUFS: the absolute gate of ITU-R BS.1770; what stays under it has no loudness
_SILENT = -120.0  # dBTP, in place of minus infinity


def measure(container: Container) -> Loudness | None:
    """Measure the first sound stream, every channel, as it is decoded; ``None`` where nothing could be decoded."""
    stream = container.prepare(container.audio()[0])
    meter: _Meter | None = None
    try:
        for frame in decoded(container, stream):
            meter = meter or _Meter(frame)
            meter.add(frame)
        return meter.finish() if meter is not None else None
    except (av.error.FFmpegError, ValueError) as error:
        container.problems.append(f"the loudness cannot be measured: {error}")
        return None


class _Meter:
    """A filter graph that is fed frames of one form and reads what it says every 100 ms."""

    def __init__(self, first: Any) -> None:
        self._layout, self._rate = first.layout.name, first.sample_rate
        self._form: tuple[object, ...] = ()
        self._resampler: av.AudioResampler | None = None
        self._samples = 0
        self._said: dict[str, str] = {}
        self._most = {"M": -math.inf, "S": -math.inf}
        graph = Graph()
        self._source = graph.add_abuffer(sample_rate=self._rate, format="dbl", layout=self._layout)
        self._sink = graph.add("abuffersink")
        meter = graph.add("ebur128", "metadata=1:peak=true")
        self._source.link_to(meter)
        meter.link_to(self._sink)
        graph.configure()
        self._graph = graph

    def add(self, frame: Any) -> None:
        """Hear a frame of any form: sound may change its rate or its channels on the way."""
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form:
            self._draw()
            self._form = form
            self._resampler = av.AudioResampler(format="dbl", layout=self._layout, rate=self._rate)
        assert self._resampler is not None
        for done in self._resampler.resample(frame):
            self._push(done)

    def _draw(self) -> None:
        if self._resampler is not None:
            for done in self._resampler.resample(None):
                self._push(done)

    def _push(self, frame: Any) -> None:
        frame.pts, frame.time_base = self._samples, Fraction(1, self._rate)
        self._samples += frame.samples
        self._source.push(frame)
        self._pull()

    def _pull(self) -> None:
        while True:
            try:
                said = self._sink.pull().metadata
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            self._said.update(said)
            for name in self._most:
                self._most[name] = max(self._most[name], float(said.get(f"lavfi.r128.{name}", "-inf")))

    def finish(self) -> Loudness:
        """Hear the end, and say what was measured."""
        self._draw()
        self._source.push(None)
        self._pull()
        said = {name.removeprefix("lavfi.r128."): float(value) for name, value in self._said.items()}
        integrated, peak = said.get("I", _GATE), said.get("true_peak", 0.0)
        return Loudness(
            integrated=round(integrated, 2) if integrated > _GATE else None,
            range=round(said.get("LRA", 0.0), 2),
            true_peak=round(20 * math.log10(peak), 2) if peak > 0 else _SILENT,
            momentary=_above(self._most["M"]),
            short_term=_above(self._most["S"]),
        )


def _above(value: float) -> float | None:
    return round(value, 2) if value > _GATE else None


__all__ = ["measure"]
