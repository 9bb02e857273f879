"""Renames that swap two names, or refuse to take one: Linux has them, its file systems mostly, Python not."""

from __future__ import annotations

import ctypes
import errno
import os
import sys

NOREPLACE, EXCHANGE = 1, 2
"""Flags of renameat2(2), from linux/fs.h."""

_UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM}


def renameat2(folder: int, old: bytes, new: bytes, flags: int) -> bool:
    """Rename inside an open folder; False where the system or the file system cannot.

    Raises:
        FileExistsError: *new* is taken, with ``NOREPLACE``.
        FileNotFoundError: one of them is not there.
        OSError: it fails for another reason.
    """
    if sys.platform != "linux":
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(folder, old, folder, new, flags) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), os.fsdecode(new))


__all__ = ["EXCHANGE", "NOREPLACE", "renameat2"]
