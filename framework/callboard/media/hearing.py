"""What is heard, second by second: music, a steady tone, other sound or silence, and speech where a detector says so.

Music is told from noise by its harmony, partials that stand for a while, or by its beat. That is indirect evidence,
so music is a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from msgspec import Struct

from callboard.media.beat import beats, swells

Array = np.ndarray[Any, Any]

RATE = 16000
"""Samples a second."""
SILENCE = -55.0
"""dBFS: root mean square below which a second is silent; quiet rooms are recorded at about -60."""
HARMONIC = 0.55
"""Persistence of partials from which sound is music."""
_SIZE = 2048  # samples, 128 ms: fine enough to part neighbouring notes
_BAND = slice(10, 770)  # 80 Hz to 6 kHz
_VOICED = 0.25  # share of a second's frames with speech
_BEAT = 0.27  # regularity: a pop song has 0.29 to 0.55, white and pink noise at most 0.16
_PURE = 0.9  # share of the power in one partial: line-up tone and mains hum, not an instrument


class Second(Struct, frozen=True):
    """One second of sound."""

    level: float
    """Root mean square in dBFS, -120 at least."""
    peak: float
    """Largest magnitude, 0 to 1."""
    persistence: float
    """How far the partials stand from one eighth of a second to the next, 0 to 1."""
    purity: float
    """Share of its power in the strongest 40 Hz, 0 to 1."""


class Seconds:
    """Sorts sound, second by second, as it passes. Holds about a hundred numbers a second."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._kinds: list[str] = []
        self._swells: list[Array] = []
        self.levels: list[float] = []
        """Root mean square of each second so far, in dBFS."""
        self.persistence: list[float] = []
        """How far the partials stand in each second so far, 0 to 1; ``HARMONIC`` and more is music by itself."""
        self.peak = 0.0
        """Largest magnitude so far, 0 to 1."""

    def add(self, samples: Array) -> None:
        """Take more sound: float32, mono, 16 kHz."""
        waiting = np.concatenate([self._rest, samples])
        whole = len(waiting) // RATE * RATE
        for at in range(0, whole, RATE):
            self._sort(waiting[at : at + RATE])
        self._rest = waiting[whole:]

    def kinds(self, voice: Array | None = None) -> list[str]:
        """Say what each second is; there can be no more sound once this was asked.

        Args:
            voice: Probabilities of speech, one for each 512 samples; ``None`` where there is no detector.

        Returns:
            ``speech``, ``music``, ``tone``, ``other sound`` or ``silence`` for each second; the last one may be short.
        """
        if len(self._rest) >= RATE // 4 or not self._kinds:
            self._sort(self._rest)
        self._rest = self._rest[:0]
        return _with_speech(_smooth(self._with_beat()), voice)

    def _sort(self, samples: Array) -> None:
        second = measure(samples)
        self._swells.append(swells(samples))
        self.levels.append(second.level)
        self.persistence.append(second.persistence)
        self.peak = max(self.peak, second.peak)
        if second.level < SILENCE:
            self._kinds.append("silence")
        elif second.purity > _PURE and second.persistence > HARMONIC:
            self._kinds.append("tone")
        else:
            self._kinds.append("music" if second.persistence > HARMONIC else "other sound")

    def _with_beat(self) -> list[str]:
        """Take sound that keeps a beat for music: drums and dense mixes have few partials that stand."""
        regular = beats(self._swells)
        return [
            "music" if kind == "other sound" and beat > _BEAT else kind
            for kind, beat in zip(self._kinds, regular, strict=True)
        ]


def _with_speech(kinds: list[str], voice: Array | None) -> list[str]:
    if voice is None or not len(voice):
        return kinds
    spoken = voice >= 0.5
    places = np.minimum(np.arange(len(spoken)) * 512 // RATE, len(kinds) - 1)
    heard, asked = (np.bincount(places, weights=given, minlength=len(kinds)) for given in (spoken, None))
    shares = heard / np.maximum(asked, 1)
    return ["speech" if share >= _VOICED else kind for kind, share in zip(kinds, shares, strict=True)]


def measure(samples: Array) -> Second:
    """Measure up to a second of sound at 16 kHz."""
    level = 10 * float(np.log10(max(float(np.mean(samples.astype(np.float64) ** 2)) if len(samples) else 0.0, 1e-12)))
    peak = float(np.abs(samples).max(initial=0.0))
    if len(samples) < _SIZE:
        samples = np.pad(samples, (0, _SIZE - len(samples)))
    starts = range(0, len(samples) - _SIZE + 1, _SIZE)
    frames = np.stack([samples[at : at + _SIZE] for at in starts]) * np.hanning(_SIZE)
    magnitudes = np.abs(np.fft.rfft(frames, axis=1))
    power = (magnitudes**2).sum(axis=0)
    best = int(power.argmax())
    purity = float(power[max(best - 2, 0) : best + 3].sum() / max(float(power.sum()), 1e-12))
    spectra = np.log10(magnitudes[:, _BAND] + 1e-5)
    # Partials are what stands out from the spectrum smoothed over 31 bins, a quarter of a kilohertz.
    kernel = np.ones(31) / 31
    peaks = np.stack([np.maximum(row - np.convolve(row, kernel, "same") - 0.15, 0.0) for row in spectra])
    return Second(level, peak, _mean_cosine(peaks), purity)


def _mean_cosine(rows: Array) -> float:
    norms = np.linalg.norm(rows, axis=1)
    if len(rows) < 2:
        return 0.0
    products = (rows[1:] * rows[:-1]).sum(axis=1) / np.maximum(norms[1:] * norms[:-1], 1e-9)
    return float(np.clip(products.mean(), 0.0, 1.0))


def _smooth(kinds: list[str]) -> list[str]:
    """Let the five seconds around each one vote between music and other sound: neither comes by the second."""
    smooth = list(kinds)
    for at, kind in enumerate(kinds):
        if kind in ("music", "other sound"):
            near = kinds[max(at - 2, 0) : at + 3]
            smooth[at] = "music" if near.count("music") >= near.count("other sound") else "other sound"
            if near.count("music") == near.count("other sound"):
                smooth[at] = kind
    return smooth


def spans_of(kinds: Sequence[str], wanted: str) -> list[tuple[float, float]]:
    """Give the spans of one kind, in seconds from the start of the sound."""
    spans, at = [], 0
    for kind, run in groupby(kinds):
        length = len(list(run))
        if kind == wanted:
            spans.append((float(at), float(at + length)))
        at += length
    return spans


__all__ = ["HARMONIC", "RATE", "SILENCE", "Second", "Seconds", "measure", "spans_of"]
