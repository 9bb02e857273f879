"""Faint voices: what lies between spoken spans is made louder and searched once more, at a lower threshold.

A detector of speech misses a whisper that is far under the rest. What is found here is marked, and judged harder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from callboard.media.speech import FRAME, RATE, SpeechDetector, speech_spans
from msgspec import Struct

from callboard_caption.windows import Window

if TYPE_CHECKING:
    from callboard.context import Runtime

    Samples = np.ndarray[Any, Any]

Spans = list[tuple[float, float]]

_FLOOR: Final = -78.0
"""dBFS: the loudest frames of a stretch under this are the noise of 16 bits and dither, not a voice."""
_TARGET: Final = -23.0
"""dBFS to which the loudest frames of a stretch are raised: where speech of programmes lies (EBU R 128)."""
_MOST: Final = 45.0
"""dB of gain at most."""
_LEAST: Final = 6.0
"""dB of gain under which the detector has heard as much as it would again."""
_SHORTEST: Final = 0.5
"""Seconds of a stretch, and of a voice in it: a click is shorter."""
_EDGE: Final = 0.1
"""Seconds over which a change of gain is spread."""


class Faint(Struct, frozen=True):
    """A window made louder where a faint voice was found."""

    samples: Samples
    spans: Spans
    """Seconds from the start of the media."""


def faint_sound(runtime: Runtime, window: Window, heard: Spans, threshold: float) -> Faint | None:
    """Listen again to what is not in *heard*.

    Args:
        runtime: For the detector.
        window: As it is.
        heard: Spans that the recogniser has heard, in seconds from the start of the media, in order.
        threshold: Probability of speech from which a stretch counts.

    Returns:
        The window, louder, and where a voice was found; ``None`` where there is none.
    """
    louder = window.samples
    found: Spans = []
    for start, end in _between(heard, window):
        first, last = round((start - window.start) * RATE), round((end - window.start) * RATE)
        stretch = window.samples[first:last]
        gain = _gain(stretch)
        if gain is None:
            continue
        if gain >= _LEAST:
            raised = _raised(stretch, gain)
            detector = SpeechDetector(runtime)
            voice = np.concatenate([detector.feed(raised), detector.finish()])
        else:
            raised, voice = stretch, window.voice[first // FRAME : last // FRAME]
        spans = [span for span in speech_spans(voice, threshold, 0.3, 0.1) if span[1] - span[0] >= _SHORTEST]
        if spans:
            if louder is window.samples:
                louder = window.samples.copy()
            louder[first:last] = raised
            found.extend((start + a, min(start + b, end)) for a, b in spans)
    return Faint(louder, found) if found else None


def _between(heard: Spans, window: Window) -> Spans:
    edges = [window.start, *(edge for span in heard for edge in span), window.end]
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= _SHORTEST]


def _gain(stretch: Samples) -> float | None:
    """Say by how many dB a stretch is raised; ``None`` where nothing is in it."""
    frames = stretch[: len(stretch) // FRAME * FRAME].reshape(-1, FRAME)
    if not len(frames):
        return None
    power = np.percentile((frames.astype(np.float64) ** 2).mean(axis=1), 95)
    level = 10 * np.log10(power + 1e-12)
    return None if level < _FLOOR else float(min(max(_TARGET - level, 0.0), _MOST))


def _raised(stretch: Samples, gain: float) -> Samples:
    """Make a stretch louder, from its edges on: a jump would be a click."""
    factor = np.full(len(stretch), 10 ** (gain / 20), np.float32)
    edge = min(round(_EDGE * RATE), len(stretch) // 2)
    ramp = np.linspace(1.0, factor[0] if len(factor) else 1.0, edge, dtype=np.float32)
    factor[:edge], factor[len(factor) - edge :] = ramp, ramp[::-1]
    return np.clip(stretch * factor, -1.0, 1.0).astype(np.float32)


__all__ = ["Faint", "faint_sound"]
