"""Pictures on their way into an encoder: counted, checked, in the colours that films and sequences are written in.

Pictures come as they are to be seen, in sRGB. Films hold the same values by the matrix of BT.709 in video range, tagged
as BT.709, as editors take graphics into a BT.709 timeline. PNG holds them as they are, tagged as sRGB. EXR holds light:
the curve of sRGB (IEC 61966-2-1) is taken off, and its primaries, which are those of BT.709, are what OpenEXR assumes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from callboard.errors import JobError

from callboard_placeholder.engine import Array, Order

BT709: Final = 1
"""Code point of its primaries, its curve and its matrix, in ITU-T H.273."""
SRGB_CURVE: Final = 13
VIDEO_RANGE: Final = 1
FULL_RANGE: Final = 2
"""Code points of ranges in FFmpeg."""
_SCALER: Final = int(
    Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INP | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
)
"""Chroma from every pixel, and the same values whatever the processor."""


def _linear() -> Array:
    """Give the light of each of 256 values, rounded to half floats."""
    value = np.arange(256, dtype=np.float64) / 255
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float16).astype(np.float32)


_LIGHT: Final = _linear()


def exactly(pictures: Iterator[Array], order: Order) -> Iterator[Array]:
    """Pass pictures on, and see that they are as many and as large as were ordered.

    Raises:
        JobError: there are fewer or more, or one is no RGB picture of that size.
    """
    frames, shape = order.frames, (order.height, order.width, 3)
    count = 0
    for picture in pictures:
        if count == frames:
            raise JobError(f"more than {frames} pictures came ({count + 1} or more) where {frames} were ordered")
        if picture.shape != shape or picture.dtype != np.uint8:
            raise JobError(
                f"picture {count} is {picture.shape} of {picture.dtype} where {shape} of uint8 was ordered",
                "Height, width and three colours.",
            )
        yield picture
        count += 1
    if count < frames:
        raise JobError(f"{count} pictures came where {frames} were ordered")


class FilmFrames:
    """Gives pictures as video: BT.709, video range."""

    def __init__(self) -> None:
        self._scaler = VideoReformatter()  # keeps its tables from picture to picture, which saves half the time

    def __call__(self, picture: Array, pixels: str) -> av.VideoFrame:
        """Give a picture in the pixel format *pixels*."""
        frame = self._scaler.reformat(
            av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24"),
            format=pixels,
            src_colorspace=Colorspace.ITU709,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=_SCALER,
            threads=1,
        )
        frame.color_primaries = frame.color_trc = frame.colorspace = BT709
        frame.color_range = VIDEO_RANGE
        return frame


def still_frame(picture: Array, pixels: str) -> av.VideoFrame:
    """Give a picture for an image sequence: as it is for PNG, as light for EXR."""
    if pixels == "rgb24":
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=pixels)
        frame.color_primaries, frame.color_trc, frame.color_range = BT709, SRGB_CURVE, FULL_RANGE
        return frame
    return av.VideoFrame.from_ndarray(_LIGHT[picture], format=pixels)


__all__ = ["BT709", "FULL_RANGE", "SRGB_CURVE", "VIDEO_RANGE", "FilmFrames", "exactly", "still_frame"]
