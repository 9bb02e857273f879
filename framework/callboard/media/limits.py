"""What a decoding process may take, and how it is shut in before it reads a byte of media."""

from __future__ import annotations

import contextlib
import ctypes
import sys

from msgspec import Struct

_PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds on one decoding process; what goes past one is an error that names it."""

    pixels: int = 134_217_728
    """Most pixels in one picture: 128 Mpx, which is 403 MB of RGB."""
    memory: int = 6 << 30
    """Address space in bytes. With 8 threads, 8K H.264 takes 2.5 GiB of it and 8K 10-bit HEVC 3.8 GiB (measured)."""
    cpu_seconds: int = 14_400
    """Processor time for one call: two hours of 24 fps at 80 ms a frame. A plugin's deadline comes long before."""
    files: int = 64
    """File descriptors."""
    stall_seconds: float = 60.0
    """Silence after which a decoder is taken for hung and killed."""
    threads: int = 8
    """Most decoding threads, where there are as many cores; each holds frames of its own."""


def gain_no_privileges() -> None:
    """Give up for good what a set-user-id program could bring; Landlock asks for it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _lower(kind: int, value: int) -> None:
    import resource

    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses RLIMIT_AS
        resource.setrlimit(kind, (value, value))


def shut_in(limits: Limits) -> None:
    """Put the limits of a decoding process on the process that calls: no file may be written or dumped."""
    if sys.platform == "win32":
        return
    import resource

    _lower(resource.RLIMIT_AS, limits.memory)
    _lower(resource.RLIMIT_NOFILE, limits.files)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CORE, 0)


def allow(limits: Limits) -> None:
    """Give this process the memory and, from now on, the processor time of one call; the kernel sees to both."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    _soften(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + limits.cpu_seconds)
    _soften(resource.RLIMIT_AS, limits.memory)


def _soften(kind: int, value: int) -> None:
    import resource

    hard = resource.getrlimit(kind)[1]
    with contextlib.suppress(ValueError, OSError):  # macOS refuses RLIMIT_AS
        resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


__all__ = ["Limits", "allow", "gain_no_privileges", "shut_in"]
