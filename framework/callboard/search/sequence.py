"""Copies of films by what is in them over time: two tracks of perceptual hashes, laid over each other where they agree.

A track holds the hash of a picture every quarter of a second. Each near pair of hashes votes for a shift between the
two films (as audio fingerprints are matched: Wang 2003, "An Industrial-Strength Audio Search Algorithm"); along the
shifts with the most votes the longest stretch that agrees is the overlap. Other sizes, bit rates, frame rates
and containers change nothing, and a film that was cut shorter or is part of another is found with the times. What is
not found: a mirrored, turned or cropped copy, one in another frame (letterboxed), one that runs faster or slower, and
a strong colour grade.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any, Final, Literal

import numpy as np
from msgspec import Struct

from callboard.search.phash import count_bits

Array = np.ndarray[Any, Any]

TRACK: Final = "phash-track"
EVERY: Final = 0.25
"""Seconds between the hashes of a track."""
APART: Final = 14
"""Bits that may differ between moments of copies: they are up to an eighth of a second off, which a fast pan shows."""
MEAN: Final = 8.0
"""Bits that may differ on average over an overlap."""
_FEWEST = 4  # moments with shapes that must agree
_GAP = 4  # moments in a row that may disagree: cuts fall between moments
_SHARE = 0.25  # of the shorter film that must agree, and seconds that must
_SECONDS = 5.0
_WHOLE = 0.9  # of a film that counts as all of it
_OFTEN = 100  # films with the same half of a hash: a logo or bars, which say nothing
_BLOCK = 512  # rows of the distance table at a time

Relation = Literal["copy", "part", "shares"]
"""``copy``: all of both; ``part``: all of the shorter one; ``shares``: a stretch of each."""


class Overlap(Struct, frozen=True):
    """Where two films show the same; times in seconds from the first frame of each."""

    first: tuple[float, float]
    second: tuple[float, float]
    relation: Relation
    bits: float
    """Mean of the bits that differ, of 64."""


def pack(hashes: Sequence[bytes | None]) -> bytes:
    """Put the hashes of a film in a row; a flat picture is eight zero bytes."""
    return b"".join(hashed or bytes(8) for hashed in hashes)


def unpack(vector: bytes) -> Array:
    """Read a track: uint64, n; 0 where the picture is flat."""
    return np.frombuffer(vector[: len(vector) // 8 * 8], ">u8").astype(np.uint64)


def align(first: Array, second: Array, apart: int = APART) -> Overlap | None:
    """Lay two tracks over each other.

    Args:
        first: As ``unpack`` gives it.
        second: Likewise.
        apart: Bits that may differ between two moments.

    Returns:
        The longest overlap; None where there is none worth telling.
    """
    best: tuple[int, int, int, float] | None = None
    for shift in _shifts(first, second, apart):
        start, end, bits = _run(first, second, shift, apart)
        if bits <= MEAN and (best is None or (end - start, -bits) > (best[1] - best[0], -best[3])):
            best = (start, end, shift, bits)
    if best is None:
        return None
    start, end, shift, bits = best
    length, shorter = end - start, min(len(first), len(second))
    if length < _WHOLE * shorter - 1 and (length < _SHARE * shorter or length * EVERY < _SECONDS):
        return None
    whole = [length >= _WHOLE * len(track) - 1 for track in (first, second)]
    relation: Relation = "copy" if all(whole) else "part" if any(whole) else "shares"
    return Overlap(
        (start * EVERY, end * EVERY), ((start + shift) * EVERY, (end + shift) * EVERY), relation, round(bits, 2)
    )


def _shifts(first: Array, second: Array, apart: int) -> list[int]:
    """Give the shifts (place in the second less place in the first) with the most near pairs, most first."""
    votes: Counter[int] = Counter()
    shapes = second != 0
    for top in range(0, len(first), _BLOCK):
        rows = first[top : top + _BLOCK]
        near = (count_bits(rows[:, None] ^ second[None, :]) <= apart) & shapes & (rows != 0)[:, None]
        at, to = np.nonzero(near)
        shifts, counts = np.unique(to - at - top, return_counts=True)
        votes.update(dict(zip(shifts.tolist(), counts.tolist(), strict=True)))
    return [shift for shift, count in votes.most_common(5) if count >= min(_FEWEST, len(first), len(second))]


def _run(first: Array, second: Array, shift: int, apart: int) -> tuple[int, int, float]:
    """Find the longest stretch along one shift that agrees: its start and end in the first track, and mean bits."""
    low, high = max(0, -shift), min(len(first), len(second) - shift)
    one, other = first[low:high], second[low + shift : high + shift]
    shapes = (one != 0) & (other != 0)
    bits = count_bits(one ^ other).astype(np.float64)
    agree = np.where(shapes, bits <= apart, (one == 0) & (other == 0))
    best, start, last = (0, 0), 0, -1
    for place in np.nonzero(agree)[0].tolist():
        if place - last > _GAP + 1:
            start = place
        last = place
        if place + 1 - start > best[1] - best[0]:
            best = (start, place + 1)
    inside = (shapes & agree)[best[0] : best[1]]
    if inside.sum() < min(_FEWEST, len(first), len(second)):
        return low, low, 64.0
    return low + best[0], low + best[1], float(bits[best[0] : best[1]][inside].mean())


def candidates(tracks: Mapping[int, Array]) -> list[tuple[int, int]]:
    """Name the pairs of films that may share something: of a moment each, two quarters of the hash are the same.

    Copies differ in few bits a moment; where they differ in two, two quarters are untouched. That unrelated moments
    agree in 32 bits is a chance of one in some 700 million.
    """
    found: set[tuple[int, int]] = set()
    if not tracks:
        return []
    films = np.concatenate([np.full(len(track), film, np.uint64) for film, track in tracks.items()])
    moments = np.concatenate(list(tracks.values()))
    films, moments = films[moments != 0], moments[moments != 0]
    for one, other in combinations(range(4), 2):
        mask = np.uint64(0xFFFF << 16 * one | 0xFFFF << 16 * other)
        both = np.unique(np.stack([moments & mask, films], axis=1), axis=0)
        edges = [0, *(np.nonzero(both[1:, 0] != both[:-1, 0])[0] + 1).tolist(), len(both)]
        for start, end in pairwise(edges):
            if 1 < end - start <= _OFTEN:
                found.update(combinations(both[start:end, 1].astype(int).tolist(), 2))
    return sorted(found)


__all__ = ["APART", "EVERY", "MEAN", "TRACK", "Overlap", "Relation", "align", "candidates", "pack", "unpack"]
