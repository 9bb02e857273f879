"""How strongly sound keeps a beat: where it swells, and whether the swells come back at a steady interval."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_SIZE, _HOP = 512, 256
PER_SECOND = 60
"""Swells measured in a second at 16 kHz."""
_SLOWEST, _FASTEST = 1.2, 0.25  # seconds between beats: 50 to 240 a minute
_WINDOW = 8  # seconds that are searched for a beat


def swells(samples: Array) -> Array:
    """Measure a second at 16 kHz: how much louder each of 60 moments is than the one before, over all pitches."""
    padded = np.pad(samples, (0, max(0, _SIZE + PER_SECOND * _HOP - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_HOP][: PER_SECOND + 1] * np.hanning(_SIZE)
    spectra = np.log10(np.abs(np.fft.rfft(frames, axis=1)) + 1e-3)
    swelling: Array = np.maximum(np.diff(spectra, axis=0), 0.0).sum(axis=1).astype(np.float32)
    return swelling


def beats(seconds: list[Array]) -> list[float]:
    """Say for each second how regular the swells around it are, 0 to 1; noise stays below 0.2."""
    strength = []
    for at in range(len(seconds)):
        low = max(min(at - _WINDOW // 2, len(seconds) - _WINDOW), 0)
        strength.append(_regularity(np.concatenate(seconds[low : low + _WINDOW])))
    return strength


def _regularity(swell: Array) -> float:
    shortest, longest = int(_FASTEST * PER_SECOND), int(_SLOWEST * PER_SECOND)
    if len(swell) < 3 * longest:
        return 0.0
    centred = swell - swell.mean()
    whole = float(centred @ centred)
    if whole <= 0:
        return 0.0
    return max(float(centred[lag:] @ centred[:-lag]) / whole for lag in range(shortest, longest))
