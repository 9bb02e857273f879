"""Films: ProRes and DNxHR in QuickTime with PCM sound, H.264 in MP4 with AAC; each with a timecode track."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Final

import av
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.stream import VideoStream
from callboard.timedtext.rate import Rate

from callboard_placeholder.encoding import sound as sounds
from callboard_placeholder.encoding.feed import Recipe, configure, packets
from callboard_placeholder.encoding.pictures import BT709, VIDEO_RANGE, FilmFrames
from callboard_placeholder.encoding.target import Target
from callboard_placeholder.engine import SAMPLE_RATE, Array, Order

_X264: Final = "threads=4:lookahead-threads=1:sliced-threads=0:cpu-independent=1"
"""The number of threads is in x264's bytes, so it is fixed; and no algorithm is chosen by processor."""
_RECIPES: Final = {
    # Profile 1 is LT. FFmpeg's other encoder, prores_ks, makes files a fifth smaller in three to five times the time.
    "prores": Recipe(encoder="prores", pixels="yuv422p10le", options={"profile": "1"}, even=True),
    # FFmpeg's quick transforms of 8 bits differ between processors; the one in integers does not.
    "dnxhr": Recipe(
        encoder="dnxhd",
        pixels="yuv422p",
        options={"profile": "dnxhr_lb", "dct": "int"},
        threading="SLICE",
        least=(256, 120),
    ),
    "h264": Recipe(
        encoder="libx264",
        pixels="yuv420p",
        options={"preset": "veryfast", "crf": "20", "x264-params": f"{_X264}:keyint=1:scenecut=0"},
        threads=4,
        intra=False,
        even=True,
    ),
}
_LONG_GOP: Final = {"preset": "veryfast", "crf": "23", "x264-params": f"{_X264}:bframes=2:open-gop=0"}
_TIMECODED: Final = frozenset((24, 25, 30, 48, 50, 60, 100, 120, 150))
"""Frames a second that FFmpeg writes a timecode track for."""
_PROGRESSIVE: Final = 1


def recipe(target: Target) -> Recipe:
    """Give how the encoder of a target is set."""
    found = _RECIPES[target.codec]
    if target.codec == "h264" and target.order.parameters.get("long_gop") is True:
        return Recipe(
            encoder=found.encoder,
            pixels=found.pixels,
            options=_LONG_GOP,
            threads=found.threads,
            intra=False,
            gop=2 * target.order.rate.nominal,
            even=found.even,
        )
    return found


def timecode(order: Order) -> str:
    """Give the timecode of the first frame, within a day; empty where a rate has no timecode track."""
    rate = order.rate
    if rate.nominal not in _TIMECODED:
        return ""
    return rate.timecode(order.start % _day(rate))


def _day(rate: Rate) -> int:
    """Give how many frames timecode counts until it begins again."""
    if not rate.drop:
        return rate.nominal * 86_400
    left_out = 2 * rate.nominal // 30
    return 144 * (rate.nominal * 600 - 9 * left_out)


def write_film(pictures: Iterator[Array], sound: Array | None, target: Target, path: Path) -> None:
    """Write a film.

    Args:
        pictures: Exactly as many as ordered; see ``pictures.exactly``.
        sound: As ``sound.fitted`` gives it.
        target: What it is written as.
        path: Where to; there is nothing yet.
    """
    order, how = target.order, recipe(target)
    with av.open(
        str(path.absolute()), "w", format=path.suffix[1:], container_options=_options(order, path.suffix)
    ) as film:
        video = film.add_stream(how.encoder, rate=order.rate.fps)
        assert isinstance(video, VideoStream)
        _describe(video, how, order)
        track = _Track(film, sound, order) if sound is not None else None
        for index, packet in enumerate(packets(video.codec_context, how, pictures, FilmFrames())):
            packet.stream = video
            film.mux(packet)
            if track is not None:
                track.until(index + 1)
        if track is not None:
            track.end()


def _options(order: Order, suffix: str) -> dict[str, str]:
    """Count times in the header so finely that neither a frame nor a sample is rounded."""
    exact = lcm(order.rate.numerator, SAMPLE_RATE)
    scale = exact if exact < 1 << 31 else order.rate.numerator
    options = {
        "fflags": "+bitexact",
        "movie_timescale": str(scale),
        "video_track_timescale": str(_scale(order.rate)),
        "use_editlist": "1",
    }
    return options | ({"movflags": "+faststart"} if suffix == ".mp4" else {})


def _scale(rate: Rate) -> int:
    """Give the ticks a second of the picture's track: a multiple of the rate's numerator, of some thousands."""
    return rate.numerator * -(-10_000 // rate.numerator)


def _describe(video: VideoStream, how: Recipe, order: Order) -> None:
    codec = video.codec_context
    configure(codec, how, order)
    codec.color_primaries = codec.color_trc = codec.colorspace = BT709
    codec.color_range = VIDEO_RANGE
    codec.field_order = _PROGRESSIVE
    video.time_base = 1 / order.rate.fps
    if code := timecode(order):
        video.metadata["timecode"] = code


class _Track:
    """The sound of a film, written along with its pictures."""

    def __init__(self, film: OutputContainer, sound: Array, order: Order) -> None:
        self._film, self._sound, self._order = film, sound, order
        self._done = 0
        self._layout = sounds.layout(sound)
        self._exact = film.format.name == "mov"
        self._stream: AudioStream = film.add_stream(
            "pcm_s24le" if self._exact else "aac", rate=SAMPLE_RATE, layout=self._layout
        )
        codec = self._stream.codec_context
        codec.thread_count = 1
        codec.flags |= Flags.bitexact
        if not self._exact:
            codec.bit_rate = 96_000 * sound.shape[1]

    def until(self, frame: int) -> None:
        """Write what sounds before *frame*."""
        end = min(sounds.samples(self._order.rate, frame), len(self._sound))
        if end > self._done:
            self._film.mux(self._stream.encode(self._block(self._done, end)))
            self._done = end

    def end(self) -> None:
        """Write what the encoder still has."""
        self._film.mux(self._stream.encode(None))

    def _block(self, start: int, end: int) -> av.AudioFrame:
        steps = sounds.integers(self._sound[start:end])
        if self._exact:
            frame = av.AudioFrame.from_ndarray((steps << 8).reshape(1, -1), format="s32", layout=self._layout)
        else:
            planes = (steps.T / (1 << 23)).astype("float32")
            frame = av.AudioFrame.from_ndarray(planes.copy(), format="fltp", layout=self._layout)
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        return frame


__all__ = ["recipe", "timecode", "write_film"]
