"""What is heard, second by second: speech, music, a steady tone, other sound or silence.

Speech comes from the speech detector. Music is told from noise by its harmony, partials that stand for
a while, or by its beat. That is indirect evidence, so music is a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

import numpy as np
from callboard_schemas import Evidence, Scalar, Tag
from msgspec import Struct

from callboard_autotag.beat import beats, swells

Array = np.ndarray[Any, Any]
Facts = dict[str, Scalar | list[str]]

METHOD = "sound"
RATE = 16000
"""Samples a second."""
SILENCE = -55.0
"""dBFS: root mean square below which a second is silent; quiet rooms are recorded at about -60."""
CLIPPED = 0.999
_SIZE = 2048  # samples, 128 ms: fine enough to part neighbouring notes
_BAND = slice(10, 770)  # 80 Hz to 6 kHz
_VOICED = 0.25  # share of a second's frames with speech
_HARMONIC = 0.55  # persistence of partials from which sound is music
_BEAT = 0.27  # regularity: a pop song has 0.29 to 0.55, white and pink noise at most 0.16
_PURE = 0.9  # share of the power in one partial: line-up tone and mains hum, not an instrument
_LEAST_SHARES = {"speech": 0.05, "music": 0.15, "tone": 0.15, "silence": 0.3, "other sound": 0.5}
"""Shares below which a kind is in the numbers only: every recording has some pauses and some noise."""
_SURE = {"speech": 0.95, "music": 0.7, "tone": 0.9, "silence": 0.95, "other sound": 0.6}
_LABELS = {"tone": "steady tone", "other sound": "background sound"}
_MOST_EVIDENCE = 100


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


class Listener:
    """Takes sound in order, sorts its seconds. Holds about a hundred numbers a second."""

    def __init__(self, hear: Callable[[Array], Array] | None = None) -> None:
        """Make a listener.

        Args:
            hear: Gives probabilities of speech, one for each 512 samples; ``None`` where there is no detector.
        """
        self._hear = hear
        self._rest = np.zeros(0, np.float32)
        self._voice: list[Array] = []
        self._levels: list[float] = []
        self._peak = 0.0
        self._clipped = 0
        self._samples = 0
        self._kinds: list[str] = []
        self._swells: list[Array] = []

    def add(self, samples: Array) -> None:
        """Take more sound: float32, mono, 16 kHz."""
        if self._hear is not None:
            self._voice.append(self._hear(samples))
        self._samples += len(samples)
        self._clipped += int((np.abs(samples) >= CLIPPED).sum())
        waiting = np.concatenate([self._rest, samples])
        whole = len(waiting) // RATE * RATE
        for at in range(0, whole, RATE):
            self._sort(waiting[at : at + RATE])
        self._rest = waiting[whole:]

    def finish(self) -> tuple[list[Tag], Facts]:
        """Give the tags and the numbers behind them; nothing where no sound came."""
        if not self._samples:
            return [], {}
        if len(self._rest) >= RATE // 4 or not self._kinds:
            self._sort(self._rest)
        kinds = self._with_speech(_smooth(self._with_beat()))
        seconds = len(kinds)
        shares = {kind: kinds.count(kind) / seconds for kind in ("speech", "music", "tone", "other sound", "silence")}
        power = float(np.mean([10 ** (level / 10) for level in self._levels]))
        facts: Facts = {f"{kind.replace(' ', '_')}_share": round(share, 3) for kind, share in shares.items()}
        if self._hear is None:
            del facts["speech_share"]
        facts["level_dbfs"] = round(10 * float(np.log10(max(power, 1e-12))), 1)
        facts["peak_dbfs"] = round(20 * float(np.log10(max(self._peak, 1e-6))), 1)
        return self._tags(kinds, shares), facts

    def _tags(self, kinds: list[str], shares: dict[str, float]) -> list[Tag]:
        tags: list[Tag] = []
        if shares["silence"] == 1.0:
            tags.append(_tag("silent audio", 1.0, 1.0, []))
        else:
            for kind, share in shares.items():
                if share >= _LEAST_SHARES[kind]:
                    score = _SURE[kind] * (0.7 + 0.3 * min(share / 0.5, 1.0))
                    label = _LABELS.get(kind, kind)
                    tags.append(_tag(label, score, share, _spans(kinds, kind), kind in ("music", "other sound")))
        share = self._clipped / self._samples
        if share > 1e-4:
            tags.append(_tag("clipped sound", min(0.6 + share * 100, 1.0), share, []))
        return tags

    def _sort(self, samples: Array) -> None:
        second = measure(samples)
        self._swells.append(swells(samples))
        self._levels.append(second.level)
        self._peak = max(self._peak, second.peak)
        if second.level < SILENCE:
            self._kinds.append("silence")
            return
        if second.purity > _PURE and second.persistence > _HARMONIC:
            self._kinds.append("tone")
        else:
            self._kinds.append("music" if second.persistence > _HARMONIC else "other sound")

    def _with_beat(self) -> list[str]:
        """Take sound that keeps a beat for music: drums and dense mixes have few partials that stand."""
        regular = beats(self._swells)
        return [
            "music" if kind == "other sound" and beat > _BEAT else kind
            for kind, beat in zip(self._kinds, regular, strict=True)
        ]

    def _with_speech(self, kinds: list[str]) -> list[str]:
        if not self._voice:
            return kinds
        voice = np.concatenate(self._voice) >= 0.5
        places = np.minimum(np.arange(len(voice)) * 512 // RATE, len(kinds) - 1)
        shares = np.bincount(places, weights=voice, minlength=len(kinds)) / np.maximum(
            np.bincount(places, minlength=len(kinds)), 1
        )
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


def _spans(kinds: list[str], wanted: str) -> list[tuple[float, float]]:
    spans, at = [], 0
    for kind, run in groupby(kinds):
        length = len(list(run))
        if kind == wanted:
            spans.append((float(at), float(at + length)))
        at += length
    return spans


def _tag(label: str, score: float, share: float, spans: list[tuple[float, float]], guess: bool = False) -> Tag:
    seen = [Evidence(start=start, end=end) for start, end in spans[:_MOST_EVIDENCE]]
    return Tag(
        label=label,
        score=round(min(score, 1.0), 3),
        method="silero-vad" if label == "speech" else METHOD,
        group=("sound",),
        evidence=(Evidence(value=round(share, 4)), *seen),
        guess=guess,
    )
