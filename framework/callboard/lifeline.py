"""Ties a child process to the one that started it, so that nothing is left behind by a supervisor that was killed."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process with the thread that started it (Linux); elsewhere the closed socket tells.

    Args:
        parent: Process id of who started this process; when it is gone already, this process ends at once.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the call
            os._exit(0)


__all__ = ["die_with_parent"]
