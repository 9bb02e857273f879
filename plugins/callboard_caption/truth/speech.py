"""Speech by espeak-ng of which every word is known, alone and under other sound, and sound in which nobody speaks.

The same parameters always give the same samples: float32 at 16 kHz, one dimension.
"""

from __future__ import annotations

import subprocess
import tempfile
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from callboard.errors import JobError

RATE: Final = 16000
VOICES: Final = ("en-us", "en-gb", "en-gb-scotland", "en-us+f3", "en-gb-x-rp+m4", "en-us+whisper")
SPEEDS: Final = (130, 165, 210, 270)
"""Words a minute; people talk at 120 to 200."""
SENTENCES: Final = (
    "It was the best of times, it was the worst of times. It was the age of wisdom.",
    "Call me Ishmael. Some years ago I thought I would sail about a little.",
    "The studio door stays closed while the red lamp is on.",
    "Please bring forty metres of cable and both spare batteries to stage nine.",
    "She said that the second camera had drifted out of focus before the rain began.",
    "We moved the interview to Thursday, because the harbour was full of boats.",
    "Nobody told the orchestra that the conductor was already in the building.",
    "All happy families are alike; each unhappy family is unhappy in its own way.",
)
_LEVEL: Final = -20.0
"""dBFS that sounds are brought to before they are mixed."""

Sound = np.ndarray[Any, Any]


def say(text: str, voice: str, speed: int) -> Sound:
    """Have espeak-ng say *text* at *speed* words a minute, with half a second of silence around it.

    Raises:
        JobError: espeak-ng is not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "said.wav"
        try:
            subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-w", str(raw), text], check=True)
        except FileNotFoundError:
            raise JobError(
                "espeak-ng is not here to speak", "On Debian and Ubuntu: apt-get install espeak-ng"
            ) from None
        return np.pad(read(raw), RATE // 2)


def read(path: Path) -> Sound:
    """Read any media file, mono, its louder parts at about -20 dBFS."""
    parts = []
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        for frame in [*container.decode(audio=0), None]:
            parts += [one.to_ndarray()[0] for one in resampler.resample(frame)]
    return level(np.concatenate(parts), _LEVEL)


def level(sound: Sound, to: float) -> Sound:
    """Bring *sound* to *to* dBFS, over the parts of it that are not silent."""
    loud = sound[np.abs(sound) > 0.01 * (np.abs(sound).max() + 1e-9)]
    rms = float(np.sqrt(np.mean(loud.astype(np.float64) ** 2))) if len(loud) else 1.0
    return (sound * (10 ** (to / 20) / max(rms, 1e-9))).astype(np.float32)


def noise(length: int, random: np.random.Generator) -> Sound:
    """Make white noise of *length* samples at -20 dBFS."""
    return level(random.normal(0, 0.1, length), _LEVEL)


def babble(length: int, others: Sequence[Sound], random: np.random.Generator) -> Sound:
    """Lay four of *others* over each other, at -20 dBFS: what speech detectors find hardest."""
    mixed = np.zeros(length, np.float32)
    for one in random.choice(len(others), 4, replace=False):
        mixed += np.resize(np.roll(others[one], int(random.integers(len(others[one])))), length)
    return level(mixed, _LEVEL)


def over(sound: Sound, beneath: Sound, snr: float) -> Sound:
    """Lay *sound* over *beneath*, *snr* dB above it."""
    return sound + beneath * np.float32(10 ** (-snr / 20))


def quiet(sound: Sound, by: float, random: np.random.Generator) -> Sound:
    """Make *sound* *by* dB softer, over a floor at -75 dBFS."""
    floor = random.normal(0, 10 ** (-75 / 20), len(sound)).astype(np.float32)
    return sound * np.float32(10 ** (-by / 20)) + floor


def nobody(seconds: int) -> Iterator[tuple[str, Sound]]:
    """Make sounds in which nobody speaks, by name."""
    random = np.random.default_rng(11)
    time = np.arange(seconds * RATE) / RATE
    notes = 220 * 2 ** (np.array([0, 4, 7, 12, 7, 4, 0, 5, 9, 12])[(time * 2).astype(int) % 10] / 12)
    tune = np.sin(2 * np.pi * np.cumsum(notes) / RATE) * np.exp(-3 * (time * 2 % 1))
    white = random.normal(0, 1, len(time))
    sounds = {
        "silence": np.zeros(len(time)),
        "dither": white * 10 ** (-90 / 20),
        "room": np.cumsum(white - np.mean(white)) * 1e-5,
        "faint noise": white * 10 ** (-60 / 20),
        "noise": white * 0.1,
        "swelling noise": white * 0.1 * (0.5 + 0.5 * np.sin(2 * np.pi * 0.4 * time)),
        "hum": 0.2 * np.sign(np.sin(2 * np.pi * 50 * time)),
        "line-up tone": 0.1 * np.sin(2 * np.pi * 1000 * time),
        "melody": 0.3 * tune,
        "faint melody": 0.003 * tune,
        "clicks": (random.random(len(time)) > 0.9998) * 0.5,
    }
    for name, sound in sounds.items():
        yield name, sound.astype(np.float32)


def write(sound: Sound, path: Path) -> None:
    """Write *sound* as a WAV file of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((sound.clip(-1, 1) * 32767).astype("<i2").tobytes())


__all__ = [
    "RATE", "SENTENCES", "SPEEDS", "VOICES", "Sound", "babble", "level", "nobody", "noise", "over", "quiet", "read",
    "say", "write",
]  # fmt: skip
