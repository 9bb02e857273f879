"""A private folder of a pack's files for libraries that want one: what was verified is what is loaded."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from callboard.errors import Blocked, ModelMissing
from callboard.packs import Pack, PackFile, mend_command

_CHUNK: Final = 1 << 20
_PREFIX: Final = "callboard-model-"
_YOUNG: Final = 60.0
"""Seconds in which a folder may not be locked yet by the process that makes it."""


class PrivateFolder:
    """A folder that nobody else writes to, gone when it is closed, or when a later process finds it left behind.

    A runtime that is killed cannot remove its own; the lock on the folder ends with the process that holds it.
    """

    def __init__(self) -> None:
        _sweep(tempfile.gettempdir())
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = _lock(self.path)

    def close(self) -> None:
        """Remove it. Files that are mapped live on without their names on POSIX."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock(folder: Path) -> int | None:
    """Lock a folder as long as the descriptor is open; ``None`` where another holds it or the system cannot."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


@functools.cache
def _sweep(temporary: str) -> None:
    """Remove what processes that are gone left behind; once in a process."""
    for folder in Path(temporary).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if folder.is_symlink() or time.time() - folder.lstat().st_mtime < _YOUNG:
                continue
            lock = _lock(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def copy_verified(pack: Pack, folder: Path, file: PackFile, private: Path) -> Path:
    """Copy one file of *pack* from *folder* into *private*, and say where it is; the copy has the pack's digest.

    Links are followed: package installers and hub caches make them, and the digest says what is read.

    Raises:
        ModelMissing: it is missing, or is not what the pack says; the hint mends it.
        Blocked: there is no room for the copy.
    """
    source, target = folder / file.path, private / file.path
    digest = hashlib.sha256()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as reading, target.open("xb") as writing:
            while chunk := reading.read(_CHUNK):
                digest.update(chunk)
                writing.write(chunk)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            need = sum(each.size for each in pack.files) >> 20
            raise Blocked(
                f"model {pack.name!r}: no room in {private.parent} for {need} MiB of verified copies",
                "Free some, or name a larger folder in the environment variable TMPDIR.",
            ) from None
        raise ModelMissing(pack.name, f"{source} cannot be read ({error.strerror})", mend_command(pack)) from None
    if digest.hexdigest() != file.sha256:
        problem = f"{source} is not the file that the pack names (SHA-256 {digest.hexdigest()[:12]}…)"
        raise ModelMissing(pack.name, problem, mend_command(pack, reinstall=True))
    return target


def make_private(pack: Pack, folder: Path) -> PrivateFolder:
    """Make a private folder with verified copies of all files of *pack*; whoever asked closes it.

    Raises:
        ModelMissing: a file is missing, or is not what the pack says.
        Blocked: there is no room for them.
    """
    private = PrivateFolder()
    try:
        for file in pack.files:
            copy_verified(pack, folder, file, private.path)
    except BaseException:
        private.close()
        raise
    return private


@contextlib.contextmanager
def private_copy(pack: Pack, folder: Path) -> Iterator[Path]:
    """Hold verified copies of all files of *pack* while a library reads them; one that reads later needs its own.

    Raises:
        ModelMissing: a file is missing, or is not what the pack says.
        Blocked: there is no room for them.
    """
    with contextlib.closing(make_private(pack, folder)) as private:
        yield private.path


__all__ = ["PrivateFolder", "copy_verified", "make_private", "private_copy"]
