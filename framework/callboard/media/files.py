"""Files opened to be read: regular ones only, never followed through a link, never for writing."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from callboard_schemas import encode_path

from callboard.errors import Blocked, MediaError


def shown(path: Path) -> str:
    """Write a path's last part so that it is safe on a terminal and in a log."""
    return encode_path(os.fsencode(path.name or str(path)))


def open_regular(path: Path) -> int:
    """Open a regular file read only, and return its descriptor.

    Raises:
        MediaError: it is not there, not a regular file, or may not be read.
        Blocked: the disk or the share does not answer as it should.
    """
    flags = os.O_RDONLY
    for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"):  # NONBLOCK: a FIFO must not hang
        flags |= getattr(os, name, 0)
    try:
        fd = os.open(path, flags)
    except OSError as error:
        raise _refusal(path, error) from None
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise MediaError(shown(path), f"is {kind}, not a file")
    return fd


def _refusal(path: Path, error: OSError) -> Exception:
    name = shown(path)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return MediaError(name, "is not there any more")
    if error.errno == errno.ELOOP:
        return MediaError(name, "is a symbolic link", "Give the file that it points to.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return MediaError(name, "may not be read", "Mend its permissions, then try again.")
    if error.errno in (errno.ENXIO, errno.EOPNOTSUPP):
        return MediaError(name, "is a socket or a device, not a file")
    if error.errno == errno.ENAMETOOLONG:
        return MediaError(name, "has a name too long for the file system")
    return Blocked(f"{name}: cannot be opened now: {error.strerror}")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a regular file for the length of a block; errors as ``open_regular``."""
    fd = open_regular(path)
    try:
        yield fd
    finally:
        os.close(fd)


def own_position(fd: int, path: Path) -> int:
    """Open the same file again: two calls at once must not share one position.

    Where the system cannot reopen a descriptor, a duplicate is made, and calls must not overlap.
    """
    if fd < 0:
        raise ValueError(f"{shown(path)} was closed")
    try:
        return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        copy = os.dup(fd)
        os.lseek(copy, 0, os.SEEK_SET)
        return copy


__all__ = ["open_regular", "opened", "own_position", "shown"]
