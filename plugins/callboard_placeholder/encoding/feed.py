"""Feeds an encoder picture by picture; what does not change is encoded once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import av
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from msgspec import Struct

from callboard_placeholder.engine import Array, Order

if TYPE_CHECKING:
    Packet = av.Packet[Any]

_MOST_THREADS: Final = 8
_MOST_PIXELS: Final = 1 << 27
"""In work at once: four pictures of 8K, which take about a gigabyte."""


class Recipe(Struct, frozen=True, kw_only=True):
    """How an encoder is set."""

    encoder: str
    """FFmpeg's name."""
    pixels: str
    options: dict[str, str] = {}
    threads: int = 0
    """Fixed where their number shows in the bytes; 0 takes what the machine has."""
    threading: str = "FRAME"
    intra: bool = True
    """Each packet is a whole picture and knows nothing of the others, so that it may be written again."""
    gop: int = 1
    least: tuple[int, int] = (1, 1)
    """Smallest width and height that the format knows."""
    even: bool = False
    """Whether width and height must be even."""


def threads(order: Order) -> int:
    """Give how many pictures this process may have in work, by its processors and by the size of the pictures."""
    affinity = getattr(os, "sched_getaffinity", None)
    processors = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(min(processors, _MOST_THREADS, _MOST_PIXELS // (order.width * order.height)), 1)


def configure(codec: VideoCodecContext, recipe: Recipe, order: Order) -> None:
    """Set an encoder up for an order, so that its bytes depend on nothing else."""
    codec.width, codec.height, codec.pix_fmt = order.width, order.height, recipe.pixels
    codec.framerate, codec.time_base = order.rate.fps, 1 / order.rate.fps
    codec.sample_aspect_ratio = order.pixel_aspect
    codec.options = dict(recipe.options)
    codec.gop_size = recipe.gop
    codec.thread_count = recipe.threads or threads(order)
    codec.thread_type = recipe.threading
    codec.flags |= Flags.bitexact


def packets(
    codec: VideoCodecContext, recipe: Recipe, pictures: Iterator[Array], frame_of: Callable[[Array, str], av.VideoFrame]
) -> Iterator[Packet]:
    """Encode pictures and give one packet for each, in the order they are decoded.

    A picture that equals the one before it is not encoded again where its packet stands for itself.
    """
    feed = _Feed(codec, recipe)
    for index, picture in enumerate(pictures):
        yield from feed.take(index, picture, frame_of)
    yield from feed.end()


class _Feed:
    def __init__(self, codec: VideoCodecContext, recipe: Recipe) -> None:
        self._codec, self._recipe = codec, recipe
        self._tick = codec.time_base
        self._last: Array | None = None
        self._places: list[list[int]] = []
        """Of each picture that the encoder has not given back, at which frames it is shown."""
        self._packet: bytes = b""

    def take(self, index: int, picture: Array, frame_of: Callable[[Array, str], av.VideoFrame]) -> Iterator[Packet]:
        """Take the picture of frame *index*, and give what is ready."""
        if self._recipe.intra:
            if self._last is not None and np.array_equal(self._last, picture):
                if self._places:
                    self._places[-1].append(index)
                else:
                    yield self._again(index)
                return
            self._last = picture.copy()  # an engine may draw the next one into the same array
            self._places.append([index])
        frame = frame_of(picture, self._recipe.pixels)
        frame.pts, frame.time_base = index, self._tick
        yield from self._given(self._codec.encode(frame))

    def end(self) -> Iterator[Packet]:
        """Give what the encoder still has."""
        yield from self._given(self._codec.encode(None))

    def _given(self, found: list[Packet]) -> Iterator[Packet]:
        for packet in found:
            if not self._recipe.intra:
                packet.duration = 1
                yield packet
                continue
            self._packet = bytes(packet)
            for index in self._places.pop(0):
                yield self._again(index)

    def _again(self, index: int) -> Packet:
        packet: Packet = av.Packet(self._packet)
        packet.time_base = Fraction(self._tick)
        packet.pts = packet.dts = index
        packet.duration = 1
        packet.is_keyframe = True
        return packet


__all__ = ["Recipe", "configure", "packets", "threads"]
