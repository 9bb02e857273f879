"""Memory of loaded models: measured where that can be done, handed back to the system, and known to be short."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import threading
from typing import TYPE_CHECKING, Final, Self

import psutil

if TYPE_CHECKING:
    import torch

_SIGNS: Final = (
    "Failed to allocate memory",  # onnxruntime, every provider
    "bad_alloc",
    "out of memory",  # CUDA's own words, also through onnxruntime, torch and CTranslate2
    "smaller than requested bytes",  # onnxruntime's arena under a limit
    "ALLOC_FAILED",  # cuBLAS and cuDNN
    "cudaErrorMemoryAllocation",
    "can't allocate memory",  # torch's allocator on the CPU
    "not enough memory",  # the same on Windows
    "E_OUTOFMEMORY",  # DirectML
)


def is_short(error: BaseException) -> bool:
    """Whether *error* says that a device has no memory left; engines raise it as whatever their library does."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, without importing it
        return True
    said = str(error)
    return any(sign in said for sign in _SIGNS) or "out of memory" in said.lower()


class Growth:
    """Measures by how much this process grows within it; ``mb`` is 0 where another load ran meanwhile.

    Resident memory is the process's, not a model's: of two loads at once neither can be told.
    """

    def __init__(self) -> None:
        self.mb = 0
        self._before = 0

    def __enter__(self) -> Self:
        with _lock:
            _under_way.append(self)
            if len(_under_way) > 1:
                _spoiled.update(_under_way)
        give_back()  # else a model moves into memory that is free already, and seems to take none
        self._before = _resident()
        return self

    def __exit__(self, *_: object) -> None:
        grown = _resident() - self._before
        with _lock:
            _under_way.remove(self)
            self.mb = 0 if self in _spoiled else max(0, grown) >> 20
            _spoiled.discard(self)


_lock: Final = threading.Lock()
_under_way: Final[list[Growth]] = []
_spoiled: Final[set[Growth]] = set()


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


def give_back() -> None:
    """Return freed memory to the system: glibc keeps what many small blocks leave behind."""
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # musl has no such call
            ctypes.CDLL(None).malloc_trim(0)


def weights_mb(model: torch.nn.Module) -> int:
    """MiB that a model's parameters and buffers take."""
    return sum(each.nbytes for each in (*model.parameters(), *model.buffers())) >> 20


__all__ = ["Growth", "give_back", "is_short", "weights_mb"]
