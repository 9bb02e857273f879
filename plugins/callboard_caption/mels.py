"""Sound as a voice encoder hears it: the energy in 40 bands, a hundred times a second.

Slaney's mel scale with triangles of equal area, of the squared magnitude in Hann windows of 25 ms: what librosa gives
by default, which the encoder was trained on. No logarithm is taken.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, Any]

RATE: Final = 16000
"""Samples a second."""
STEP: Final = 160
"""Samples from one frame to the next."""
BANDS: Final = 40
_WINDOW: Final = 400
_LINEAR, _HERTZ = 15.0, 1000.0  # mels and hertz up to which Slaney's scale is a line
_GROWTH = np.log(6.4) / 27  # a mel above that
_LEVEL: Final = 10 ** (-30 / 20)
"""Root mean square that sound is brought to: -30 dBFS, the least that the encoder was trained on."""
_SILENT: Final = 1e-5
"""Root mean square, -100 dBFS, under which there is nothing to make louder."""


def mels(samples: Array) -> Array:
    """Give the mel frames of *samples* at one level, so that who stands nearer sounds no different.

    Args:
        samples: float32, one dimension, 16 kHz, -1 to 1.

    Returns:
        float32, frames x 40; one frame more than there are steps of 10 ms.
    """
    loudness = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) if len(samples) else 0.0
    level = _LEVEL / max(loudness, _SILENT)
    padded = np.pad(samples * np.float32(level), _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::STEP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    power = np.abs(np.fft.rfft(frames * hann, axis=1)) ** 2
    heard: Array = (power @ _bands().T).astype(np.float32)
    return heard


@cache
def _bands() -> Array:
    """Give the weight of each of the 201 frequencies in each band."""
    top = _LINEAR + np.log(RATE / 2 / _HERTZ) / _GROWTH
    places = np.linspace(0, top, BANDS + 2)
    edges = np.where(places < _LINEAR, places * _HERTZ / _LINEAR, _HERTZ * np.exp(_GROWTH * (places - _LINEAR)))
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    frequencies = np.linspace(0, RATE / 2, _WINDOW // 2 + 1)
    rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    weights: Array = np.maximum(np.minimum(rising, falling), 0.0) * (2 / (high - low))
    return weights


__all__ = ["BANDS", "RATE", "STEP", "mels"]
