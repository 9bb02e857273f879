"""Sounds whose loudness is known by definition: the signals of EBU Tech 3341, written as WAVE files."""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from callboard import shm
from callboard.media import Loudness
from callboard.media.client import open_media

Array = np.ndarray[Any, Any]

RATE = 48000


class Signal(NamedTuple):
    """A signal and what a meter must say of it."""

    name: str
    parts: tuple[tuple[float, float], ...]
    """Level of the sine in dBFS, seconds."""
    integrated: float
    """LUFS."""
    tolerance: float = 0.1
    """LU."""
    range: float | None = None
    """LU, by EBU Tech 3342, within 1."""


SIGNALS = (
    Signal("3341-1", ((-23.0, 20.0),), -23.0),
    Signal("3341-2", ((-33.0, 20.0),), -33.0),
    Signal("3341-3", ((-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)), -23.0),
    Signal("3341-4", ((-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)), -23.0),
    Signal("3341-5", ((-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)), -23.0),
    Signal("3342-1", ((-20.0, 20.0), (-30.0, 20.0)), -22.6, 0.5, 10.0),
    Signal("3342-2", ((-20.0, 20.0), (-15.0, 20.0)), -16.8, 0.5, 5.0),
)
"""1 kHz, stereo, in phase, as EBU Tech 3341 (table 1) and Tech 3342 (table 1) name them."""


def sine(parts: Sequence[tuple[float, float]], pitch: float = 1000.0, phase: float = 0.0) -> Array:
    """Make a sine whose level changes: float64, mono, 48 kHz."""
    levels = np.concatenate([np.full(round(seconds * RATE), 10 ** (level / 20)) for level, seconds in parts])
    made: Array = levels * np.sin(2 * np.pi * pitch * np.arange(len(levels)) / RATE + phase)
    return made


def write_wave(path: Path, channels: Sequence[Array]) -> Path:
    """Write channels as 24-bit PCM, 48 kHz."""
    whole = np.stack(channels, axis=1).clip(-1.0, 1.0)
    data = (whole * 8388607).round().astype("<i4").reshape(-1, 1).view(np.uint8)[:, :3]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(3)
        file.setframerate(RATE)
        file.writeframes(data.tobytes())
    return path


def measure(path: Path) -> Loudness | None:
    """Measure a file as the tagger does."""
    folder = shm.make_folder()
    try:
        with open_media(path, shm_folder=folder) as media:
            return media.loudness()
    finally:
        folder.rmdir()


def evaluate_loudness() -> dict[str, float]:
    """Measure the signals: the largest error of the integrated loudness and of the range, and how many pass."""
    errors, ranges, passed = [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        for signal in SIGNALS:
            tone = sine(signal.parts)
            said = measure(write_wave(Path(folder) / f"{signal.name}.wav", (tone, tone)))
            wrong = abs((said.integrated or 0.0) - signal.integrated) if said is not None else 99.0
            off = abs(said.range - signal.range) if said is not None and signal.range is not None else 0.0
            errors.append(wrong if signal.range is None else 0.0)
            ranges.append(off)
            passed += wrong <= signal.tolerance and off <= 1.0
    return {
        "loudness_error": round(max(errors), 3),
        "loudness_range_error": round(max(ranges), 3),
        "loudness_passed": round(passed / len(SIGNALS), 4),
    }


__all__ = ["RATE", "SIGNALS", "Signal", "evaluate_loudness", "measure", "sine", "write_wave"]
