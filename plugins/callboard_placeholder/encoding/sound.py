"""Sound exactly as long as the pictures: 48 kHz, 24 bits, split at the frames."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Final

import numpy as np
from callboard.errors import JobError
from callboard.timedtext.rate import Rate

from callboard_placeholder.encoding.target import Target
from callboard_placeholder.engine import SAMPLE_RATE, Array

_LAYOUTS: Final = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
_SILENT_CHANNELS: Final = 2
_FULL: Final = 1 << 23
"""Steps of 24 bits to full scale."""


def samples(rate: Rate, frames: int) -> int:
    """Give how many samples *frames* last, to the nearest; the even one of two."""
    return round(SAMPLE_RATE * frames / rate.fps)


def layout(sound: Array) -> str:
    """Give FFmpeg's name for the channels of a sound.

    Raises:
        JobError: it has a number of channels that has no usual order.
    """
    if sound.shape[1] not in _LAYOUTS:
        raise JobError(f"sound of {sound.shape[1]} channels has no usual order", "Make it mono, stereo, 5.1 or 7.1.")
    return _LAYOUTS[sound.shape[1]]


def fitted(sound: Array | None, target: Target) -> Array | None:
    """Give the sound of a target, samples x channels, float32, as long as its pictures; nothing where it has none.

    Less than a frame too much or too little is cut or silent: a sampler that rounds otherwise is no fault.

    Raises:
        JobError: it is longer or shorter by a frame or more, or no sound.
    """
    order = target.order
    wanted = samples(order.rate, order.frames)
    if sound is None:
        return np.zeros((wanted, _SILENT_CHANNELS), np.float32) if target.sound else None
    sound = np.asarray(sound, np.float32)
    sound = sound[:, None] if sound.ndim == 1 else sound
    if sound.ndim != 2 or not np.isfinite(sound).all():
        raise JobError(f"sound of shape {sound.shape} is not samples x channels of finite numbers")
    layout(sound)
    if abs(len(sound) - wanted) >= samples(order.rate, 1):
        raise JobError(f"sound has {len(sound)} samples where {order.frames} frames last {wanted}")
    return np.concatenate((sound, np.zeros((max(wanted - len(sound), 0), sound.shape[1]), np.float32)))[:wanted]


def integers(sound: Array) -> Array:
    """Give sound as 24-bit steps in int32."""
    return np.clip(np.rint(sound.astype(np.float64) * _FULL), -_FULL, _FULL - 1).astype(np.int32)


def write_wav(sound: Array, path: Path) -> None:
    """Write sound as a WAV file of 24 bits at 48 kHz."""
    with path.open("wb") as file, wave.open(file, "wb") as wav:
        wav.setparams((sound.shape[1], 3, SAMPLE_RATE, len(sound), "NONE", ""))
        for start in range(0, len(sound), SAMPLE_RATE):
            steps = integers(sound[start : start + SAMPLE_RATE]).astype("<i4")
            wav.writeframes(steps.view(np.uint8).reshape(-1, 4)[:, :3].tobytes())


__all__ = ["fitted", "integers", "layout", "samples", "write_wav"]
