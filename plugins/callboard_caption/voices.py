"""Who says which word, by the voice: where nobody has a channel, phrases that sound alike are taken for one speaker's.

Voices are told from each other within one recording and never recognised: what a voice is like is a vector that an
encoder gives, and it is gone when the job is done. Phrases are joined by how alike they are on average, the most alike
first, until no two groups are. Where that leaves one voice, or voices too alike to be sure, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec import Struct

from callboard_caption.dividing import answers, break_costs
from callboard_caption.mels import RATE, STEP, mels

if TYPE_CHECKING:
    from callboard.context import Context, Runtime
    from callboard.media import AudioBlock
    from callboard_schemas import Word

Array = np.ndarray[Any, Any]

PACK: Final = "voice-ge2e"
ALIKE: Final = 0.49
"""Average product of vectors from which two groups of phrases are one voice. Within a voice it is 0.69 to 0.79, between
two mostly 0.35 to 0.55. Up to 0.6 no single voice of ten fell into two. With 0.49 a voice of which half is on a
telephone, under noise or in a room hardly ever does, with 0.55 one in four: bench/voices.py."""
LIKE: Final = 0.65
"""Product with the mean of a voice under which a phrase is somebody else's: of 182 phrases of real voices all had 0.72
or more with their own, and 0.64 or less with the other of a pair."""
SURE: Final = 0.8
"""How sure it must be whose a phrase is before anything is said of it."""
_SPREAD: Final = 0.05
"""Difference of two cosines that makes one voice e times as likely as the other; see ``_whose``."""
_LEAST: Final = 3.0
"""Seconds that somebody must speak, in long phrases, to be one of the speakers: less is a cough, a laugh, an echo."""
_LONG: Final = 1.2
"""Seconds of a phrase from which it helps to find out which voices there are."""
_SHORT: Final = 0.5
"""Seconds of a phrase from which anything is said of its voice at all."""
_PAUSE: Final = 0.25
"""Seconds without a word after which somebody else may go on."""
_PIECE: Final = 160
"""Frames that the encoder hears at once: 1.6 s, as it was trained."""
_STEP: Final = 80
_BATCH: Final = 32
_MOST: Final = 800
"""Phrases that are compared with each other; of more, the longest. Time grows with the cube: 1,500 took 13 s."""


class Phrase(Struct):
    """Words that one person says: no pause in them, and no sentence ends."""

    first: int
    stop: int
    """Index after the last word."""
    start: float
    end: float
    pieces: list[Array]
    """What its voice is like: vectors of length one."""

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return self.end - self.start

    @property
    def voice(self) -> Array:
        """The mean of its vectors."""
        mean: Array = np.mean(self.pieces, axis=0)
        return mean


class Told(Struct, frozen=True):
    """Who says each word."""

    who: tuple[int, ...] = ()
    """A number for each word, from 0 in the order of their first words; -1 where that is unknown. Empty where nobody is
    told from anybody."""
    sure: tuple[float, ...] = ()
    """How sure each is, 0 to 1; empty where it is not by the voice."""


def voices_of(context: Context, words: Sequence[Word], language: str, ends: Iterable[int] = ()) -> Told:
    """Tell speakers apart by their voices, where the encoder was here when the job was made.

    Args:
        context: Of the job.
        words: In order, with times in seconds; none blank.
        language: That they are in.
        ends: Indices of words that a phrase of the recogniser ends with.

    Raises:
        MediaError: the sound cannot be decoded.
        RuntimeGone: the runtime died; the job is tried again.
    """
    if context.parameters["speakers"] == "off" or PACK not in context.models:
        return Told()
    found = [one for one in phrases(words, language, ends) if one.seconds >= _SHORT]
    if sum(one.seconds for one in found if one.seconds >= _LONG) < 2 * _LEAST:
        return Told()
    encode(context.runtime, context.media.audio(RATE, 10.0), found)
    return told_by_voice(found, len(words))


def phrases(words: Sequence[Word], language: str, ends: Iterable[int] = ()) -> list[Phrase]:
    """Divide words where somebody else may go on: at pauses, ends of sentences, and dashes that answer."""
    costs = break_costs([word.text for word in words], language)
    stops = set(ends)
    stops.update(
        at
        for at, (before, after) in enumerate(pairwise(words))
        if after.start - before.end >= _PAUSE or costs[at] == 0.0 or answers(before.text, after.text)
    )
    edges = [0, *sorted(at + 1 for at in stops if at < len(words) - 1), len(words)]
    return [Phrase(a, b, words[a].start, words[b - 1].end, []) for a, b in pairwise(edges) if b > a]


def encode(runtime: Runtime, blocks: Iterable[AudioBlock], found: Sequence[Phrase]) -> None:
    """Give each phrase the vectors of its voice.

    Args:
        runtime: That has the encoder.
        blocks: The recording, mono, at 16 kHz, in order.
        found: In order; what the recording does not hold gets no vectors.
    """
    waiting: list[tuple[Phrase, Array]] = []
    for phrase, samples in sounds(blocks, found):
        waiting += [(phrase, piece) for piece in pieces(mels(samples))]
        while len(waiting) >= _BATCH:
            _ask(runtime, waiting[:_BATCH])
            del waiting[:_BATCH]
    if waiting:
        _ask(runtime, waiting)


def _ask(runtime: Runtime, waiting: Sequence[tuple[Phrase, Array]]) -> None:
    said = runtime.call(PACK, {"mels": np.stack([piece for _, piece in waiting])})
    for (phrase, _), vector in zip(waiting, said["voice"], strict=True):
        phrase.pieces.append(np.array(vector, np.float32))


def sounds(blocks: Iterable[AudioBlock], found: Sequence[Phrase]) -> Iterator[tuple[Phrase, Array]]:
    """Cut what is heard during each phrase out of a recording, which is held no longer than for that."""
    held, began = np.zeros(0, np.float32), 0.0
    left = list(reversed(found))
    for block in blocks:
        if not len(held):
            began = block.time
        held = np.concatenate([held, block.samples.reshape(-1)])
        while left and began + len(held) / RATE >= left[-1].end:
            phrase = left.pop()
            yield phrase, _cut(held, began, phrase)
        gone = max(round((left[-1].start - began) * RATE), 0) if left else len(held)
        held, began = held[gone:], began + min(gone, len(held)) / RATE
    while left and began + len(held) / RATE > left[-1].start:
        phrase = left.pop()
        yield phrase, _cut(held, began, phrase)


def _cut(held: Array, began: float, phrase: Phrase) -> Array:
    return held[max(round((phrase.start - began) * RATE), 0) : max(round((phrase.end - began) * RATE), 0)]


def pieces(frames: Array) -> list[Array]:
    """Divide mel frames into pieces of 1.6 s, half over each other; what is shorter is heard over and over."""
    if len(frames) * STEP < _SHORT / 2 * RATE:
        return []
    if len(frames) <= _PIECE:
        return [np.resize(frames, (_PIECE, frames.shape[1]))]
    count = max(round((len(frames) - _PIECE) / _STEP), 1)
    firsts = np.linspace(0, len(frames) - _PIECE, count + 1).round().astype(int)
    return [frames[first : first + _PIECE] for first in firsts]


def told_by_voice(found: Sequence[Phrase], count: int) -> Told:
    """Say who says each of *count* words, of phrases whose voices are known."""
    heard = [one for one in found if one.pieces]
    voices = _voices(heard)
    if len(voices) < 2:
        return Told()
    who, sure = [-1] * count, [0.0] * count
    for phrase, (voice, chance) in zip(heard, _whose(heard, voices), strict=True):
        for at in range(phrase.first, phrase.stop):
            who[at], sure[at] = (voice if chance >= SURE else -1), chance
    order = {voice: number for number, voice in enumerate(dict.fromkeys(voice for voice in who if voice >= 0))}
    if len(order) < 2:
        return Told()
    return Told(tuple(order.get(voice, -1) for voice in who), tuple(round(chance, 4) for chance in sure))


def _voices(heard: Sequence[Phrase]) -> list[Array]:
    """Give what the voice of each speaker is like: those who speak for long enough."""
    long = [one for one in heard if one.seconds >= _LONG]
    if len(long) > _MOST:
        long = sorted(sorted(long, key=lambda one: (-one.seconds, one.start))[:_MOST], key=lambda one: one.start)
    if not long:
        return []
    groups = joined(np.stack([one.voice for one in long]), np.array([len(one.pieces) for one in long], np.float64))
    found: list[Array] = []
    for group in groups:
        if sum(long[at].seconds for at in group) >= _LEAST:
            mean = np.mean([vector for at in group for vector in long[at].pieces], axis=0)
            found.append(mean / max(float(np.linalg.norm(mean)), 1e-9))
    return found


def joined(vectors: Array, weights: Array, alike: float = ALIKE) -> list[list[int]]:
    """Join the two groups that are most alike on average, again and again, while they are alike enough.

    Args:
        vectors: n x numbers, the mean of each first group's vectors.
        weights: n, how many vectors each is the mean of.
        alike: Average of the products of their vectors from which two groups are joined.

    Returns:
        The groups, each with its indices in order, by their first. Of pairs that are just as alike the first is joined.
    """
    means, sizes, count = vectors.astype(np.float64), weights.copy(), len(vectors)
    likeness = means @ means.T
    np.fill_diagonal(likeness, -np.inf)
    groups: list[list[int]] = [[at] for at in range(count)]
    while True:
        first, second = divmod(int(likeness.argmax()), count)
        if not likeness[first, second] >= alike:
            return [sorted(group) for group in groups if group]
        total = sizes[first] + sizes[second]
        means[first] = (sizes[first] * means[first] + sizes[second] * means[second]) / total
        sizes[first], groups[first] = total, groups[first] + groups[second]
        groups[second] = []
        gone = np.isneginf(likeness[first])
        row = np.where(gone, -np.inf, means @ means[first])
        likeness[first], likeness[:, first] = row, row
        likeness[second], likeness[:, second] = -np.inf, -np.inf


def _whose(heard: Sequence[Phrase], voices: Sequence[Array]) -> Iterator[tuple[int, float]]:
    """Say for each phrase which voice it is most like, and how sure that is beside the others."""
    likeness = np.stack([one.voice / max(float(np.linalg.norm(one.voice)), 1e-9) for one in heard]) @ np.stack(voices).T
    odds = np.exp((likeness - likeness.max(axis=1, keepdims=True)) / _SPREAD)
    chances = np.where(likeness.max(axis=1) < LIKE, 0.0, (odds / odds.sum(axis=1, keepdims=True)).max(axis=1))
    yield from zip(likeness.argmax(axis=1).tolist(), chances.tolist(), strict=True)


__all__ = [
    "ALIKE",
    "PACK",
    "SURE",
    "Phrase",
    "Told",
    "encode",
    "joined",
    "phrases",
    "pieces",
    "told_by_voice",
    "voices_of",
]
