"""What a decoding process may take, and how it is shut in before it reads a byte of media."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

from msgspec import Struct

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds on one decoding process; what goes past one is an error that names it."""

    pixels: int = 134_217_728
    """Most pixels in one picture: 128 Mpx, which is 403 MB of RGB."""
    memory: int = 6 << 30
    """Address space in bytes. Decoding 8K H.264 with 8 frame threads takes 2.6 GiB of it."""
    cpu_seconds: int = 14_400
    """Processor time for one call; a feature film decoded whole in 4K needs 1.5 hours of it."""
    files: int = 64
    """File descriptors."""
    stall_seconds: float = 60.0
    """Silence after which a decoder is taken for hung and killed."""
    threads: int = 8
    """Most decoding threads; frame threads beyond it cost memory and gain little."""


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process with the thread that started it; *parent* is its process id."""
    if sys.platform != "linux":
        return  # elsewhere the closed socket ends the process
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:  # it died before prctl was reached
        os._exit(0)


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


def allow_cpu(seconds: int) -> None:
    """Let this process use *seconds* of processor time from now on; the kernel ends it after that."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


__all__ = ["Limits", "allow_cpu", "die_with_parent", "shut_in"]
