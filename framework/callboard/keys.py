"""Identifiers: event ids that sort by time, and the key that makes doing a job twice change nothing."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Mapping

import msgspec
from callboard_schemas import Parameters

_KEY_FORMAT = 1
"""Raised when the fields of a job key change, so that keys of two formats never meet."""
_SORTED = msgspec.json.Encoder(order="sorted")


def new_id() -> str:
    """Make a unique id whose text sorts by the time it was made: a UUID of version 7.

    The twelve bits after the millisecond hold its fraction, as method 3 of RFC 9562 section 6.2 allows,
    so ids made microseconds apart still sort.
    """
    millis, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    noise = int.from_bytes(os.urandom(8), "big") >> 2
    value = (millis & (2**48 - 1)) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | noise
    return str(uuid.UUID(int=value))


def job_key(plugin: str, version: str, parameters: Parameters, models: Mapping[str, str], subject: str) -> str:
    """Name a job by everything that decides its result.

    Args:
        plugin: The plugin's id.
        version: The plugin's version.
        parameters: Every parameter with its value, defaults included; the order does not matter.
        models: Model pack name to digest, for each pack that the plugin uses.
        subject: The asset's digest, or the event's id where there is no asset.

    Returns:
        64 lower-case hexadecimal digits of a sha256.
    """
    return digest_of([_KEY_FORMAT, plugin, version, parameters, dict(models), subject])


def digest_of(value: object) -> str:
    """Digest a plain value by its canonical JSON, keys sorted: 64 hexadecimal digits of a sha256."""
    return hashlib.sha256(_SORTED.encode(value)).hexdigest()


__all__ = ["digest_of", "job_key", "new_id"]
