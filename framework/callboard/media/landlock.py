"""Taking a process's right to open files and TCP connections away for good, where the kernel can (Linux 5.13 on).

What is open already stays usable. See https://docs.kernel.org/userspace-api/landlock.html for the calls and bits.
"""

from __future__ import annotations

import ctypes
import os
import sys

_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # the same on every architecture Python runs on
_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION: ask which version the kernel has
_PR_SET_NO_NEW_PRIVS = 38
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # how many file rights each version knows; 16 from version 5 on
_TCP_RIGHTS = 0b11  # bind and connect, from version 4 on
_SCOPES = 0b11  # abstract sockets and signals of outsiders, from version 6 on


def close_file_system() -> bool:
    """Let this thread, and those it starts, open nothing any more; whether the kernel agreed.

    Call it before there are other threads, and after everything that is needed was imported.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    if version < 1:
        return False
    rights = (ctypes.c_uint64 * 3)((1 << _FILE_RIGHTS.get(version, 16)) - 1, _TCP_RIGHTS, _SCOPES)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(rights), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    try:
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # the kernel asks for this first
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, ctypes.c_uint32(0)) == 0)
    finally:
        os.close(ruleset)


__all__ = ["close_file_system"]
