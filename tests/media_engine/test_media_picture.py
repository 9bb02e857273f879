"""One picture at a time: the frame that is shown then, sought for, the same as decoding everything gives."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest
from callboard import shm
from callboard.errors import MediaError
from callboard.media.client import open_media
from callboard.media.pool import Pool
from callboard_schemas import Asset, Place, Sequence
from PIL import Image

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


def harbour(path: Path, *codec: str) -> Path:
    """Write six seconds of the harbour, small, with that codec, a key frame every 30, and B-frames if there are any."""
    ffmpeg("-i", SAMPLES / "harbour_take3.mp4", "-t", "6", "-an", "-s", "96x54", *codec, path)
    return path


CODECS = {
    "b_frames.mp4": ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "3", "-g", "30"),
    "open_gop.mkv": ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "3", "-g", "30", "-flags", "-cgop"),
    "broadcast.ts": ("-c:v", "mpeg2video", "-bf", "2", "-g", "15"),
    "one_key.mp4": ("-c:v", "libx264", "-preset", "ultrafast", "-g", "9999"),
    "intra.mov": ("-c:v", "prores_ks"),
    "raw.h264": ("-c:v", "libx264", "-preset", "ultrafast", "-g", "30"),
    "web.webm": ("-c:v", "libvpx", "-deadline", "realtime", "-g", "30", "-b:v", "300k"),
}


@pytest.mark.parametrize("name", CODECS)
def test_any_time_gives_the_frame_that_is_shown_then(name: str, folder: Path, tmp_path: Path) -> None:
    """At the beginning, between two frames and just before the next, the picture is that of decoding in a row."""
    with open_media(harbour(tmp_path / name, *CODECS[name]), shm_folder=folder) as media:
        row = list(media.frames())
        assert len(row) > 100
        for this, following in list(pairwise(row))[::41]:
            for at in (this.time, (this.time + following.time) / 2, following.time - 0.002):
                found = media.picture(at)
                assert found is not None
                assert found.time == pytest.approx(this.time, abs=1e-3)
                assert (found.index, np.array_equal(found.pixels, this.pixels)) == (this.index, True)
        before = media.picture(-1.0)
        assert before is not None
        assert np.array_equal(before.pixels, row[0].pixels)
        for at in (row[-1].time, row[-1].time + 0.03, 1e6):
            last = media.picture(at)
            assert last is not None
            assert np.array_equal(last.pixels, row[-1].pixels)


@pytest.mark.parametrize("name", ["interview.mov", "vfr_phone.mp4", "odd_size.mkv", "one_frame.mp4", "silent_pan.mp4"])
def test_turned_odd_and_uneven_media_give_their_pictures_too(name: str, folder: Path) -> None:
    """Pictures stored on their side come upright, odd sizes and uneven spacing as in a row, and scaled as asked."""
    with open_media(SAMPLES / name, shm_folder=folder) as media:
        row = list(media.frames(max_side=64))
        for frame in row[:: max(len(row) // 5, 1)]:
            found = media.picture(frame.time, 64)
            assert found is not None
            assert found.time == pytest.approx(frame.time, abs=1e-3)
            assert np.array_equal(found.pixels, frame.pixels)


def test_a_still_is_always_shown_and_sound_never(folder: Path) -> None:
    """A still gives its picture at any time; sound gives none."""
    with open_media(SAMPLES / "still_photo.jpg", shm_folder=folder) as media:
        first, later = media.picture(0.0, 100), media.picture(77.0, 100)
        assert first is not None
        assert later is not None
        assert np.array_equal(first.pixels, later.pixels)
        assert max(first.pixels.shape) == 100
    with open_media(SAMPLES / "room_tone.wav", shm_folder=folder) as media:
        assert media.picture(1.0) is None


def test_a_sequence_shows_its_numbered_frame(folder: Path, tmp_path: Path) -> None:
    """A time is a number at the rate asked for; a missing frame lets the last one stand; only one file is read."""
    for number in (1001, 1002, 1003, 1005, 1006):
        Image.new("RGB", (8, 8), (number - 1000, 0, 0)).save(tmp_path / f"plate.{number}.png")
    (tmp_path / "plate.1006.png").write_bytes(b"broken")
    asset = Asset(
        digest="sha256:" + "0" * 64,
        place=Place(root="footage", path="plate.%04d.png"),
        kind="sequence",
        size=1,
        sequence=Sequence(pattern="plate.%04d.png", first=1001, last=1006, missing=(1004,)),
    )
    with open_media(tmp_path / "plate.%04d.png", asset, shm_folder=folder, rate=30000 / 1001) as media:
        shown = [media.picture(number * 1001 / 30000) for number in range(5)]
        assert [frame and int(frame.pixels[0, 0, 0]) for frame in shown] == [1, 2, 3, 3, 5]
        assert [frame and frame.index for frame in shown] == [0, 1, 2, 2, 4]
        with pytest.raises(MediaError, match=r"plate\.1006"):
            media.picture(9.0)


def worked(process: psutil.Process) -> float:
    """Give the seconds of processor time that a process took so far: others' work and waiting do not count."""
    times = process.cpu_times()
    return float(times.user + times.system)


def test_a_late_picture_costs_no_more_than_an_early_one(folder: Path, tmp_path: Path) -> None:
    """Twenty minutes in, a picture is sought for: decoding all before it would take many times as long."""
    short, path = tmp_path / "short.mp4", tmp_path / "long.mp4"
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=20", "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", short
    )
    ffmpeg("-stream_loop", "59", "-i", short, "-c", "copy", path)
    pool = Pool()
    pool.warm()
    decoder = psutil.Process(pool._idle[0].pid)
    with open_media(path, shm_folder=folder, pool=pool) as media:
        assert media.picture(0.0, 16) is not None  # the decoder has started
        begun = worked(decoder)
        early, late = media.picture(1.0), media.picture(1190.0)
        between = worked(decoder)
        count = sum(1 for _ in media.frames(limit=3000))
        sought, row = between - begun, worked(decoder) - between
    assert pool.started == 1
    pool.close()
    assert early is not None
    assert late is not None
    assert (early.index, late.index, count) == (25, 29750, 3000)
    assert sought < row
