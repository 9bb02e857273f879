"""The line-up tone: a sine of 1 kHz at the level that SMPTE RP 155 or EBU R 68 aligns to."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from callboard_placeholder.engine import SAMPLE_RATE, Array

LEVELS: Final[dict[str, float | None]] = {"off": None, "-20 dBFS": -20.0, "-18 dBFS": -18.0}
"""SMPTE RP 155 aligns to -20 dBFS, EBU R 68 to -18 dBFS; a sine's level is that of its peaks."""
_HERTZ: Final = 1000
_RAMP: Final = 480
"""Samples, 10 ms, in which it comes and goes without a click."""


def tone(length: int, level: float) -> Array:
    """Give *length* samples, float32, length x 1, with peaks at *level* dBFS."""
    period = SAMPLE_RATE // _HERTZ
    peak = 10 ** (level / 20)
    one = np.array([peak * math.sin(2 * math.pi * index / period) for index in range(period)])
    whole = np.tile(one, length // period + 1)[:length]
    edge = min(_RAMP, length // 2)
    ramp = np.linspace(0, 1, edge)
    whole[:edge] *= ramp
    whole[length - edge :] *= ramp[::-1]
    return stepped(whole)[:, None]


def around(sound: Array, level: float) -> Array:
    """Sound the tone before the first word and behind the last."""
    loud = np.flatnonzero(sound[:, 0])
    if not len(loud):
        return tone(len(sound), level)
    mixed = sound.copy()
    first, last = max(int(loud[0]) - _RAMP, 0), min(int(loud[-1]) + _RAMP, len(sound))
    mixed[:first] += tone(first, level)
    mixed[last:] += tone(len(sound) - last, level)
    return mixed


def stepped(sound: Array) -> Array:
    """Round to the steps of 16 bits: processors differ in the last digits of a sine, and the bytes shall not."""
    steps: Array = (np.floor(np.clip(sound, -1, 32767 / 32768) * 32768 + 0.5) / 32768).astype(np.float32)
    return steps


__all__ = ["LEVELS", "around", "stepped", "tone"]
