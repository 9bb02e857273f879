"""What is heard, put into words: speech, music, a steady tone, other sound or silence.

Speech comes from the speech detector, the rest from ``callboard.media.hearing``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from callboard.media.hearing import Seconds, spans_of
from callboard_schemas import Evidence, Scalar, Tag

Array = np.ndarray[Any, Any]
Facts = dict[str, Scalar | list[str]]

METHOD = "sound"
CLIPPED = 0.999
_LEAST_SHARES = {"speech": 0.05, "music": 0.15, "tone": 0.15, "silence": 0.3, "other sound": 0.5}
"""Shares below which a kind is in the numbers only: every recording has some pauses and some noise."""
_SURE = {"speech": 0.95, "music": 0.7, "tone": 0.9, "silence": 0.95, "other sound": 0.6}
_LABELS = {"tone": "steady tone", "other sound": "background sound"}
_MOST_EVIDENCE = 100


class Listener:
    """Takes sound in order, and says what it is. Holds about a hundred numbers a second."""

    def __init__(self, hear: Callable[[Array], Array] | None = None) -> None:
        """Make a listener.

        Args:
            hear: Gives probabilities of speech, one for each 512 samples; ``None`` where there is no detector.
        """
        self._hear = hear
        self._seconds = Seconds()
        self._voice: list[Array] = []
        self._clipped = 0
        self._samples = 0

    def add(self, samples: Array) -> None:
        """Take more sound: float32, mono, 16 kHz."""
        if self._hear is not None:
            self._voice.append(self._hear(samples))
        self._samples += len(samples)
        self._clipped += int((np.abs(samples) >= CLIPPED).sum())
        self._seconds.add(samples)

    def finish(self) -> tuple[list[Tag], Facts]:
        """Give the tags and the numbers behind them; nothing where no sound came."""
        if not self._samples:
            return [], {}
        kinds = self._seconds.kinds(np.concatenate(self._voice) if self._voice else None)
        seconds = len(kinds)
        shares = {kind: kinds.count(kind) / seconds for kind in ("speech", "music", "tone", "other sound", "silence")}
        power = float(np.mean([10 ** (level / 10) for level in self._seconds.levels]))
        facts: Facts = {f"{kind.replace(' ', '_')}_share": round(share, 3) for kind, share in shares.items()}
        if self._hear is None:
            del facts["speech_share"]
        facts["level_dbfs"] = round(10 * float(np.log10(max(power, 1e-12))), 1)
        facts["peak_dbfs"] = round(20 * float(np.log10(max(self._seconds.peak, 1e-6))), 1)
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
                    tags.append(_tag(label, score, share, spans_of(kinds, kind), kind in ("music", "other sound")))
        share = self._clipped / self._samples
        if share > 1e-4:
            tags.append(_tag("clipped sound", min(0.6 + share * 100, 1.0), share, []))
        return tags


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
