"""Locks that the system lets go of when their process ends, however it ends: one owner for a data folder, and turns."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from callboard.errors import BoardBusy

_NAME = "owner.lock"


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
        try:
            _lock(self._fd)
        except OSError:
            os.close(self._fd)
            raise BoardBusy(str(self._path.parent), self._path.read_text("utf-8").strip() or "unknown") from None
        os.ftruncate(self._fd, 0)
        os.write(self._fd, f"callboard {self._command}, process {os.getpid()}\n".encode())
        return self

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _lock(fd: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(fd, 1 << 30, os.SEEK_SET)  # past the text, which others must be able to read
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


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
    """Say who holds a data folder; an empty string when nobody does."""
    try:
        with Owner(data, "probe"):
            return ""
    except BoardBusy as busy:
        return busy.owner
