"""Image sequences as ffmpeg of the system and a plain reading of the formats see them."""

from __future__ import annotations

import struct
import subprocess
import wave
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from callboard.timedtext.rate import parse_rate
from callboard_placeholder.encoding import Target, Written, samples, suffix, write
from callboard_placeholder.encoding.sequences import numbered
from callboard_placeholder.engine import Array, Order
from callboard_schemas import Brief
from PIL import Image

_COLOURS = [(0, 0, 0), (255, 255, 255), (118, 118, 118), (200, 30, 60), (5, 10, 20)]


def _ordered(frames: int = 5, size: tuple[int, int] = (33, 17), aspect: Fraction = Fraction(1)) -> Order:
    rate = parse_rate("23.976")
    return Order(
        shot="SH010", brief=Brief(), frames=frames, rate=rate, width=size[0], height=size[1], pixel_aspect=aspect
    )


def _flat(order: Order) -> Iterator[Array]:
    for index in range(order.frames):
        yield np.full((order.height, order.width, 3), _COLOURS[index % len(_COLOURS)], np.uint8)


def _written(codec: str, order: Order, folder: Path, sound: Array | None = None) -> Written:
    target = Target(codec=codec, order=order)
    written: Written = write(_flat(order), sound, target, folder / f"made{suffix(codec)}")
    return written


def _light(value: int) -> float:
    """Give the light of an sRGB value by IEC 61966-2-1."""
    part = value / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _chunks(data: bytes) -> dict[str, bytes]:
    found, at = {}, 8
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(name + body)
        found[name.decode()] = body
        at += 12 + length
    return found


def _header(data: bytes) -> dict[str, tuple[str, bytes]]:
    """Read the attributes of an OpenEXR file: name to type and value."""
    assert data[:4] == b"\x76\x2f\x31\x01"
    found, at = {}, 8
    while data[at]:
        name, kind, _ = data[at : at + 512].split(b"\0", 2)
        at += len(name) + len(kind) + 2
        (length,) = struct.unpack_from("<I", data, at)
        found[name.decode()] = (kind.decode(), data[at + 4 : at + 4 + length])
        at += 4 + length
    return found


@pytest.mark.parametrize("codec", ["png", "exr"])
def test_a_sequence_counts_from_1001_and_is_whole(codec: str, tmp_path: Path) -> None:
    """Every picture has its number, in order, and nothing else is there."""
    made = _written(codec, _ordered(7), tmp_path)
    names = [f"made.{1001 + index}.{codec}" for index in range(7)]
    assert [file.name for file in made.files] == names == sorted(file.name for file in tmp_path.iterdir())
    assert made.path == made.files[0]


def test_png_holds_the_pictures_as_they_came(tmp_path: Path) -> None:
    """Every value comes back, tagged as sRGB; there is no date, no program's name, no pixel aspect in it."""
    made = _written("png", _ordered(aspect=Fraction(16, 15)), tmp_path)
    for index, file in enumerate(made.files):
        with Image.open(file) as image:
            assert image.size == (33, 17)
            assert np.all(np.asarray(image) == _COLOURS[index])
        chunks = _chunks(file.read_bytes())
        assert "sRGB" in chunks
        assert not {"tEXt", "iTXt", "zTXt", "tIME"} & set(chunks)
        assert "pHYs" not in chunks


def test_exr_holds_light_in_half_floats(tmp_path: Path) -> None:
    """Middle grey is 0.18 of the light: the curve of sRGB is taken off, to the step of a half float."""
    made = _written("exr", _ordered(aspect=Fraction(2)), tmp_path)
    for file, colour in zip(made.files, _COLOURS, strict=True):
        command = ["ffmpeg", "-v", "error", "-i", str(file), "-f", "rawvideo", "-pix_fmt", "gbrpf32le", "-"]
        raw = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
        green, blue, red = np.frombuffer(raw, "<f4").reshape(3, 17, 33)
        seen = [float(plane[8, 16]) for plane in (red, green, blue)]
        assert seen == [float(np.float16(_light(value))) for value in colour]
        attributes = _header(file.read_bytes())
        channels = attributes["channels"][1]
        names = channels.split(b"\0")[0], [struct.unpack_from("<I", channels, at + 2)[0] for at in (0, 18, 36)]
        assert names == (b"B", [1, 1, 1])  # 1 is HALF
        assert attributes["pixelAspectRatio"] == ("float", struct.pack("<f", 2))
        assert "capDate" not in attributes
    assert abs(_light(118) - 0.18) < 0.002


@pytest.mark.parametrize("codec", ["png", "exr"])
def test_sound_lies_beside_a_sequence(codec: str, tmp_path: Path) -> None:
    """A WAV of 24 bits at 48 kHz, as long as the pictures to the sample, belongs to what was written."""
    order = _ordered(5)
    length = samples(order.rate, 5)
    sound = np.linspace(-1, 1, length * 2, dtype=np.float32).reshape(length, 2)
    made = _written(codec, order, tmp_path, sound)
    assert made.files[-1] == tmp_path / "made.wav"
    with wave.open(str(made.files[-1])) as file:
        assert file.getparams()[:4] == (2, 3, 48_000, length)
        raw = np.frombuffer(file.readframes(length), np.uint8).reshape(-1, 3)
    steps = np.pad(raw, ((0, 0), (1, 0))).view("<i4").reshape(-1, 2) / 2**31
    assert np.abs(steps - sound).max() <= 1.01 / 2**23


def test_many_numbers_outgrow_four_digits(tmp_path: Path) -> None:
    """Beyond 9999 the numbers have five digits and the sequence goes on."""
    names = [numbered(tmp_path / "made.png", index).name for index in (0, 8_998, 8_999, 9_000)]
    assert names == ["made.1001.png", "made.9999.png", "made.10000.png", "made.10001.png"]
