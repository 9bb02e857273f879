"""Films whose every picture says which film and which frame it is, so that an edit can be checked to the frame.

The number of the film and that of the frame are written as bright and dark fields, large enough to outlive any codec
and scaler.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

_COLUMNS, _ROWS = 12, 2
_FILM_BITS = 8
_BITS = _COLUMNS * _ROWS
WIDTH, HEIGHT = 192, 108
_DARK, _BRIGHT = 40, 210
"""Far from each other, and from the ends that video levels cut off."""

STANDS_IN = """
    import hashlib
    from pathlib import Path
    import msgspec
    from callboard import Placeholder, hookimpl
    from callboard.testing import countedclips
    from callboard.timedtext.rate import parse_rate
    from callboard_schemas import PlaceholderRequested

    @hookimpl
    def callboard_handle(event, context):
        asked = msgspec.json.decode(event.data, type=PlaceholderRequested)
        folder = context.output / asked.shot
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{asked.shot}_PLACEHOLDER_v001_{Path(asked.timeline).suffix[1:]}.mov"
        number, rate = 100 + int(asked.shot[2:]) // 10, parse_rate(asked.counted)
        countedclips.write(path, number, asked.frames, rate.fps, timecode=asked.start)
        digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
        return Placeholder(
            shot=asked.shot, generator="counted", file=str(path), digest=digest, confidence=1.0, rate=asked.counted,
            frames=asked.frames, width=asked.width, height=asked.height, start=asked.start, timeline=asked.timeline,
            ref=asked.ref)
"""
"""A plugin's code: its placeholders are such films, and their number is 100 and the tens of the shot's, as in SH020."""

Array = np.ndarray[Any, Any]


def picture(film: int, frame: int, width: int = WIDTH, height: int = HEIGHT) -> Array:
    """Draw a picture: uint8, height x width x 3, RGB.

    Args:
        film: 0 to 255.
        frame: 0 to 65535.
        width: Pixels, at least 96.
        height: Pixels, at least 16.
    """
    code = film << (_BITS - _FILM_BITS) | frame
    cells = np.array([code >> (_BITS - 1 - bit) & 1 for bit in range(_BITS)], dtype=np.uint8).reshape(_ROWS, _COLUMNS)
    rows, columns = np.arange(height) * _ROWS // height, np.arange(width) * _COLUMNS // width
    grey = np.where(cells[rows][:, columns] > 0, _BRIGHT, _DARK).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


@lru_cache(maxsize=8)
def _samples(height: int, width: int) -> tuple[Array, Array]:
    """Give rows and columns of nine points around the middle of each field, in the order of the bits."""
    steps = np.array([0.4, 0.5, 0.6])
    row, column = np.divmod(np.arange(_BITS), _COLUMNS)
    rows = ((row[:, None] + steps) * height / _ROWS).astype(int)
    columns = ((column[:, None] + steps) * width / _COLUMNS).astype(int)
    return np.repeat(rows, 3, axis=1), np.tile(columns, 3)


def read(pixels: Array) -> tuple[int, int] | None:
    """Read film and frame off a picture, height x width or height x width x 3; nothing where it is none of ours."""
    rows, columns = _samples(pixels.shape[0], pixels.shape[1])
    fields = pixels[rows, columns].reshape(_BITS, -1).astype(np.float32).mean(axis=1)
    if np.minimum(abs(fields - _DARK), abs(fields - _BRIGHT)).max() > 45:  # half of what lies between, less some margin
        return None
    code = int(sum(1 << (_BITS - 1 - int(bit)) for bit in np.flatnonzero(fields > (_DARK + _BRIGHT) / 2)))
    return code >> (_BITS - _FILM_BITS), code & ((1 << (_BITS - _FILM_BITS)) - 1)


def write(
    path: Path,
    film: int,
    frames: int,
    rate: Fraction | int,
    *,
    timecode: str = "",
    reel: str = "",
    first: int = 0,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> Path:
    """Write a film whose pictures count from *first*, each a key frame; gives its path.

    Args:
        path: Its suffix says the container: ``.mov``, ``.mkv``.
        film: 0 to 255.
        frames: How many.
        rate: Frames per second.
        timecode: Of its first frame, in QuickTime files.
        reel: The tape or card that it is said to be from.
        first: Number of its first picture.
        size: Width and height in pixels, even.
    """
    import av

    with av.open(str(path), "w") as container:
        if timecode:
            container.metadata["timecode"] = timecode
        if reel:
            container.metadata["reel_name"] = reel
        stream: Any = container.add_stream("mpeg4", rate=Fraction(rate))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.gop_size = 1
        stream.metadata["reel_name"] = reel
        for number in range(frames):
            made = av.VideoFrame.from_ndarray(picture(film, first + number, *size), format="rgb24")
            made.pts = number
            made.time_base = 1 / Fraction(rate)
            container.mux(stream.encode(made))
        container.mux(stream.encode(None))
    return path


def seen(path: Path) -> Iterator[tuple[int, int] | None]:
    """Read film and frame off each picture of a film with YUV colours, in the order in which they are shown."""
    import av

    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            plane = frame.planes[0]  # its brightness; converting each picture would take ten times as long
            rows: Array = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            yield read(rows[: frame.height, : frame.width])


def runs(found: Sequence[tuple[int, int] | None]) -> list[tuple[int, int, int, int]]:
    """Put pictures that follow each other together: place in the whole, film, first frame, and how many."""
    result: list[tuple[int, int, int, int]] = []
    for place, one in enumerate(found):
        film, frame = one if one is not None else (-1, 0)
        begin, last, number, count = result[-1] if result else (-1, -2, 0, 0)
        if result and film == last and (film < 0 or frame == number + count):
            result[-1] = (begin, last, number, count + 1)
        else:
            result.append((place, film, frame, 1))
    return result


__all__ = ["HEIGHT", "STANDS_IN", "WIDTH", "picture", "read", "runs", "seen", "write"]
