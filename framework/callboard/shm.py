"""Arrays between processes: files in a private folder on memory (``/dev/shm``), mapped, never copied through a pipe.

A sender writes an array and sends its reference; the receiver maps it and unlinks the name, so memory is
freed with the last view of it. Names carry the owner's pid: what a killed process left is swept.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np

_PREFIX = "callboard-"


class ArrayRef(Struct, frozen=True):
    """A reference to an array in shared memory: C order, *dtype* as numpy writes it."""

    name: str
    dtype: str
    shape: tuple[int, ...]


def _parent() -> Path:
    memory = Path("/dev/shm")  # noqa: S108 - the system's memory file system, with a private folder in it
    return memory if memory.is_dir() and os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def make_folder() -> Path:
    """Make this process's private folder (mode 0700), and sweep those of processes that are gone."""
    parent = _parent()
    for folder in parent.glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).split("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))


def put(folder: Path, array: np.ndarray[Any, Any]) -> ArrayRef:
    """Write *array* into *folder* and return its reference."""
    import numpy as np

    array = np.asarray(array, order="C")
    name = secrets.token_hex(12)
    fd = os.open(folder / name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        if array.nbytes:
            os.ftruncate(fd, array.nbytes)
            with mmap.mmap(fd, array.nbytes) as mapped:
                target: np.ndarray[Any, Any] = np.frombuffer(mapped, dtype=array.dtype).reshape(array.shape)
                target[...] = array
                del target
    except BaseException:
        drop(folder, name)
        raise
    finally:
        os.close(fd)
    return ArrayRef(name, array.dtype.str, tuple(array.shape))


def take(folder: Path, ref: ArrayRef) -> np.ndarray[Any, Any]:
    """Map the array of *ref* and unlink its name. The array is writable and belongs to the caller."""
    import numpy as np

    if "/" in ref.name or ref.name.startswith("."):
        raise ValueError(f"not an array name: {ref.name!r}")
    dtype = np.dtype(ref.dtype)
    fd = os.open(folder / ref.name, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        size = os.fstat(fd).st_size
        mapped = mmap.mmap(fd, size) if size else None
    finally:
        os.close(fd)
        drop(folder, ref.name)
    if mapped is None:
        return np.empty(ref.shape, dtype)
    return np.frombuffer(mapped, dtype=dtype).reshape(ref.shape)


def drop(folder: Path, name: str) -> None:
    """Unlink an array that nobody will take."""
    with contextlib.suppress(FileNotFoundError):
        (folder / name).unlink()


__all__ = ["ArrayRef", "drop", "make_folder", "put", "take"]
