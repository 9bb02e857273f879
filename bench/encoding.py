"""Encoding of placeholders beside the same done with PyAV by hand and by FFmpeg's program, with the same settings.

    python bench/encoding.py [--frames 12] [--rounds 2] [--size 1920x1080] [--only prores ...]

Three kinds of pictures: ``slate`` has a few letters that change from picture to picture, ``noise`` is grain over a
gradient as cameras see it, ``still`` is one picture throughout. PyAV by hand converts with swscale's defaults, which
differ between processors, and with as many threads as it likes; FFmpeg's program is fed raw pictures by a pipe.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from callboard.timedtext.rate import parse_rate
from callboard_placeholder.encoding import Target, suffix, write
from callboard_placeholder.encoding.films import recipe
from callboard_placeholder.encoding.sequences import RECIPES
from callboard_placeholder.engine import Array, Order
from callboard_schemas import Brief

CODECS = ("prores", "dnxhr", "h264", "png", "exr")
RATE = Fraction(25)


def made(kind: str, order: Order) -> list[Array]:
    """Make eight pictures that are shown in turn, or one."""
    high, wide = order.height, order.width
    random = np.random.default_rng(0)
    if kind == "noise":
        grey = np.add.outer(np.arange(high), np.arange(wide))[..., None] * np.array([1, 2, 3]) * 64 / (high + wide)
        return [np.clip(grey + random.normal(40, 4, (high, wide, 3)), 0, 255).astype(np.uint8) for _ in range(8)]
    card = np.full((high, wide, 3), 70, np.uint8)
    card[high // 3 : high // 3 + 4] = 200
    card[:, wide // 3 : wide // 3 + 4] = 200
    if kind == "still":
        return [card]
    cards = [card.copy() for _ in range(8)]
    for one in cards:  # eleven letters of a timecode
        one[high * 8 // 9 : high * 8 // 9 + 40, 100:540] = (
            random.integers(0, 2, (5, 55, 1)).repeat(8, 0).repeat(8, 1) * 250
        )
    return cards


def turns(pictures: list[Array], frames: int) -> Iterator[Array]:
    """Give pictures in turn."""
    return (pictures[index % len(pictures)] for index in range(frames))


def ours(codec: str, order: Order, pictures: list[Array], folder: Path) -> None:
    """Encode as the maker does."""
    write(turns(pictures, order.frames), None, Target(codec=codec, order=order), folder / f"ours{suffix(codec)}")


def settings(codec: str, order: Order) -> Any:
    """Give the encoder's name, pixel format and options."""
    return recipe(Target(codec=codec, order=order)) if codec in ("prores", "dnxhr", "h264") else RECIPES[codec]


def by_hand(codec: str, order: Order, pictures: list[Array], folder: Path) -> None:
    """Encode with PyAV as its cookbook does."""
    how = settings(codec, order)
    film = suffix(codec) in (".mov", ".mp4")
    name = f"hand{suffix(codec)}" if film else f"hand.%04d{suffix(codec)}"
    with av.open(str(folder / name), "w", format=None if film else "image2") as out:
        stream: Any = out.add_stream(how.encoder, rate=RATE, options=dict(how.options))
        stream.width, stream.height, stream.pix_fmt = order.width, order.height, how.pixels
        for picture in turns(pictures, order.frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=how.pixels)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def program(codec: str, order: Order, pictures: list[Array], folder: Path) -> None:
    """Encode with FFmpeg's program."""
    how = settings(codec, order)
    film = suffix(codec) in (".mov", ".mp4")
    options = [part for key, value in how.options.items() for part in (f"-{key}", value)]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{order.width}x{order.height}", "-r", str(RATE), "-i", "-"]
    name = f"program{suffix(codec)}" if film else f"program.%04d{suffix(codec)}"
    command = ["ffmpeg", "-v", "error", "-y", *raw, "-c:v", how.encoder, "-pix_fmt", how.pixels, *options, name]
    run = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=folder)
    assert run.stdin is not None
    for picture in turns(pictures, order.frames):
        run.stdin.write(picture.data)
    run.stdin.close()
    if run.wait(timeout=600):
        raise SystemExit(f"ffmpeg failed: {command}")


SIDES: dict[str, Callable[[str, Order, list[Array], Path], None]] = {
    "ours": ours,
    "PyAV by hand": by_hand,
    "ffmpeg": program,
}


def measure(codec: str, kind: str, order: Order, rounds: int) -> None:
    """Let each side encode in turn, and print frames a second and what ours is of each."""
    pictures = made(kind, order)
    taken: dict[str, list[float]] = {side: [] for side in SIDES}
    for _ in range(rounds):
        for side, encode in SIDES.items():
            with tempfile.TemporaryDirectory() as folder:
                began = time.perf_counter()
                encode(codec, order, pictures, Path(folder))
                taken[side].append(order.frames / (time.perf_counter() - began))
    rates = {side: statistics.median(found) for side, found in taken.items()}
    peers = "  ".join(
        f"{side} {rate:7.1f} (x{rates['ours'] / rate:.2f})" for side, rate in rates.items() if side != "ours"
    )
    print(f"{codec:<7} {kind:<6} ours {rates['ours']:7.1f} frames/s  {peers}", flush=True)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--only", nargs="+", choices=CODECS, default=CODECS)
    given = parser.parse_args()
    wide, high = map(int, given.size.split("x"))
    order = Order(shot="B010", brief=Brief(), frames=given.frames, rate=parse_rate("25"), width=wide, height=high)
    for codec in given.only:
        for kind in ("slate", "noise", "still"):
            measure(codec, kind, order, given.rounds)
    print(f"{given.size}, {given.frames} frames, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
