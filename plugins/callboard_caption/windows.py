"""Long sound in windows of some minutes, cut where nobody speaks, so that memory stays small and progress is real."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from callboard.media.speech import FRAME, FRAME_SECONDS, RATE, speech_spans
from msgspec import Struct

if TYPE_CHECKING:
    from callboard.media import AudioBlock

    Samples = np.ndarray[Any, Any]


class Window(Struct, frozen=True):
    """A stretch of sound; ``start`` in seconds from the start of the media."""

    start: float
    samples: Samples
    """float32, one dimension, 16 kHz."""
    voice: Samples
    """float32, probability of speech for each 32 ms frame."""

    @property
    def end(self) -> float:
        """Where it ends, in seconds from the start of the media."""
        return self.start + len(self.samples) / RATE

    def spans(self, threshold: float) -> list[tuple[float, float]]:
        """Give the spans of speech in seconds from the start of the media."""
        return [(self.start + a, min(self.start + b, self.end)) for a, b in speech_spans(self.voice, threshold)]


def windows(
    blocks: Iterable[AudioBlock],
    hear: Callable[[Samples], Samples],
    finish: Callable[[], Samples],
    longest: float = 120.0,
) -> Iterator[Window]:
    """Collect *blocks* into windows of at most *longest* seconds and a block.

    Args:
        blocks: 16 kHz mono sound in order.
        hear: Gives one probability of speech for each 512 samples complete so far.
        finish: Gives the probability of the incomplete frame at the end.
        longest: Seconds.

    Yields:
        Windows in order that join without gap or overlap, cut in the longest pause of their last third.
    """
    sound: list[Samples] = []
    voice: list[Samples] = []
    held, start = 0, None
    for block in blocks:
        start = block.time if start is None else start
        sound.append(block.samples)
        voice.append(hear(block.samples))
        held += len(block.samples)
        while held / RATE > longest:
            samples, heard = np.concatenate(sound), np.concatenate(voice)
            cut = min(_quietest(heard, int(longest / FRAME_SECONDS)), len(heard))
            yield Window(start, samples[: cut * FRAME], heard[:cut])
            start += cut * FRAME_SECONDS
            sound, voice, held = [samples[cut * FRAME :]], [heard[cut:]], held - cut * FRAME
    if held and start is not None:
        yield Window(start, np.concatenate(sound), np.concatenate([*voice, finish()]))


def _quietest(voice: Samples, limit: int) -> int:
    """Find the frame to cut at: the middle of the longest pause in the last third, or the least likely speech."""
    low = limit * 2 // 3
    tail = voice[low:limit]
    best, best_length, length = -1, 0, 0
    for index, probability in enumerate(tail):
        length = length + 1 if probability < 0.3 else 0
        if length > best_length:
            best, best_length = index - length // 2, length
    return max(low + (best if best >= 0 else int(np.argmin(tail))), 1)
