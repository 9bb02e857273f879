"""Memory that a decoder fills: made here, named for an instant only, so that nothing is ever left behind."""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callboard.errors import Blocked
from callboard.shm import drop

if TYPE_CHECKING:
    import numpy as np


@contextlib.contextmanager
def make_buffer(folder: Path, dtype: str, shape: tuple[int, ...]) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    """Make an array in shared memory; yield a descriptor to send, and the array, which outlives the block.

    Raises:
        Blocked: shared memory is full.
    """
    import numpy as np

    size = math.prod(shape) * np.dtype(dtype).itemsize
    name = secrets.token_hex(12)
    fd = os.open(folder / name, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        drop(folder, name)
        _reserve(fd, size)
        array = np.frombuffer(mmap.mmap(fd, size), dtype=dtype).reshape(shape)
        yield fd, array
    finally:
        os.close(fd)


def _reserve(fd: int, size: int) -> None:
    """Take the memory now: writing to what a full file system promised would end the process instead."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(fd, 0, size)
        else:
            os.ftruncate(fd, size)
    except OSError as error:
        raise Blocked(
            f"no shared memory for an array of {size / 1e6:.0f} MB: {error.strerror}",
            "Give /dev/shm more room, or run fewer jobs at once.",
        ) from None


__all__ = ["make_buffer"]
