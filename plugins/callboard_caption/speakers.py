"""Who says which word, where each speaker has a channel: interviews with a microphone for each, calls on two tracks.

A word belongs to the channel that is loudest while it is said, each measured against how loud its own speaker is. A
mix, where voices are in both channels alike, tells nothing, and nothing is said then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard.media import AudioBlock, MediaFacts
    from callboard_schemas import Word

Array = np.ndarray[Any, Any]

RATE = 8000
"""Samples a second: what tells voices' levels apart is below 4 kHz."""
STEP = 0.02
"""Seconds of one measurement."""
_APART = 6.0
"""Decibels by which a channel is louder than all others: twice the amplitude."""
_TELLING = 0.8
"""Share of the words that are that much louder in one channel, from which channels tell speakers apart."""
_LEAST = 0.03
"""Share of the words, of each speaker: less is cross-talk."""
_LOUD = 95
"""Percentile of a channel's levels, while anybody speaks, that stands for its speaker's voice."""
_FIRST = 60.0
"""Seconds of sound after which a mix is known for one."""
_ENOUGH = 20
"""Words that must be said by then."""
_RANGE = 60.0
"""Decibels below a channel's voice under which it is silent."""


def speakers_of(context: Context, facts: MediaFacts, words: Sequence[Word]) -> tuple[int, ...]:
    """Say who says each word, by the channels of the first sound stream.

    Returns:
        A number for each word, from 0 in the order of their first words; -1 for a word that nothing tells of.
        Empty where there is one channel, or channels do not tell speakers apart.

    Raises:
        MediaError: the sound cannot be decoded.
    """
    told = context.parameters["speakers"] != "off"
    if not told or len(words) < 2 or not facts.audio or facts.audio[0].channels < 2:
        return ()
    blocks = context.media.audio(RATE, _FIRST, channels=True)
    first = levels_of(islice(blocks, 1))
    if is_mix(first, words):
        return ()
    more = levels_of(blocks)
    return told_apart(np.concatenate([first, more]) if len(more) else first, words)


def is_mix(levels: Array, words: Sequence[Word]) -> bool:
    """Say whether everything that is said while *levels* were measured is in all channels alike.

    The rest of a mix need not be decoded: that is most of what has two channels.
    """
    spoken = [word for word in words if word.end < len(levels) * STEP]
    if len(spoken) < _ENOUGH or levels.shape[1] < 2:
        return False
    loudness = np.stack([_over(levels, word.start, word.end) for word in spoken])
    return bool(np.quantile(np.ptp(loudness, axis=1), 0.9) < _APART / 2)


def levels_of(blocks: Iterable[AudioBlock]) -> Array:
    """Measure each channel 50 times a second.

    Args:
        blocks: In order, ``samples`` n x channels.

    Returns:
        float32, measurements x channels: root mean square in dBFS, -120 at least.
    """
    size = 0
    rest: Array | None = None
    found: list[Array] = []
    for block in blocks:
        size = size or max(round(block.rate * STEP), 1)
        samples = block.samples if rest is None else np.concatenate([rest, block.samples])
        whole = len(samples) // size * size
        rest = samples[whole:]
        power = np.mean(samples[:whole].reshape(-1, size, samples.shape[1]) ** 2, axis=1)
        found.append(10 * np.log10(np.maximum(power, 1e-12)).astype(np.float32))
    return np.concatenate(found) if found else np.zeros((0, 1), np.float32)


def told_apart(levels: Array, words: Sequence[Word]) -> tuple[int, ...]:
    """Say who says each word.

    Args:
        levels: As ``levels_of`` gives them.
        words: In order, with times in seconds.
    """
    if levels.shape[1] < 2 or not len(levels):
        return ()
    spoken = np.zeros(len(levels), bool)
    for word in words:
        spoken[min(int(word.start / STEP), len(levels) - 1) : max(round(word.end / STEP), 1)] = True
    voices = np.percentile(levels[spoken], _LOUD, axis=0)
    heard = np.maximum(levels - voices, -_RANGE)
    loudness = np.stack([_over(heard, word.start, word.end) for word in words])
    order = np.sort(loudness, axis=1)
    clear = order[:, -1] - order[:, -2] >= _APART
    channels = np.where(clear, loudness.argmax(axis=1), -1)
    shares = np.bincount(channels[clear], minlength=levels.shape[1]) / max(len(words), 1)
    if clear.mean() < _TELLING or (shares >= _LEAST).sum() < 2:
        return ()
    channels = np.where(shares[channels] >= _LEAST, channels, -1)
    return _numbered(_carried(channels.tolist()))


def _over(heard: Array, start: float, end: float) -> Array:
    first = min(int(start / STEP), len(heard) - 1)
    power = 10 ** (heard[first : max(round(end / STEP), first + 1)] / 10)
    level: Array = 10 * np.log10(power.mean(axis=0))
    return level


def _carried(channels: list[int]) -> list[int]:
    """Let a word that nothing tells of be said by who spoke before it."""
    last = next((channel for channel in channels if channel >= 0), -1)
    carried: list[int] = []
    for channel in channels:
        last = channel if channel >= 0 else last
        carried.append(last)
    return carried


def _numbered(channels: list[int]) -> tuple[int, ...]:
    """Number speakers in the order of their first words."""
    order = {channel: number for number, channel in enumerate(dict.fromkeys(channels))}
    return tuple(order[channel] for channel in channels)


__all__ = ["RATE", "is_mix", "levels_of", "speakers_of", "told_apart"]
