"""Names of temporary files: they tell machine and process, so that those of the dead can be swept."""

from __future__ import annotations

import os
import re
import secrets
import socket
import sys
import zlib

STALE_SECONDS = 60.0
"""Age from which a temporary file whose process may still live is rubbish; writing one takes milliseconds."""

_TEMP = re.compile(rb"\.cb\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.tmp")


def _machine() -> bytes:
    return b"%08x" % zlib.crc32(socket.gethostname().encode("utf-8", "surrogateescape"))


def temp_name() -> bytes:
    """Make a new name, such as ``.cb.1f0c33aa-4711-90ab12cd.tmp``."""
    return b".cb.%s-%d-%s.tmp" % (_machine(), os.getpid(), secrets.token_hex(4).encode())


def is_temp(name: bytes) -> bool:
    """Tell whether ``temp_name`` made *name*, in this process or another."""
    return _TEMP.fullmatch(name) is not None


def writer_is_dead(name: bytes) -> bool:
    """Tell whether the process that made *name* ran on this machine and is gone."""
    found = _TEMP.fullmatch(name)
    return found is not None and found[1] == _machine() and not _alive(int(found[2]))


def _alive(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # os.kill would end it there; the file's age decides
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


__all__ = ["STALE_SECONDS", "is_temp", "temp_name", "writer_is_dead"]
