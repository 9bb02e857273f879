"""Named crash windows: places where a test, or somebody hunting a fault, makes this program die or fail.

``CALLBOARD_FAILPOINT=name:action[,name:action...]`` arms them when the process starts. An action is ``kill``
(SIGKILL to itself), ``eio``, ``enospc`` or ``delay``; ``delay=0.2`` sets the seconds, ``kill@3`` acts on the
third pass only. Unset, a failpoint costs the look at one empty dictionary.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from callboard.errors import UsageError

ENVIRONMENT = "CALLBOARD_FAILPOINT"

_SPEC = re.compile(
    r"(?P<name>[a-z0-9_.-]+):(?P<action>kill|eio|enospc|delay)(?:=(?P<seconds>\d+(?:\.\d+)?))?(?:@(?P<at>\d+))?"
)
_ERRORS = {"eio": errno.EIO, "enospc": errno.ENOSPC}


class _Armed:
    """One armed failpoint, with how often it was passed."""

    def __init__(self, action: str, seconds: float, at: int | None) -> None:
        self.action, self.seconds, self.at = action, seconds, at
        self.passed = 0
        self.lock = threading.Lock()

    def due(self) -> bool:
        with self.lock:
            self.passed += 1
            return self.at is None or self.passed == self.at


def parse(text: str) -> dict[str, _Armed]:
    """Read ``name:action`` pairs.

    Raises:
        UsageError: a pair is not one, or its action is unknown.
    """
    armed: dict[str, _Armed] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _SPEC.fullmatch(part)
        if found is None:
            raise UsageError(
                f"{ENVIRONMENT}: {part!r} is not a failpoint",
                "Write name:kill, name:eio, name:enospc or name:delay=SECONDS; @N acts on the Nth pass only.",
            )
        at = found["at"]
        armed[found["name"]] = _Armed(found["action"], float(found["seconds"] or 1.0), int(at) if at else None)
    return armed


_armed: dict[str, _Armed] = parse(os.environ.get(ENVIRONMENT, ""))


def failpoint(name: str) -> None:
    """Mark a crash window; does nothing unless *name* is armed.

    Raises:
        OSError: *name* is armed with ``eio`` or ``enospc``.
    """
    if _armed:
        _pass(name)


def _pass(name: str) -> None:
    point = _armed.get(name)
    if point is None or not point.due():
        return
    if point.action == "kill":
        _kill()
    elif point.action == "delay":
        time.sleep(point.seconds)
    else:
        code = _ERRORS[point.action]
        raise OSError(code, os.strerror(code), f"failpoint {name}")


def _kill() -> None:
    if sys.platform == "win32":
        os._exit(137)
    else:
        os.kill(os.getpid(), signal.SIGKILL)
        signal.pause()  # the signal may reach another thread first; this one goes no further


@contextmanager
def armed(text: str) -> Iterator[None]:
    """Arm failpoints of this process for the length of a ``with`` block, in place of those armed before."""
    before = dict(_armed)
    _armed.clear()
    _armed.update(parse(text))
    try:
        yield
    finally:
        _armed.clear()
        _armed.update(before)


__all__ = ["ENVIRONMENT", "armed", "failpoint", "parse"]
