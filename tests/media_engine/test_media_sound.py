"""Sound on the media's time line: clicks are found where they were put."""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from callboard import shm
from callboard.media import AudioBlock
from callboard.media.client import open_media

SAMPLES = Path(__file__).parents[1] / "media"
CLICKS = (1.0, 2.5)
MILLISECOND = 0.001


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder in shared memory; the test fails when something is left in it."""
    made = shm.make_folder()
    yield made
    assert list(made.iterdir()) == []
    made.rmdir()


@pytest.fixture
def clicks(tmp_path: Path) -> Path:
    """Three seconds of silence in 48 kHz stereo with two clicks of 1 ms."""
    samples = np.zeros((3 * 48000, 2), "<i2")
    for time in CLICKS:
        at = round(time * 48000)
        samples[at - 24 : at + 24] = (np.hanning(48)[:, None] * 30000).astype("<i2")
    path = tmp_path / "clicks.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(48000)
        sound.writeframes(samples.tobytes())
    return path


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg quietly, or fail with its words."""
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True)


def listen(path: Path, folder: Path, rate: int = 16000, block_seconds: float = 30.0) -> list[AudioBlock]:
    """Return all blocks of *path*."""
    with open_media(path, shm_folder=folder) as media:
        return list(media.audio(rate, block_seconds))


def joined(blocks: list[AudioBlock]) -> np.ndarray[Any, Any]:
    """Join the samples of *blocks*."""
    return np.concatenate([block.samples for block in blocks])


def click_times(samples: np.ndarray[Any, Any], rate: int, expected: tuple[float, ...]) -> list[float]:
    """Find the loudest sample within a quarter of a second of each expected time."""
    found = []
    for time in expected:
        start = max(0, round((time - 0.25) * rate))
        found.append((start + int(np.abs(samples[start : round((time + 0.25) * rate)]).argmax())) / rate)
    return found


@pytest.mark.parametrize("rate", [16000, 44100])
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.wav", "pcm_s24le"),
        ("a.flac", "flac"),
        ("a.m4a", "aac"),
        ("a.mp3", "libmp3lame"),
        ("a.ogg", "libvorbis"),
        ("a.opus", "libopus"),
    ],
)
def test_clicks_are_where_they_were_put(
    folder: Path, tmp_path: Path, clicks: Path, name: str, codec: str, rate: int
) -> None:
    """Codecs' own delays do not move the sound."""
    ffmpeg("-i", clicks, "-c:a", codec, tmp_path / name)
    samples = joined(listen(tmp_path / name, folder, rate))
    assert click_times(samples, rate, CLICKS) == pytest.approx(CLICKS, abs=MILLISECOND)
    assert np.abs(samples).max() <= 1.0
    assert samples.dtype == np.float32


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "aac"), ("a.mov", "pcm_s16le"), ("a.ts", "mp2"), ("a.mkv", "flac")]
)
@pytest.mark.parametrize("late", [0.0, 0.5])
def test_sound_keeps_its_place_beside_the_picture(
    folder: Path, tmp_path: Path, clicks: Path, name: str, codec: str, late: float
) -> None:
    """Sound that starts later than the picture is led by silence, whatever time the container starts at."""
    path = tmp_path / name
    ffmpeg(
        *("-f", "lavfi", "-i", "color=size=64x64:rate=25:duration=4", "-itsoffset", str(late), "-i", clicks),
        *("-map", "0:v", "-map", "1:a", "-c:v", "mpeg4", "-bf", "0", "-c:a", codec, path),
    )
    expected = tuple(time + late for time in CLICKS)
    with open_media(path, shm_folder=folder) as media:
        first = next(iter(media.frames(limit=1)))
        found = click_times(joined(list(media.audio())), 16000, expected)
    # What the container makes of the picture's first time is the muxer's choice: sound is measured against it.
    assert [time - first.time for time in found] == pytest.approx(expected, abs=MILLISECOND)


def test_gaps_become_silence(folder: Path, tmp_path: Path, clicks: Path) -> None:
    """What follows a hole in the timestamps keeps its time."""
    path = tmp_path / "gap.mkv"
    # Half a second is cut out and its time kept: from 1.25 to 1.75 s.
    ffmpeg("-i", clicks, "-af", "aselect='not(between(t,1.25,1.75))'", "-c:a", "pcm_s16le", path)
    samples = joined(listen(path, folder))
    assert click_times(samples, 16000, CLICKS) == pytest.approx(CLICKS, abs=2 * MILLISECOND)  # Matroska counts 1 ms


def test_blocks_join_without_gap(folder: Path) -> None:
    """Each block starts where the one before it ended, and all but the last have the length asked for."""
    blocks = listen(SAMPLES / "harbour_take3.mp4", folder, block_seconds=2.5)
    assert len(blocks) == 5
    assert {block.samples.size for block in blocks[:-1]} == {40000}
    assert [block.time for block in blocks] == pytest.approx([0.0, 2.5, 5.0, 7.5, 10.0])


def test_speech_starts_where_it_was_laid(folder: Path) -> None:
    """The harbour clip is silent until 2.3 s, when the speaker starts."""
    samples = joined(listen(SAMPLES / "harbour_take3.mp4", folder))
    loud = np.flatnonzero(np.abs(samples) > 0.05)
    assert loud[0] / 16000 == pytest.approx(2.3, abs=0.1)


def test_channels_are_kept_apart_where_that_is_asked(folder: Path, tmp_path: Path) -> None:
    """Each channel is a column of its own, and what comes late is led by silence in all of them."""
    ffmpeg(
        *("-f", "lavfi", "-i", "sine=frequency=300:duration=2", "-f", "lavfi", "-i", "anullsrc=r=44100:cl=mono:d=2"),
        *("-filter_complex", "[0][1]amerge=inputs=2,adelay=500|500", tmp_path / "two.wav"),
    )
    with open_media(tmp_path / "two.wav", shm_folder=folder) as media:
        apart = joined(list(media.audio(8000, 0.7, channels=True)))
        mixed = joined(list(media.audio(8000, 0.7)))
    assert apart.shape == (20000, 2)
    assert mixed.shape == (20000,)
    assert np.abs(apart[:, 1]).max() < 1e-4
    assert np.abs(apart[:3900]).max() < 1e-3
    assert np.abs(apart[4200:, 0]).max() == pytest.approx(0.125, abs=0.01)
    assert np.corrcoef(mixed, apart[:, 0])[0, 1] > 0.999


@pytest.mark.parametrize("name", ["silent_pan.mp4", "one_frame.mp4", "still_bars.png", "still_photo.jpg"])
def test_no_sound_is_no_blocks(folder: Path, name: str) -> None:
    """Media without a sound stream give nothing."""
    assert listen(SAMPLES / name, folder) == []


def test_damaged_packets_are_skipped_and_counted(folder: Path, tmp_path: Path) -> None:
    """Damage in the middle costs what it covers; the rest keeps its time."""
    data = bytearray((SAMPLES / "music_bed.ogg").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path = tmp_path / "damaged.ogg"
    path.write_bytes(data)
    whole, damaged = joined(listen(SAMPLES / "music_bed.ogg", folder)), joined(listen(path, folder))
    assert damaged.size == pytest.approx(whole.size, abs=1600)
    tail = slice(11 * 16000, 11 * 16000 + 8000)
    assert np.corrcoef(whole[tail], damaged[tail])[0, 1] > 0.99


def test_a_broken_stream_reports_its_problems(folder: Path, tmp_path: Path) -> None:
    """Packets that no decoder takes are counted in the media's problems."""
    data = bytearray((SAMPLES / "interview.mov").read_bytes())
    start = data.index(b"mdat") + 4
    end = start + (len(data) - start) // 2
    rng = np.random.default_rng(1)
    data[start + 2000 : end] = rng.integers(0, 256, end - start - 2000, np.uint8).tobytes()
    path = tmp_path / "broken.mov"
    path.write_bytes(data)
    with open_media(path, shm_folder=folder) as media:
        seconds = sum(block.samples.size for block in media.audio()) / 16000
        problems = list(media.problems)
    assert seconds > 4
    assert any("could not be decoded" in problem for problem in problems)


@pytest.mark.parametrize(("rate", "block_seconds"), [(0, 30.0), (16000, 0.0), (10**9, 1.0)])
def test_nonsense_is_refused(folder: Path, rate: int, block_seconds: float) -> None:
    """Rates and block lengths out of range are the caller's mistake."""
    with open_media(SAMPLES / "room_tone.wav", shm_folder=folder) as media, pytest.raises(ValueError, match="range"):
        next(iter(media.audio(rate, block_seconds)))
