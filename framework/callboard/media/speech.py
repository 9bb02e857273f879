"""Where somebody speaks: Silero's voice activity model, asked through the runtime, block by block.

The model (https://github.com/snakers4/silero-vad, MIT) hears 16 kHz in frames of 512 samples, each with the
64 samples before it, and carries its state from one call to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from callboard.context import Runtime

RATE = 16000
"""Samples a second that the model hears."""
FRAME = 512
"""Samples in one frame."""
FRAME_SECONDS = FRAME / RATE
_BEFORE = 64
_STATE = (1, 1, 128)


class SpeechDetector:
    """Gives the probability of speech for each 32 ms frame of one recording, in order."""

    def __init__(self, runtime: Runtime, model: str = "silero-vad") -> None:
        self._runtime, self._model = runtime, model
        self._rest = np.zeros(0, np.float32)
        self._before = np.zeros(_BEFORE, np.float32)
        self._h = self._c = np.zeros(_STATE, np.float32)

    def feed(self, samples: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Hear more of the recording.

        Args:
            samples: float32, one dimension, 16 kHz, following what was fed before.

        Returns:
            float32, one probability for each frame that is complete now.

        Raises:
            ModelMissing: the model is not installed.
            RuntimeGone: the runtime died during the call.
        """
        waiting = np.concatenate([self._rest, samples])
        count = len(waiting) // FRAME
        self._rest = waiting[count * FRAME :]
        return self._hear(waiting[: count * FRAME])

    def finish(self) -> np.ndarray[Any, Any]:
        """Hear what is left, filled up with silence: at most one frame."""
        rest, self._rest = self._rest, np.zeros(0, np.float32)
        return self._hear(np.pad(rest, (0, FRAME - len(rest)))) if len(rest) else np.zeros(0, np.float32)

    def _hear(self, samples: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if not len(samples):
            return np.zeros(0, np.float32)
        frames = samples.reshape(-1, FRAME)
        before = np.concatenate([self._before[None], frames[:-1, -_BEFORE:]])
        self._before = frames[-1, -_BEFORE:].copy()
        given = {"input": np.hstack([before, frames]).astype(np.float32), "h": self._h, "c": self._c}
        said = self._runtime.call(self._model, given)
        self._h, self._c = np.asarray(said["hn"]), np.asarray(said["cn"])
        return np.asarray(said["speech_probs"], np.float32).reshape(-1)


def speech_spans(
    probabilities: np.ndarray[Any, Any], threshold: float = 0.5, bridge: float = 0.2, shortest: float = 0.1
) -> list[tuple[float, float]]:
    """Turn frame probabilities into spans of speech.

    Args:
        probabilities: One for each 32 ms frame, from the start of the recording.
        threshold: Probability at which speech begins; it ends 0.15 lower, so that a dip inside a word is no end.
        bridge: Seconds of silence that are still one span.
        shortest: Seconds; shorter spans are dropped.

    Returns:
        (start, end) in seconds, in order, not overlapping.
    """
    spans: list[tuple[float, float]] = []
    begun: int | None = None
    for index, probability in enumerate([*probabilities.tolist(), -1.0]):
        if begun is None and probability >= threshold:
            begun = index
        elif begun is not None and probability < max(threshold - 0.15, 0.01):
            start, end = begun * FRAME_SECONDS, index * FRAME_SECONDS
            begun = None
            if spans and start - spans[-1][1] <= bridge:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((start, end))
    return [span for span in spans if span[1] - span[0] >= shortest]


__all__ = ["FRAME", "FRAME_SECONDS", "RATE", "SpeechDetector", "speech_spans"]
