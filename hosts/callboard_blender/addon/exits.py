"""What must be undone before the interpreter ends.

With a timer or handler in Python still registered, the process of the 4.2 wheel ends with a segmentation fault and the
one of 4.5 never ends.
"""

from __future__ import annotations

import atexit
import contextlib
from collections.abc import Callable

_kept: list[Callable[[], None]] = []


def keep(stop: Callable[[], None]) -> None:
    """Call *stop* before the interpreter ends, unless it is forgotten before; the last one kept is called first."""
    if not _kept:
        atexit.register(stop_all)
    if stop not in _kept:
        _kept.append(stop)


def forget(stop: Callable[[], None]) -> None:
    """Do not call *stop* any more."""
    if stop in _kept:
        _kept.remove(stop)


def stop_all() -> None:
    """Call all that was kept, once."""
    while _kept:
        with contextlib.suppress(Exception):
            _kept.pop()()
