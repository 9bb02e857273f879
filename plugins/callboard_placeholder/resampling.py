"""Brings speech to 48 kHz, to the same numbers on every processor.

FFmpeg's and other resamplers choose their code by the processor and differ in the last digits, which shows in files
that shall be the same byte by byte. Here each step is one multiplication and one addition of doubles, in a fixed order.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import pi, sin
from typing import Final

import numpy as np

from callboard_placeholder.engine import SAMPLE_RATE, Array

_REACH: Final = 16
"""Samples of the source on each side that count: stopband below -70 dB with the window used here."""


def resample(sound: Array, rate: int) -> Array:
    """Give *sound*, one channel at *rate* Hz, at ``SAMPLE_RATE``.

    Raises:
        ValueError: the rate is above ``SAMPLE_RATE``; speech engines stay far below.
    """
    if rate == SAMPLE_RATE:
        return sound
    if rate > SAMPLE_RATE:
        raise ValueError(f"{rate} Hz is above {SAMPLE_RATE} Hz")
    ratio = Fraction(SAMPLE_RATE, rate)
    bank = _bank(ratio)
    index = np.arange(len(sound) * ratio.numerator // ratio.denominator)
    whole, phase = np.divmod(index * ratio.denominator, ratio.numerator)
    padded = np.pad(sound, (_REACH - 1, _REACH))
    made = np.zeros(len(index))
    for tap in range(2 * _REACH):
        made += padded[whole + tap] * bank[phase, tap]
    return made


@lru_cache(maxsize=4)
def _bank(ratio: Fraction) -> Array:
    """Tabulate a windowed sinc (Blackman) for each position between two samples of the source."""

    def weight(distance: float) -> float:
        if abs(distance) >= _REACH:
            return 0.0
        turn = pi * distance / _REACH
        window = 0.42 + 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn)
        return float(window * (sin(pi * distance) / (pi * distance) if distance else 1.0))

    phases = [phase / ratio.numerator for phase in range(ratio.numerator)]
    table = np.array([[weight(phase - (tap - _REACH + 1)) for tap in range(2 * _REACH)] for phase in phases])
    normal: Array = table / table.sum(axis=1, keepdims=True)
    return normal


__all__ = ["resample"]
