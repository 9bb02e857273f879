"""What a disk is asked: to have it for sure, to let one at a time; and what it says when it does not take a file."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from callboard.errors import Blocked

_LOCK: Final = ".placing.lock"
_WORDS: Final = {
    errno.ENOSPC: ("the disk is full", "Make room there, then try again."),
    errno.EFBIG: ("files may not become so large there", "Raise the limit, or choose a smaller codec or size."),
    errno.EROFS: ("the disk is read-only", "Make it writable, or name another folder: 'placeholders' in the settings."),
    errno.EACCES: ("you may not write there", "Change its permissions, or name another folder."),
    errno.EPERM: ("you may not write there", "Change its permissions, or name another folder."),
    errno.EIO: ("the disk has a fault", "Check the disk and its cable or share."),
    errno.EMFILE: ("too many files are open", "Close programs, or raise the limit of open files."),
    errno.ENFILE: ("too many files are open", "Close programs, or raise the limit of open files."),
    errno.ENOTDIR: ("a file is where a folder should be", "Move that file away."),
    errno.EEXIST: ("a file is where a folder should be", "Move that file away."),
}
_UNIX: Final = {
    "EDQUOT": ("your share of the disk is used up", "Make room there, or ask for more, then try again."),
    "ESTALE": ("the share went away", "Mount it again, then try again."),
}


def blocked(error: OSError, path: Path) -> Blocked | None:
    """Give what stops a job at *path*; nothing where an error is no fault of the surroundings."""
    words = _WORDS | {getattr(errno, name): text for name, text in _UNIX.items() if hasattr(errno, name)}
    found = words.get(error.errno or 0)
    return None if found is None else Blocked(f"{path}: cannot be written: {found[0]}", found[1])


def seal(path: Path) -> None:
    """Wait until the disk has a file's bytes, or a folder's names where the system can say so of folders."""
    if path.is_dir() and sys.platform == "win32":
        return
    fd = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only one of us in a folder; the system lets go when a process ends. On a share without locks, go on."""
    fd = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
    try:
        _lock(fd)
        yield
    finally:
        os.close(fd)


def _lock(fd: int) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(fd, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
            raise


__all__ = ["blocked", "locked", "seal"]
