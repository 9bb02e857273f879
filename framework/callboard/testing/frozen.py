"""A program that no longer answers, made on purpose."""

from __future__ import annotations

import os
import signal


def freeze(pid: int) -> None:
    """Stop a child of this process in its tracks; returns when its last thread stands still (POSIX).

    The signal alone is not enough: it is only sent, and until each thread has met it the child may still answer.

    Raises:
        ChildProcessError: *pid* is no child of this process, or has ended.
    """
    if pid <= 0:  # to the kernel that is a whole group of processes, this one among them
        raise ChildProcessError(f"{pid} is no process")
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)  # WNOWAIT: whoever else waits for the child is told too


__all__ = ["freeze"]
