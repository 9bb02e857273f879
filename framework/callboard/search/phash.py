"""A 64-bit perceptual hash: which copies of a picture share, whatever their size, format and quality.

The method of the pHash library (Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions"):
the picture's luma is shrunk to 32 x 32, and of its cosine transform the 8 x 8 lowest frequencies without the constant
ones are each above or below their median. A mirrored, turned, cropped or boxed copy has another hash.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
from PIL import Image

Array = np.ndarray[Any, Any]

SPACE: Final = "phash"
NEAR: Final = 8
"""Bits that may differ between copies of a picture. Were bits fair coins, one pair of pictures in 3.6 thousand million
would be as near by chance; like pictures are nearer than that, which is what a person should see."""
_SIDE, _KEPT = 32, 8
_FLAT: Final = 4.0
"""Standard deviation of the shrunk luma, of 255, below which a picture has no shapes to compare: black, a card, fog."""


def phash(pixels: Array) -> bytes | None:
    """Hash a picture: uint8, height x width x 3, RGB. 8 bytes, or None for one that is flat."""
    small = _shrink(pixels)
    if float(small.std()) < _FLAT:
        return None
    cosines = _cosines()
    low = (cosines @ small @ cosines.T)[1 : _KEPT + 1, 1 : _KEPT + 1]
    return np.packbits(low > np.median(low)).tobytes()


def distance(one: bytes, other: bytes) -> int:
    """Count the bits in which two hashes differ: 0 to 64; 32 for pictures that have nothing in common."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def distances(hashes: Array, one: int) -> Array:
    """Count the bits in which each of *hashes* (uint64, n) differs from *one*: uint8, n."""
    return count_bits(hashes ^ np.uint64(one))


def count_bits(values: Array) -> Array:
    """Count the bits that are set in each of uint64 *values*: uint8, of the same shape."""
    if hasattr(np, "bitwise_count"):  # numpy 2
        return np.asarray(np.bitwise_count(values))
    bytes_ = np.ascontiguousarray(values).view(np.uint8).reshape(*values.shape, 8)
    return np.asarray(_bits()[bytes_].sum(axis=-1, dtype=np.uint8))


def as_number(hashed: bytes) -> int:
    """Give a hash as the number that ``distances`` takes."""
    return int.from_bytes(hashed, "big")


def _shrink(pixels: Array) -> Array:
    """Average the luma over 32 x 32 areas: float32."""
    luma = Image.fromarray(np.ascontiguousarray(pixels)).convert("L")
    return np.asarray(luma.resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float32)


@lru_cache(maxsize=1)
def _cosines() -> Array:
    """Give the matrix of the cosine transform: float32, 32 x 32."""
    step = np.arange(_SIDE)
    return np.asarray(np.cos(np.pi * step[:, None] * (2 * step + 1) / (2 * _SIDE)), np.float32)


@lru_cache(maxsize=1)
def _bits() -> Array:
    return np.array([value.bit_count() for value in range(256)], np.uint8)


__all__ = ["NEAR", "SPACE", "as_number", "count_bits", "distance", "distances", "phash"]
