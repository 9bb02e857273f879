"""Synthetic media for a recording: two films, a sound and a subtitle file, of two seconds each."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Final

from callboard.errors import MissingExtra

from callboard_resolve.rehearsal.replay import MEDIA, SUBTITLES

RATE: Final = 24
FRAMES: Final = 48
SIZE: Final = (320, 180)
_CODEC: Final = "prores_ks"
"""ProRes is read by Resolve on every system; H.264 is not by the free edition on Linux."""
_SHADES: Final = {"picture": (110, 90), "other": (160, 170)}


def make(folder: Path) -> dict[str, str]:
    """Write the media into a folder, and give each absolute path by what it is.

    Raises:
        MissingExtra: PyAV or NumPy is not installed.
    """
    paths = {what: folder / name for what, name in MEDIA.items()}
    for what, shade in _SHADES.items():
        _film(paths[what], shade)
    with wave.open(str(paths["sound"]), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(48_000)
        sound.writeframes(bytes(2 * 48_000 * FRAMES // RATE))
    paths["subtitles"].write_text(SUBTITLES, "utf-8")
    return {what: str(path.absolute()) for what, path in paths.items()}


def _film(path: Path, shade: tuple[int, int]) -> None:
    try:
        import av
        import numpy as np
    except ImportError as error:
        raise MissingExtra("a recording", error.name or "av", "media") from None

    with av.open(str(path), "w") as film:
        stream = film.add_stream(_CODEC, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv422p10le"
        for number in range(FRAMES):
            picture = np.full((SIZE[1], SIZE[0], 3), (*shade, number * 5), np.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        film.mux(stream.encode(None))


__all__ = ["FRAMES", "RATE", "make"]
