"""Loudness agrees with the EBU's signals and with the ffmpeg program's own meter."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from callboard import shm
from callboard.media import Loudness
from callboard.media.client import open_media
from callboard_autotag.loud import describe_loudness
from callboard_autotag.truth.sound import RATE, SIGNALS, Signal, measure, sine, write_wave

SAMPLES = Path(__file__).parents[1] / "media"
SHORT = [signal for signal in SIGNALS if signal.name in ("3341-1", "3341-2", "3341-5", "3342-1")]


@pytest.mark.parametrize("signal", SHORT, ids=lambda signal: signal.name)
def test_signals_of_the_ebu(signal: Signal, tmp_path: Path) -> None:
    """Sines of EBU Tech 3341 and 3342 measure what those say, within their tolerance."""
    tone = sine(signal.parts)
    said = measure(write_wave(tmp_path / "tone.wav", (tone, tone)))
    assert said is not None
    assert said.integrated == pytest.approx(signal.integrated, abs=signal.tolerance)
    if signal.range is not None:
        assert said.range == pytest.approx(signal.range, abs=1.0)
    assert said.true_peak == pytest.approx(max(level for level, _ in signal.parts), abs=0.3)


def ffmpeg_says(path: Path) -> dict[str, float]:
    """Measure with the ffmpeg program: I, LRA and Peak of its summary."""
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-i", str(path), "-vn", "-af", "ebur128=peak=true"]
    said = subprocess.run([*command, "-f", "null", "-"], check=True, capture_output=True, text=True).stderr
    summary = said[said.rindex("Summary:") :]
    return {name: float(value) for name, value in re.findall(r"(I|LRA|Peak): +(-?[\d.]+)", summary)}


@pytest.mark.parametrize("name", ["music_bed.ogg", "harbour_take3.mp4", "interview.mov"])
def test_recordings_measure_as_ffmpeg_measures_them(name: str) -> None:
    """Integrated loudness, range and true peak are those of ffmpeg's own summary, to its one decimal."""
    said, known = measure(SAMPLES / name), ffmpeg_says(SAMPLES / name)
    assert said is not None
    assert said.integrated == pytest.approx(known["I"], abs=0.11)
    assert said.range == pytest.approx(known["LRA"], abs=0.11)
    assert said.true_peak == pytest.approx(known["Peak"], abs=0.11)


def test_a_peak_between_samples_is_seen(tmp_path: Path) -> None:
    """A sine at a quarter of the rate whose samples miss its crest by 3 dB has a true peak at its crest."""
    swell = np.minimum(np.arange(2 * RATE) / RATE, 1.0)  # a sudden start would ring
    tone = sine([(-1.0, 2.0)], pitch=RATE / 4, phase=np.pi / 4) * swell * swell[::-1]
    said = measure(write_wave(tmp_path / "crest.wav", (tone,)))
    assert said is not None
    assert 20 * np.log10(np.abs(tone).max()) == pytest.approx(-4.0, abs=0.05)
    assert said.true_peak == pytest.approx(-1.0, abs=0.4)


def test_every_channel_counts_but_the_one_for_effects(tmp_path: Path) -> None:
    """In 5.1 the rears weigh 1.5 dB more and the low-frequency channel nothing (ITU-R BS.1770)."""
    path = tmp_path / "surround.wav"
    tone, still = sine([(-23.0, 8.0)]), np.zeros(8 * RATE)
    found = []
    for places in ((0,), (3,), (4,)):
        made = write_wave(tmp_path / "six.wav", [tone if at in places else still for at in range(6)])
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-channel_layout", "5.1", "-i", str(made), str(path)]
        subprocess.run(command, check=True)
        said = measure(path)
        assert said is not None
        found.append(said.integrated)
    front, low, rear = found
    assert front == pytest.approx(-26.0, abs=0.1)
    assert low is None
    assert rear == pytest.approx(-24.5, abs=0.1)


def test_silence_and_pictures_have_no_loudness(tmp_path: Path) -> None:
    """Digital silence stays under the gate; a still and a film without sound are not measured at all."""
    said = measure(write_wave(tmp_path / "still.wav", (np.zeros(RATE * 3),)))
    assert said == Loudness(integrated=None, range=0.0, true_peak=-120.0)
    assert measure(SAMPLES / "still_photo.jpg") is None
    assert measure(SAMPLES / "silent_pan.mp4") is None
    folder = shm.make_folder()
    with open_media(SAMPLES / "odd_size.mkv", shm_folder=folder) as media:
        assert media.loudness() is not None
        assert next(media.audio()).samples.size  # the decoder serves on
    folder.rmdir()


def test_loudness_in_words() -> None:
    """A programme at the target is called that, a hot master loud and over full scale; nothing is said of nothing."""
    on_target = Loudness(integrated=-23.1, range=8.0, true_peak=-2.0)
    hot = Loudness(integrated=-7.0, range=3.0, true_peak=0.8)
    far = Loudness(integrated=-36.0, range=24.0, true_peak=-9.0)
    assert [tag.label for tag in describe_loudness(on_target)[0]] == ["EBU R 128 loudness"]
    assert [tag.label for tag in describe_loudness(hot)[0]] == ["loud", "true peak over full scale"]
    assert [tag.label for tag in describe_loudness(far)[0]] == ["quiet", "wide loudness range"]
    assert describe_loudness(on_target)[1]["loudness_lufs"] == -23.1
    assert describe_loudness(None) == ([], {})
