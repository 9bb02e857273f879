"""What is said of the sample media, and of stills of every kind."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from callboard import shm
from callboard.media import MediaFacts
from callboard.media.client import open_media
from callboard_schemas import Asset, Place, Sequence

SAMPLES = Path(__file__).parents[1] / "media"
PLATE = Asset(
    digest="sha256:" + "0" * 64,
    place=Place(root="footage", path="plate/plate.%2504d.png"),
    kind="sequence",
    size=1,
    sequence=Sequence(pattern="plate.%04d.png", first=1001, last=1008, missing=(1005,), count=7),
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder in shared memory; the test fails when something is left in it."""
    made = shm.make_folder()
    yield made
    assert list(made.iterdir()) == []
    made.rmdir()


def probe(path: Path, folder: Path) -> MediaFacts:
    """Return the facts of *path*."""
    with open_media(path, shm_folder=folder) as media:
        return media.probe()


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg quietly, or fail with its words."""
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True)


def test_samples_are_small_and_each_opens(folder: Path) -> None:
    """Every committed sample opens, and together they stay under 5 MB."""
    files = [path for path in SAMPLES.rglob("*") if "__pycache__" not in path.parts and path.is_file()]
    assert sum(path.stat().st_size for path in files) < 5_000_000
    media = [path for path in files if path.suffix not in (".py", ".md", ".json")]
    assert len(media) >= 17
    for path in media:
        facts = probe(path, folder)
        assert facts.video or facts.audio
        assert not facts.truncated


@pytest.mark.parametrize(
    ("name", "size", "rate", "seconds", "sound"),
    [
        ("harbour_take3.mp4", (640, 360), 24.0, 12.4, "aac"),
        ("interview.mov", (360, 640), 29.97, 9.1, "aac"),
        ("silent_pan.mp4", (640, 360), 25.0, 6.0, None),
        ("odd_size.mkv", (321, 241), 25.0, 3.0, "opus"),
        ("one_frame.mp4", (640, 360), 24.0, 0.04, None),
    ],
)
def test_video_facts(
    folder: Path, name: str, size: tuple[int, int], rate: float, seconds: float, sound: str | None
) -> None:
    """A video's size as shown, rate, length and codecs are told."""
    facts = probe(SAMPLES / name, folder)
    (video,) = facts.video
    assert (video.width, video.height) == size
    assert video.frame_rate == pytest.approx(rate, abs=0.01)
    assert facts.duration == pytest.approx(seconds, abs=0.1)
    assert [stream.codec for stream in facts.audio] == ([sound] if sound else [])
    assert not video.variable_rate
    assert not facts.still


def test_turned_video_says_so_and_has_its_time_code(folder: Path) -> None:
    """The rotation that was applied and the time code track are told."""
    (video,) = probe(SAMPLES / "interview.mov", folder).video
    assert (video.rotation, video.timecode) == (90, "01:00:00:00")


def test_varying_frame_rate_is_noticed(folder: Path) -> None:
    """Uneven frame times are told from even ones that are only rounded to milliseconds."""
    assert probe(SAMPLES / "vfr_phone.mp4", folder).video[0].variable_rate
    assert not probe(SAMPLES / "odd_size.mkv", folder).video[0].variable_rate


def test_sound_files(folder: Path) -> None:
    """Sound without picture has audio streams only."""
    music, tone = probe(SAMPLES / "music_bed.ogg", folder), probe(SAMPLES / "room_tone.wav", folder)
    assert (music.audio[0].codec, music.audio[0].channels, music.video) == ("vorbis", 2, ())
    assert (tone.audio[0].rate, tone.duration, tone.video) == (16000, 5.0, ())


def test_stills(folder: Path) -> None:
    """Stills have no duration, and a photograph its size as shown."""
    bars, photo = probe(SAMPLES / "still_bars.png", folder), probe(SAMPLES / "still_photo.jpg", folder)
    assert (bars.still, bars.duration, bars.video[0].width) == (True, 0.0, 1280)
    assert (photo.video[0].width, photo.video[0].height, photo.video[0].rotation) == (960, 640, 90)
    assert photo.metadata["Model"] == "Sample camera"


def test_sequence_has_the_length_of_its_numbers(folder: Path) -> None:
    """A sequence's duration counts missing frames, its frame count does not."""
    with open_media(SAMPLES / "plate" / "plate.%04d.png", PLATE, shm_folder=folder) as media:
        facts = media.probe()
    assert facts.duration == pytest.approx(8 / 24)
    assert (facts.video[0].frames, facts.video[0].frame_rate, facts.still) == (7, 24.0, False)


@pytest.mark.parametrize("name", ["a.exr", "a.dpx", "a.tif", "a.jp2", "a.bmp", "a.tga", "a.ppm", "a.webp", "a.sgi"])
def test_still_formats(folder: Path, tmp_path: Path, name: str) -> None:
    """Every still format that post production uses opens, and gives its one frame."""
    path = tmp_path / name
    ffmpeg("-i", SAMPLES / "plate" / "plate.1001.png", path)
    with open_media(path, shm_folder=folder) as media:
        facts = media.probe()
        (frame,) = media.frames()
    assert facts.still
    assert frame.pixels.shape == (180, 320, 3)
    # OpenEXR holds linear light: 0.157, written from the sample's 40, is shown as 111.
    expected = [235, 111, 110] if name == "a.exr" else [210, 40, 40]
    assert frame.pixels[105, 65].astype(int) == pytest.approx(expected, abs=12)


def test_cover_art_is_not_video(folder: Path, tmp_path: Path) -> None:
    """A song with a cover has no picture stream and no frames."""
    path = tmp_path / "song.mp3"
    ffmpeg(
        *("-i", SAMPLES / "music_bed.ogg", "-i", SAMPLES / "still_photo.jpg", "-map", "0:a", "-map", "1:v"),
        *("-c:v", "copy", "-disposition:v", "attached_pic", path),
    )
    with open_media(path, shm_folder=folder) as media:
        assert media.probe().video == ()
        assert list(media.frames()) == []


def test_metadata_is_cleaned(folder: Path, tmp_path: Path) -> None:
    """Control characters in metadata cannot reach a terminal."""
    path = tmp_path / "a.mkv"
    ffmpeg("-i", SAMPLES / "one_frame.mp4", "-metadata", "title=red\x1b[31m alert\u202e\nnext", "-c", "copy", path)
    assert probe(path, folder).metadata["title"] == "red[31m alert next"


def test_anamorphic_size_is_in_square_pixels(folder: Path, tmp_path: Path) -> None:
    """A pixel aspect of 2:1 doubles the width that is told and given."""
    path = tmp_path / "wide.mp4"
    ffmpeg("-i", SAMPLES / "one_frame.mp4", "-vf", "setsar=2/1", path)
    with open_media(path, shm_folder=folder) as media:
        (video,) = media.probe().video
        (frame,) = media.frames()
    assert (video.width, video.height, video.sample_aspect) == (1280, 360, 2.0)
    assert frame.pixels.shape == (360, 1280, 3)


def test_truncation_is_told_from_the_index(folder: Path, tmp_path: Path) -> None:
    """A file whose index points past its end is called truncated, and gives the frames that are there."""
    whole = tmp_path / "whole.mp4"
    ffmpeg("-i", SAMPLES / "harbour_take3.mp4", "-c", "copy", "-movflags", "+faststart", whole)
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with open_media(path, shm_folder=folder) as media:
        assert media.probe().truncated
        count = sum(1 for _ in media.frames(max_side=64))
        seconds = sum(block.samples.size for block in media.audio()) / 16000
    assert 30 < count < 298
    assert 1 < seconds < 12


@pytest.mark.parametrize(("name", "codec"), [("take.h264", "libx264"), ("take.hevc", "libx265")])
def test_a_bare_stream_of_pictures_says_all_but_its_length(folder: Path, tmp_path: Path, name: str, codec: str) -> None:
    """A stream without a container cannot seek and has no times: it is read anew, and its frames are counted."""
    path = tmp_path / name
    quiet = ("-x265-params", "log-level=none") if codec == "libx265" else ()
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=0.4", "-c:v", codec, *quiet, path)
    with open_media(path, shm_folder=folder) as media:
        facts, later = media.probe(), media.picture(0.2)
        times = [frame.time for frame in media.frames()]
    (video,) = facts.video
    assert (video.codec, video.width, video.height, video.frame_rate) == (path.suffix[1:], 64, 36, 25.0)
    assert (facts.duration, facts.still, facts.truncated) == (0.0, False, False)
    assert times == pytest.approx([number / 25 for number in range(10)])
    assert later is not None
    assert later.index == 5
