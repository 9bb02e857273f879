"""Locks that the system lets go of when their process ends, however it ends: one owner for a data folder, and turns."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from callboard.errors import BoardBusy

_NAME = "owner.lock"
_MOMENT = 0.01
"""Seconds between two tries where somebody only looks, or has not said yet who it is."""
_MOMENTS = 1000
"""Tries at most: whoever looks and was stopped in the middle of it keeps nobody out for ever."""


class Owner:
    """Holds a data folder. Use as a context manager.

    Raises:
        BoardBusy: another process holds it; the message names it.
    """

    def __init__(self, data: Path, command: str) -> None:
        self._path, self._command = data / _NAME, command
        self._fd = -1

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        if not self._take():
            os.close(self._fd)
            raise BoardBusy(str(self._path.parent), held(self._path.parent) or "unknown")
        line = f"callboard {self._command}, process {os.getpid()}\n".encode()
        os.lseek(self._fd, 0, os.SEEK_SET)
        os.write(self._fd, line)
        os.ftruncate(self._fd, len(line))
        return self

    def _take(self) -> bool:
        """Lock the folder; those who only look share their lock, hold it for a moment, and are waited for."""
        for _ in range(_MOMENTS):
            if _lock(self._fd):
                return True
            if not _lock(self._fd, shared=True):
                return False
            _unlock(self._fd)
            time.sleep(_MOMENT)
        return False

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1


def _lock(fd: int, *, shared: bool = False) -> bool:
    """Lock a file without waiting, and say whether that went; Windows shares no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(fd, 1 << 30, os.SEEK_SET)  # past the text, which others must be able to read
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _unlock(fd: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(fd, 1 << 30, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(fd, fcntl.LOCK_UN)


@contextlib.contextmanager
def turn(path: Path, waits: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold a lock file; others that want it, in this process too, wait, and call *waits* before they do.

    Raises:
        OSError: it cannot be made or locked.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(fd, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if waits is not None:
                    waits()
                fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def held(data: Path) -> str:
    """Say who holds a data folder; an empty string when nobody does. Keeps nobody from taking it meanwhile."""
    path = data / _NAME
    for _ in range(_MOMENTS):
        if _free(path):
            return ""
        text = path.read_text("utf-8").partition("\n")[0]
        if text:
            return text
        time.sleep(_MOMENT)  # it was taken a moment ago, or is being let go of
    return "unknown"


def _free(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        return True
    try:
        free = _lock(fd, shared=True)
        if free:
            _unlock(fd)
        return free
    finally:
        os.close(fd)
