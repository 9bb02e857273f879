"""Image sequences: PNG as pictures are seen, EXR as light in half floats, with the sound in a file beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext

from callboard_placeholder.encoding.feed import Recipe, configure, packets
from callboard_placeholder.encoding.pictures import BT709, FULL_RANGE, SRGB_CURVE, still_frame
from callboard_placeholder.encoding.sound import write_wav
from callboard_placeholder.encoding.target import FIRST_NUMBER, Target
from callboard_placeholder.engine import Array

RECIPES: Final = {
    "png": Recipe(encoder="png", pixels="rgb24", options={"compression_level": "3", "pred": "up"}),
    "exr": Recipe(encoder="exr", pixels="gbrpf32le", options={"compression": "zip1", "format": "half"}),
}


def write_sequence(
    pictures: Iterator[Array], sound: Array | None, target: Target, path: Path, begin: Callable[[Path], None]
) -> None:
    """Write a sequence.

    Args:
        pictures: Exactly as many as ordered; see ``pictures.exactly``.
        sound: As ``sound.fitted`` gives it.
        target: What it is written as.
        path: ``made.png`` makes ``made.1001.png`` and what follows.
        begin: Told of each file before it is there, the pictures first.
    """
    how = RECIPES[target.codec]
    codec = CodecContext.create(how.encoder, "w")
    assert isinstance(codec, VideoCodecContext)
    configure(codec, how, target.order)
    if target.codec == "png":
        codec.color_primaries, codec.color_trc, codec.color_range = BT709, SRGB_CURVE, FULL_RANGE
    for index, packet in enumerate(packets(codec, how, pictures, still_frame)):
        file = numbered(path, index)
        begin(file)
        data = bytes(packet)
        file.write_bytes(_without_aspect(data) if target.codec == "png" else data)
    if sound is not None:
        file = path.with_suffix(".wav")
        begin(file)
        write_wav(sound, file)


def _without_aspect(data: bytes) -> bytes:
    """Leave the pixel aspect out of a PNG: FFmpeg writes and reads it the other way round than the format says.

    Either way some readers would stretch the picture; as it is, all take its pixels as they are.
    """
    at = 8
    while data[at + 4 : at + 8] != b"IDAT":
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"pHYs":
            return data[:at] + data[end:]
        at = end
    return data


def numbered(path: Path, index: int) -> Path:
    """Give the name of the picture *index*, counted from 0, of the sequence *path*."""
    return path.with_suffix(f".{FIRST_NUMBER + index:04d}{path.suffix}")


__all__ = ["RECIPES", "numbered", "write_sequence"]
