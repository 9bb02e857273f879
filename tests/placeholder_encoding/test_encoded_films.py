"""Films as an independent reader, ffprobe and ffmpeg of the system, counts, times and sees them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard.errors import Blocked, JobError
from callboard.timedtext.rate import parse_rate
from callboard_placeholder.encoding import Target, Written, samples, suffix, write
from callboard_placeholder.engine import Array, Order
from callboard_schemas import Brief

FILMS = ("prores", "dnxhr", "h264")


def _ordered(rate: str = "25", *, frames: int = 12, size: tuple[int, int] = (320, 180), **more: Any) -> Order:
    return Order(
        shot="SH010",
        brief=Brief(),
        frames=frames,
        rate=parse_rate(rate),
        width=size[0],
        height=size[1],
        **more,
    )


def _growing(order: Order) -> Iterator[Array]:
    """Each picture has one more white column of eight pixels than the one before, on grey."""
    for index in range(order.frames):
        picture = np.full((order.height, order.width, 3), 90, np.uint8)
        picture[:, : 8 * (index % 32 + 1)] = 255
        yield picture


def _tone(order: Order, channels: int = 2) -> Array:
    time = np.arange(samples(order.rate, order.frames)) / 48_000
    wave = np.sin(2 * np.pi * 1000 * time) * 0.25
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def _written(codec: str, order: Order, folder: Path, sound: Array | None = None) -> Path:
    target = Target(codec=codec, order=order, sound=sound is not None)
    path: Path = write(_growing(order), sound, target, folder / f"made{suffix(codec)}").path
    return path


def _probed(path: Path) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", str(path)]
    return dict(json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout))


def _decoded(path: Path, order: Order, pixels: str = "rgb24", *, matrix: bool = True) -> Array:
    """Give every picture as the system's ffmpeg sees it, by the matrix that the file names."""
    scale = ["-vf", "scale=in_color_matrix=auto:flags=accurate_rnd+full_chroma_int"] if matrix else []
    command = ["ffmpeg", "-v", "error", "-i", str(path), *scale, "-f", "rawvideo", "-pix_fmt", pixels, "-"]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, order.height, order.width, 3)


def _heard(path: Path, channels: int) -> Array:
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "s32le", "-"]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    return np.frombuffer(raw, "<i4").reshape(-1, channels) / 2**31


@pytest.mark.parametrize(
    ("rate", "start"),
    [
        ("23.976", "01:02:03:04"),
        ("24", "01:02:03:04"),
        ("25", "10:00:00:00"),
        ("29.97", "01:02:03:04"),
        ("29.97df", "00:59:59;28"),
        ("30", "00:00:00:29"),
        ("50", "01:02:03:49"),
        ("59.94", "01:02:03:04"),
        ("59.94df", "00:01:00;04"),
        ("60", "23:59:59:59"),
    ],
)
@pytest.mark.parametrize("codec", ["prores", "h264"])
def test_a_film_counts_its_frames_and_its_time_exactly(codec: str, rate: str, start: str, tmp_path: Path) -> None:
    """Frames, rate, length of picture and sound, and timecode are exact at every rate."""
    counts = parse_rate(rate)
    order = _ordered(rate, frames=37, size=(64, 48), start=counts.frame_of(start))
    facts = _probed(_written(codec, order, tmp_path, _tone(order)))
    video, sound, code = facts["streams"]
    assert (video["nb_frames"], video["nb_read_frames"]) == ("37", "37")
    assert Fraction(video["r_frame_rate"]) == Fraction(video["avg_frame_rate"]) == counts.fps
    assert video["duration_ts"] * Fraction(video["time_base"]) == 37 / counts.fps
    assert sound["duration_ts"] * Fraction(sound["time_base"]) * 48_000 == round(48_000 * 37 / counts.fps)
    assert abs(float(facts["format"]["duration"]) - 37 / float(counts.fps)) < 1 / 48_000
    assert (video["start_pts"], sound["start_pts"]) == (0, 0)
    assert code["codec_tag_string"] == "tmcd"
    assert code["tags"]["timecode"] == start
    assert counts.drop == (";" in code["tags"]["timecode"])


@pytest.mark.parametrize("codec", FILMS)
def test_a_film_says_how_it_is_to_be_seen(codec: str, tmp_path: Path) -> None:
    """Size, pixel aspect, BT.709 in video range, progressive: all is written in the file."""
    order = _ordered(pixel_aspect=Fraction(16, 15))
    video = _probed(_written(codec, order, tmp_path))["streams"][0]
    assert (video["width"], video["height"], video["sample_aspect_ratio"]) == (320, 180, "16:15")
    told = [video[key] for key in ("color_range", "color_space", "color_transfer", "color_primaries")]
    assert told == ["tv", "bt709", "bt709", "bt709"]
    assert video.get("field_order", "progressive") == "progressive"


def test_mediainfo_reads_the_same(tmp_path: Path) -> None:
    """A second reader agrees on ProRes LT, the rate, the frames, the start and the drop frames."""
    order = _ordered("29.97df", frames=31, start=1800)
    path = _written("prores", order, tmp_path, _tone(order))
    run = subprocess.run(["mediainfo", "--Output=JSON", str(path)], capture_output=True, check=True, timeout=60)
    tracks = {track["@type"]: track for track in json.loads(run.stdout)["media"]["track"]}
    video, sound, code = tracks["Video"], tracks["Audio"], tracks["Other"]
    assert (video["Format"], video["Format_Profile"], video["FrameCount"]) == ("ProRes", "422 LT", "31")
    assert (video["FrameRate_Num"], video["FrameRate_Den"], video["FrameRate_Mode"]) == ("30000", "1001", "CFR")
    assert (video["matrix_coefficients"], video["colour_primaries"]) == ("BT.709", "BT.709")
    assert (sound["Format"], sound["BitDepth"], sound["SamplingRate"]) == ("PCM", "24", "48000")
    assert code["TimeCode_FirstFrame"] == "00:01:00;02"


@pytest.mark.parametrize("codec", FILMS)
def test_every_picture_is_where_it_belongs(codec: str, tmp_path: Path) -> None:
    """Each frame shows its own picture, also where encoders work on several at once and pictures repeat."""
    order = _ordered(frames=20, size=(256, 120))
    pictures = [picture for index, picture in enumerate(_growing(order)) for _ in range(1 + index % 3)][:20]
    path = write(iter(pictures), None, Target(codec=codec, order=order), tmp_path / f"made{suffix(codec)}").path
    seen = _decoded(path, order)
    assert len(seen) == 20
    columns = [int((picture[60, :, 0] > 170).sum()) for picture in seen]
    assert columns == [int((picture[60, :, 0] == 255).sum()) for picture in pictures]


@pytest.mark.parametrize(("codec", "off"), [("prores", 2), ("dnxhr", 4), ("h264", 4)])
def test_colours_come_back_by_the_matrix_that_is_named(codec: str, off: int, tmp_path: Path) -> None:
    """Flat colours decode to what went in by BT.709, and to others by BT.601: the matrix is the named one."""
    colours = [(200, 30, 60), (20, 180, 40), (40, 60, 220), (255, 255, 255), (0, 0, 0), (120, 120, 120), (230, 200, 20)]
    order = _ordered(frames=len(colours), size=(256, 120))
    pictures = (np.full((120, 256, 3), colour, np.uint8) for colour in colours)
    path = write(pictures, None, Target(codec=codec, order=order), tmp_path / f"made{suffix(codec)}").path
    middle = _decoded(path, order)[:, 60, 128].astype(int)
    assert np.abs(middle - np.array(colours)).max() <= off
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", "scale=in_color_matrix=bt601", "-pix_fmt", "rgb24"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-"], capture_output=True, check=True, timeout=60).stdout
    wrong = np.frombuffer(raw, np.uint8).reshape(-1, 120, 256, 3)[:, 60, 128].astype(int)
    assert np.abs(wrong - np.array(colours)).max() > 15


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_sound_is_the_samples_that_came(channels: int, tmp_path: Path) -> None:
    """PCM of 24 bits comes back to half a step, of the exact length, in each channel."""
    order = _ordered("29.97", frames=33, size=(64, 48))
    sound = _tone(order, channels) * np.linspace(0.2, 1, channels, dtype=np.float32)
    back = _heard(_written("prores", order, tmp_path, sound), channels)
    assert back.shape == sound.shape
    assert np.abs(back - sound).max() <= 0.5 / 2**23 + 1e-9


def test_sound_of_a_proxy_begins_and_ends_with_its_picture(tmp_path: Path) -> None:
    """AAC is in time to a few samples, and as long as the picture: what a decoder gives beyond is its last block."""
    order = _ordered("23.976", frames=40, size=(64, 48))
    sound = _tone(order, 1)
    sound[: samples(order.rate, 20)] = 0
    path = _written("h264", order, tmp_path, sound)
    back = _heard(path, 1)
    assert _probed(path)["streams"][1]["duration_ts"] == len(sound) <= len(back) < len(sound) + 1024
    assert abs(int(np.argmax(np.abs(back[:, 0]) > 0.1)) - int(np.argmax(np.abs(sound[:, 0]) > 0.1))) < 64


def test_sound_a_few_samples_off_is_fitted_and_more_is_refused(tmp_path: Path) -> None:
    """Less than a frame too much is cut and too little made silent; a frame or more is a mistake."""
    order = _ordered(frames=5, size=(64, 48))
    for length in (9_600 - 900, 9_600 + 900):
        facts = _probed(_written("prores", order, tmp_path, np.full((length, 1), 0.5, np.float32)))
        assert facts["streams"][1]["duration_ts"] == 9_600
    with pytest.raises(JobError, match="7000 samples where 5 frames last 9600"):
        _written("prores", order, tmp_path, np.zeros((7_000, 1), np.float32))
    with pytest.raises(JobError, match="3 channels"):
        _written("prores", order, tmp_path, np.zeros((9_600, 3), np.float32))


def test_a_silent_track_is_there_where_it_is_asked_for(tmp_path: Path) -> None:
    """A target with sound and no samples has two silent channels."""
    order = _ordered(frames=5, size=(64, 48))
    path = write(_growing(order), None, Target(codec="prores", order=order, sound=True), tmp_path / "made.mov").path
    back = _heard(path, 2)
    assert (len(back), np.abs(back).max()) == (9_600, 0)


def test_long_gop_only_where_it_is_asked_for(tmp_path: Path) -> None:
    """Every frame of a proxy is a key frame, unless the request says otherwise; either way all frames are there."""
    keys = []
    for long_gop in (False, True):
        order = _ordered("59.94", frames=50, size=(64, 48), parameters={"long_gop": long_gop})
        path = _written("h264", order, tmp_path)
        command = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=flags", "-of", "csv=p=0"]
        run = subprocess.run([*command, str(path)], capture_output=True, text=True, check=True, timeout=60)
        keys.append(run.stdout.count("K"))
        video = _probed(path)["streams"][0]
        assert (video["nb_read_frames"], video["start_pts"]) == ("50", 0)
        assert video["duration_ts"] * Fraction(video["time_base"]) == 50 / order.rate.fps
    assert keys[0] == 50
    assert keys[1] <= 2


@pytest.mark.parametrize(
    ("codec", "size"),
    [("prores", (16, 16)), ("h264", (16, 16)), ("dnxhr", (256, 120)), ("dnxhr", (1001, 563)), ("prores", (1998, 858))],
)
def test_one_frame_of_any_size(codec: str, size: tuple[int, int], tmp_path: Path) -> None:
    """A single frame is a film, of odd and tiny sizes too."""
    order = _ordered("23.976", frames=1, size=size)
    video = _probed(_written(codec, order, tmp_path, _tone(order)))["streams"][0]
    assert (video["width"], video["height"], video["nb_read_frames"]) == (*size, "1")
    assert video["duration_ts"] * Fraction(video["time_base"]) == 1 / order.rate.fps


@pytest.mark.parametrize(
    ("codec", "size", "says"),
    [
        ("dnxhr", (254, 118), "smallest is 256 x 120"),
        ("h264", (65, 48), "65 x 48"),
        ("prores", (65, 48), "65 x 48"),
        ("cinepak", (64, 48), "'cinepak'"),
    ],
)
def test_what_a_codec_cannot_hold_is_refused_in_words(
    codec: str, size: tuple[int, int], says: str, tmp_path: Path
) -> None:
    """A size or a codec that cannot be is an error with a hint, and nothing is written."""
    order = _ordered(size=size)
    with pytest.raises(JobError, match=says) as caught:
        write(
            _growing(order),
            None,
            Target(codec=codec, order=order),
            tmp_path / ("made.mp4" if codec == "h264" else "made.mov"),
        )
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_rate_without_timecode_is_a_film_all_the_same(tmp_path: Path) -> None:
    """At 12 frames a second there is no timecode track, and frames and time are exact."""
    order = _ordered("12", frames=7, size=(64, 48))
    video, *others = _probed(_written("prores", order, tmp_path))["streams"]
    assert others == []
    assert (video["r_frame_rate"], video["nb_read_frames"]) == ("12/1", "7")


@pytest.mark.parametrize("codec", [*FILMS, "png", "exr"])
@pytest.mark.parametrize(("came", "says"), [(9, "9 pictures came where 12"), (14, "more than 12 .*13 or more")])
def test_too_few_or_too_many_pictures_leave_nothing_behind(codec: str, came: int, says: str, tmp_path: Path) -> None:
    """Both numbers are named, and no file is there."""
    order = _ordered(size=(256, 120))
    pictures = (np.full((120, 256, 3), index, np.uint8) for index in range(came))
    with pytest.raises(JobError, match=says):
        write(pictures, None, Target(codec=codec, order=order), tmp_path / f"made{suffix(codec)}")
    assert list(tmp_path.iterdir()) == []


def test_what_an_engine_raises_passes_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """A failure in the midst of the pictures is the engine's own, and the film is gone."""
    order = _ordered(size=(64, 48))

    def failing() -> Iterator[Array]:
        yield np.zeros((48, 64, 3), np.uint8)
        raise KeyError("lamp")

    with pytest.raises(KeyError, match="lamp"):
        write(failing(), None, Target(codec="prores", order=order), tmp_path / "made.mov")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    """A picture that is not as ordered is named by its number."""
    order = _ordered(size=(64, 48))
    pictures = (np.zeros((48, 64 + 2 * (index == 2), 3), np.uint8) for index in range(12))
    with pytest.raises(JobError, match="picture 2 is"):
        write(pictures, None, Target(codec="prores", order=order), tmp_path / "made.mov")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("codec", ["prores", "h264"])
def test_a_full_disk_blocks_the_job(codec: str, tmp_path: Path) -> None:
    """No room is no fault of the job: it waits, and the hint says for what."""
    order = _ordered(frames=60, size=(640, 360))
    noise = np.random.default_rng(1).integers(0, 255, (60, 360, 640, 3), np.uint8)
    path = tmp_path / f"made{suffix(codec)}"
    path.symlink_to("/dev/full")
    with pytest.raises(Blocked, match="disk is full") as caught:
        write(iter(noise), None, Target(codec=codec, order=order), path)
    assert "room" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_melt_plays_every_frame_of_it(tmp_path: Path) -> None:
    """What Kdenlive renders with finds as many frames in a film as were ordered."""
    order = _ordered("29.97", frames=31, size=(128, 72))
    film = _written("prores", order, tmp_path, _tone(order))
    run = subprocess.run(
        ["melt", "-silent", str(film), "-consumer", "xml"], capture_output=True, text=True, check=True, timeout=60
    )
    assert '<property name="length">31</property>' in run.stdout


def test_written_names_all_that_belongs_to_it(tmp_path: Path) -> None:
    """A film is one file."""
    order = _ordered(frames=2, size=(64, 48))
    made = write(_growing(order), _tone(order), Target(codec="prores", order=order), tmp_path / "made.mov")
    assert made == Written(path=tmp_path / "made.mov", files=(tmp_path / "made.mov",))


def test_ten_thousand_still_pictures_take_no_more_memory(tmp_path: Path) -> None:
    """A long black film is whole, and the process is at its end as large as near its beginning."""
    order = _ordered(frames=10_000, size=(64, 48))
    pages: list[int] = []

    def black() -> Iterator[Array]:
        picture = np.zeros((48, 64, 3), np.uint8)
        for index in range(order.frames):
            if index in (1_000, 9_999):
                pages.append(int(Path("/proc/self/statm").read_text().split()[1]))
            yield picture

    path = write(black(), None, Target(codec="prores", order=order), tmp_path / "made.mov").path
    command = ["ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"]
    run = subprocess.run([*command, str(path)], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.split()[0] == "10000"
    assert (pages[1] - pages[0]) * os.sysconf("SC_PAGE_SIZE") < 16 << 20
