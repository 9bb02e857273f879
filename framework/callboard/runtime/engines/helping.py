"""Threads that help a run only where a core would be idle. Linux tells them apart; elsewhere there are none."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_TASKS: Final = Path("/proc/self/task")
_numbers: Final = itertools.count(1)


def can_help() -> bool:
    """Whether threads can be told here to leave a core to whoever else wants it."""
    return sys.platform == "linux" and _TASKS.is_dir()


@contextlib.contextmanager
def made_helpers() -> Iterator[None]:
    """Make helpers of all threads that are started by this thread within it, and by no other.

    They run at ``SCHED_IDLE``: a caller's own thread, a decoder or the artist's application always goes first.
    """
    if not can_help():
        yield
        return
    name = f"model-help-{next(_numbers) % 1000}"
    own = _TASKS / str(threading.get_native_id()) / "comm"
    before = own.read_text(encoding="ascii", errors="replace")
    with contextlib.suppress(OSError):
        own.write_text(name, encoding="ascii")  # a thread has its name from the one that starts it
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            own.write_text(before.rstrip("\n")[:15], encoding="ascii", errors="replace")
        for task in _named(name):
            with contextlib.suppress(OSError):  # it has ended; or a sandbox forbids it, and it stays as it was
                os.sched_setscheduler(task, os.SCHED_IDLE, os.sched_param(0))


def _named(name: str) -> Iterator[int]:
    for task in _TASKS.iterdir():
        with contextlib.suppress(OSError):
            if (task / "comm").read_text(encoding="ascii", errors="replace").rstrip("\n") == name:
                yield int(task.name)


__all__ = ["can_help", "made_helpers"]
