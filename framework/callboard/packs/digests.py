"""Digests of files, remembered: a file is read again only once its size, times or place on the disk have changed.

Those of large files are kept between processes, for a list of packs must not read gigabytes each time. What is
remembered serves lists and waiting jobs; an engine compares the very bytes that it loads.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path
from typing import Final

import msgspec
import platformdirs

from callboard.replacing import replacing

Mark = tuple[int, int, int, int, int]
"""Device, inode, size, and times of the last change of content and of anything, in nanoseconds."""

_LARGE: Final = 8 << 20
"""Bytes from which a digest is kept on disk; smaller files are read in a hundredth of a second."""
_MOST: Final = 2000
_FRESH: Final = 100_000_000
"""Nanoseconds. A file that changed so lately may change again within one tick of its clock (at most 10 ms on Linux,
at HZ=100) and keep its mark, so what was just read of it is not remembered."""

_seen: dict[str, tuple[Mark, str]] = {}
_kept: dict[str, tuple[Mark, str]] | None = None


def digest(path: Path, *, fresh: bool = False) -> str:
    """Give the hex SHA-256 of a file; *fresh* reads it whatever is remembered.

    Raises:
        OSError: it cannot be read.
    """
    key, mark = str(path), _mark(path)
    if not fresh:
        known = _seen.get(key)
        if (known is None or known[0] != mark) and mark[2] >= _LARGE:
            known = _load().get(key)
        if known is not None and known[0] == mark:
            _seen[key] = known
            return known[1]
    with path.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if _mark(path) == mark and time.time_ns() - max(mark[3:]) > _FRESH:
        _seen[key] = (mark, found)
        if mark[2] >= _LARGE:
            _keep(key, (mark, found))
    else:
        _seen.pop(key, None)
    return found


def _mark(path: Path) -> Mark:
    info = path.stat()
    return (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)


def _file() -> Path:
    return Path(platformdirs.user_cache_dir("callboard", appauthor=False)) / "digests.json"


def _load() -> dict[str, tuple[Mark, str]]:
    global _kept
    if _kept is None:
        try:
            _kept = msgspec.json.decode(_file().read_bytes(), type=dict[str, tuple[Mark, str]])
        except (OSError, msgspec.MsgspecError):
            _kept = {}
    return _kept


def _keep(key: str, known: tuple[Mark, str]) -> None:
    """Write what is remembered, as well as it can be: a cache that cannot be written costs only time."""
    global _kept
    _kept = None  # another process may have written meanwhile
    kept = _load()
    kept.pop(key, None)
    kept[key] = known
    for oldest in list(kept)[:-_MOST]:
        del kept[oldest]
    with contextlib.suppress(OSError):
        _file().parent.mkdir(parents=True, exist_ok=True)
        with replacing(_file()) as out:
            out.write(msgspec.json.encode(kept))


__all__ = ["Mark", "digest"]
