"""Frames: their times, their turn, their size, and the memory they come in."""

from __future__ import annotations

import contextlib
import itertools
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from callboard import shm
from callboard.errors import MediaError
from callboard.media.client import open_media
from callboard.media.geometry import Turn, turn_of_matrix, upright
from callboard.media.pool import Pool
from callboard.testing.processes import PATIENT
from callboard_schemas import Asset, Place, Sequence
from PIL import Image, ImageOps

SAMPLES = Path(__file__).parents[1] / "media"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder in shared memory; the test fails when something is left in it."""
    made = shm.make_folder()
    yield made
    assert list(made.iterdir()) == []
    made.rmdir()


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg quietly, or fail with its words."""
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True)


def sequence(pattern: str, first: int, last: int, missing: tuple[int, ...] = ()) -> Asset:
    """Return an asset that is an image sequence."""
    return Asset(
        digest="sha256:" + "0" * 64,
        place=Place(root="footage", path="plate/plate"),
        kind="sequence",
        size=1,
        sequence=Sequence(pattern=pattern, first=first, last=last, missing=missing),
    )


def test_every_frame_has_its_time_and_number(folder: Path) -> None:
    """Decoded in a row, frames are numbered from 0 and spaced by the frame rate."""
    with open_media(SAMPLES / "harbour_take3.mp4", shm_folder=folder) as media:
        frames = [(frame.index, frame.time) for frame in media.frames(max_side=32)]
        assert len(frames) == media.probe().video[0].frames
    assert [index for index, _ in frames] == list(range(len(frames)))
    assert [time for _, time in frames] == pytest.approx([number / 24 for number in range(len(frames))], abs=1e-4)


def test_steps_leap_to_the_same_frames_as_decoding_in_a_row(folder: Path, tmp_path: Path) -> None:
    """A frame that was sought for is, pixel for pixel, the frame that decoding everything gives there."""
    path = tmp_path / "long.mp4"
    ffmpeg(
        "-stream_loop",
        "2",
        "-i",
        SAMPLES / "harbour_take3.mp4",
        "-an",
        "-s",
        "160x90",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-bf",
        "2",
        "-g",
        "30",
        path,
    )
    with open_media(path, shm_folder=folder) as media:
        stepped = {frame.index: frame.pixels.copy() for frame in media.frames(every=7.0, max_side=80)}
        whole = {f.index: f.pixels.copy() for f in media.frames(max_side=80) if f.index in stepped}
    assert list(stepped) == [0, 168, 336, 504, 672, 840]
    for index, pixels in stepped.items():
        np.testing.assert_array_equal(pixels, whole[index])


@pytest.mark.parametrize("every", [0.5, 1.0, 3.0])
def test_steps_give_the_first_frame_at_or_after_each(folder: Path, every: float) -> None:
    """With varying rate too, no frame comes before its step, and each step has one."""
    with open_media(SAMPLES / "vfr_phone.mp4", shm_folder=folder) as media:
        times = [frame.time for frame in media.frames(every=every, max_side=16)]
        length = media.probe().duration
    assert len(times) == int(length / every) + 1
    for step, time in enumerate(times):
        assert step * every - 0.001 <= time <= step * every + 0.1


def test_limit_ends_the_frames(folder: Path) -> None:
    """No more frames come than were asked for."""
    with open_media(SAMPLES / "silent_pan.mp4", shm_folder=folder) as media:
        assert [frame.index for frame in media.frames(limit=3)] == [0, 1, 2]


@pytest.mark.parametrize(("max_side", "shape"), [(0, (241, 321, 3)), (100, (75, 100, 3)), (4000, (241, 321, 3))])
def test_frames_are_only_ever_made_smaller(folder: Path, max_side: int, shape: tuple[int, ...]) -> None:
    """The longest side is the one asked for, also of odd sizes; small pictures keep theirs."""
    with open_media(SAMPLES / "odd_size.mkv", shm_folder=folder) as media:
        (frame,) = media.frames(max_side=max_side, limit=1)
    assert frame.pixels.shape == shape
    assert frame.pixels.dtype == np.uint8


def test_turned_video_comes_upright(folder: Path) -> None:
    """The speaker's blue shirt is at the bottom and the hair above the face."""
    with open_media(SAMPLES / "interview.mov", shm_folder=folder) as media:
        (frame,) = media.frames(limit=1)
    assert frame.pixels.shape == (640, 360, 3)
    red, green, blue = frame.pixels[600, 180].astype(int)
    assert blue > red + 40
    assert blue > green + 30
    assert frame.pixels[320, 180].sum() > 2 * frame.pixels[180, 180].sum()


def test_photograph_comes_upright(folder: Path) -> None:
    """The EXIF orientation is applied: the sun stands on the right, sky above."""
    with open_media(SAMPLES / "still_photo.jpg", shm_folder=folder) as media:
        (frame,) = media.frames()
        (small,) = media.frames(max_side=96)
    assert frame.pixels.shape == (640, 960, 3)
    assert frame.pixels[370, 672].min() > 170
    assert small.pixels.shape == (64, 96, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation(folder: Path, tmp_path: Path, orientation: int) -> None:
    """All eight orientations are turned as Pillow turns them."""
    picture = np.zeros((24, 36, 3), np.uint8)
    picture[2:8, 3:9] = (255, 0, 0)
    picture[15:20, 25:33] = (0, 255, 0)
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / "a.png"
    Image.fromarray(picture).save(path, exif=exif)
    with open_media(path, shm_folder=folder) as media:
        (frame,) = media.frames()
        (video,) = media.probe().video
    with Image.open(path) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
    np.testing.assert_array_equal(frame.pixels, expected)
    assert (video.height, video.width) == expected.shape[:2]


@pytest.mark.parametrize(
    ("matrix", "turn"),
    [
        ((1, 0, 0, 1), Turn(0)),
        ((0, 1, -1, 0), Turn(90)),
        ((-1, 0, 0, -1), Turn(180)),
        ((0, -1, 1, 0), Turn(270)),
        ((-1, 0, 0, 1), Turn(0, mirrored=True)),
        ((1, 0, 0, -1), Turn(180, mirrored=True)),
        ((0, 0, 0, 0), Turn(0)),
    ],
)
def test_display_matrices(matrix: tuple[int, int, int, int], turn: Turn) -> None:
    """A display matrix moves the corner of a picture to where the turned array has it."""
    a, b, c, d = (part << 16 for part in matrix)
    assert turn_of_matrix(struct.pack("=9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)) == turn
    if not any(matrix):
        return
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[0, 5] = 255  # right and up of the middle
    x = matrix[0] * 1 + matrix[2] * -1
    y = matrix[1] * 1 + matrix[3] * -1
    turned = upright(picture, turn)
    assert turned[-1 if y > 0 else 0, -1 if x > 0 else 0].sum() == 765


def test_transparency_is_laid_over_black_and_deep_greys_are_scaled(folder: Path, tmp_path: Path) -> None:
    """Alpha, 16-bit grey, palettes and floating point all become 8-bit RGB."""
    made = {
        "alpha.png": (Image.new("RGBA", (4, 4), (200, 100, 50, 128)), (100, 50, 25)),
        "deep.png": (Image.fromarray(np.full((4, 4), 40000, np.uint16)), (156, 156, 156)),
        "palette.gif.png": (Image.new("P", (4, 4), 0), (0, 0, 0)),
        "float.tif": (Image.fromarray(np.full((4, 4), 0.2, np.float32)), (124, 124, 124)),
        "cmyk.jpg": (Image.new("CMYK", (8, 8), (0, 255, 255, 0)), (255, 0, 0)),
    }
    for name, (picture, expected) in made.items():
        picture.save(tmp_path / name)
        with open_media(tmp_path / name, shm_folder=folder) as media:
            (frame,) = media.frames()
        assert frame.pixels[1, 1].astype(int) == pytest.approx(expected, abs=4), name


def test_sixteen_bit_colour_tiff(folder: Path, tmp_path: Path) -> None:
    """A TIFF of a kind that Pillow does not read goes to libavcodec."""
    path = tmp_path / "deep.tif"
    ffmpeg("-i", SAMPLES / "plate" / "plate.1001.png", "-pix_fmt", "rgb48le", path)
    with open_media(path, shm_folder=folder) as media:
        (frame,) = media.frames()
    assert frame.pixels[105, 65].astype(int) == pytest.approx([210, 40, 40], abs=3)


def test_sequence_frames_keep_their_times_over_a_missing_one(folder: Path) -> None:
    """A missing frame leaves a hole in index and time; the others are where they belong."""
    asset = sequence("plate.%04d.png", 1001, 1008, (1005,))
    with open_media(SAMPLES / "plate" / "plate.%04d.png", asset, shm_folder=folder) as media:
        frames = [(frame.index, frame.time) for frame in media.frames()]
        stepped = [frame.index for frame in media.frames(every=2 / 24)]
        assert list(media.audio()) == []
    there = [0, 1, 2, 3, 5, 6, 7]
    assert [index for index, _ in frames] == there
    assert [time for _, time in frames] == pytest.approx([index / 24 for index in there])
    assert stepped == [0, 2, 5, 6]


def test_sequence_goes_on_over_a_bad_file(folder: Path, tmp_path: Path) -> None:
    """A frame that cannot be decoded, or is gone, is left out and noted."""
    for number in (1, 2, 3, 4):
        Image.new("RGB", (8, 8), (number * 20, 0, 0)).save(tmp_path / f"a%02d.{number:03d}.png")
    (tmp_path / "a%02d.002.png").write_bytes(b"")
    (tmp_path / "a%02d.003.png").unlink()
    with open_media(tmp_path / "any", sequence("a%2502d.%03d.png", 1, 4), shm_folder=folder) as media:
        assert [frame.index for frame in media.frames()] == [0, 3]
        assert len(media.problems) == 2


@pytest.mark.parametrize(("pattern", "last"), [("../x.%04d.png", 3), ("plate.png", 3), ("plate.%04d.png", 10**12)])
def test_strange_sequences_are_refused(folder: Path, pattern: str, last: int) -> None:
    """A pattern may not leave its folder, must hold a number, and spans no impossible range."""
    with pytest.raises(MediaError):
        open_media(SAMPLES / "plate", sequence(pattern, 1, last), shm_folder=folder)


def test_two_calls_at_once_do_not_disturb_each_other(folder: Path) -> None:
    """Sound and frames of one file may be drawn alternately."""
    with open_media(SAMPLES / "harbour_take3.mp4", shm_folder=folder) as media:
        alone = [frame.index for frame in media.frames(every=1.0, max_side=16)]
        heard = b"".join(block.samples.tobytes() for block in media.audio(block_seconds=1.0))
        pairs = list(itertools.zip_longest(media.frames(every=1.0, max_side=16), media.audio(block_seconds=1.0)))
    assert [frame.index for frame, _ in pairs if frame] == alone
    assert b"".join(block.samples.tobytes() for _, block in pairs if block) == heard


def held(*parts: Path) -> list[str]:
    """List what descriptors of this process lead to, by paths; other threads open and close others at any time."""
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.append(str(Path("/proc/self/fd", descriptor).readlink()))
    return sorted(one for one in found if one.startswith(tuple(map(str, parts))))


def test_leaving_early_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that is closed early gives its decoder back: same process, no file, no descriptor."""
    monkeypatch.setattr("callboard.media.call._STOP_SECONDS", PATIENT)
    clip, pool = SAMPLES / "harbour_take3.mp4", Pool()
    try:
        with open_media(clip, shm_folder=folder, pool=pool) as media:
            media.probe()
            for _ in range(5):
                frames = media.frames()
                next(frames)
                frames.close()
            assert held(clip, folder) == [str(clip)]
        assert pool.started == 1
    finally:
        pool.close()


def test_arrays_outlive_their_media(folder: Path) -> None:
    """Pixels belong to the caller: they stay after the media is closed, and may be written to."""
    with open_media(SAMPLES / "one_frame.mp4", shm_folder=folder) as media:
        (frame,) = media.frames()
    frame.pixels[0, 0] = 7
    assert frame.pixels[0, 0].tolist() == [7, 7, 7]
