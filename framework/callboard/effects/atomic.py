"""Files that readers see whole: a temporary file in the same folder, fsynced, renamed, the folder fsynced.

Everything goes through a descriptor of the folder, so that a folder swapped for a link meanwhile changes nothing.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
import time
from types import TracebackType
from typing import Self

from msgspec import Struct

from callboard.effects.renames import EXCHANGE, NOREPLACE, renameat2
from callboard.effects.temps import STALE_SECONDS, is_temp, temp_name, writer_is_dead
from callboard.errors import EffectConflict
from callboard.failpoints import failpoint

MAX_SIDECAR = 64 * 1024 * 1024
"""Bytes of a sidecar that we read; photo editors' XMP with masks reaches a few MiB."""

_SWAPS = 100
_HAS_DIR_FD = os.open in os.supports_dir_fd
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class Changed(Exception):
    """Somebody wrote the file between our look and our rename; theirs is in place."""


class Found(Struct, frozen=True):
    """A file's bytes as they were at one moment."""

    data: bytes
    digest: str
    mode: int
    owner: tuple[int, int]


def sha256(data: bytes) -> str:
    """Give the hexadecimal sha256."""
    return hashlib.sha256(data).hexdigest()


class Folder:
    """An open folder; names are bytes without a separator. Close it, or use it in a ``with`` block."""

    def __init__(self, path: bytes, descriptor: int | None) -> None:
        self.path = path
        self._fd = descriptor

    @classmethod
    def open(cls, base: bytes, parts: tuple[bytes, ...] = (), *, create: bool = False) -> Self:
        """Open *base*, then walk down *parts* without following links.

        Raises:
            EffectConflict: a part is a link or not a folder.
            OSError: the folder cannot be opened or, with *create*, made.
        """
        if create:
            os.makedirs(base, exist_ok=True)
        if not _HAS_DIR_FD:
            path = os.path.join(base, *parts)
            if create:
                os.makedirs(path, exist_ok=True)
            return cls(path, None)
        folder = cls(base, os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        try:
            for part in parts:
                folder._descend(part, create=create)
        except BaseException:
            folder.close()
            raise
        return folder

    def _descend(self, part: bytes, *, create: bool) -> None:
        assert self._fd is not None
        if create:
            try:
                os.mkdir(part, dir_fd=self._fd)
                os.fsync(self._fd)
            except FileExistsError:
                pass
        try:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW, dir_fd=self._fd)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise EffectConflict(os.fsdecode(os.path.join(self.path, part)), "is a link or no folder") from None
            raise
        os.close(self._fd)
        self._fd, self.path = inner, os.path.join(self.path, part)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _at(self, name: bytes) -> bytes:
        return name if self._fd is not None else os.path.join(self.path, name)

    def label(self, name: bytes) -> str:
        """Write a name's whole path for people."""
        return os.fsdecode(os.path.join(self.path, name))

    def read(self, name: bytes) -> Found | None:
        """Read a file whole; ``None`` when there is none.

        Raises:
            EffectConflict: it is a link, not a plain file, or longer than ``MAX_SIDECAR``.
        """
        flags = os.O_RDONLY | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            descriptor = os.open(self._at(name), flags, dir_fd=self._fd)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
                raise EffectConflict(self.label(name), "is a link or no plain file; it is left alone") from None
            raise
        with os.fdopen(descriptor, "rb") as file:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode):
                raise EffectConflict(self.label(name), "is no plain file; it is left alone")
            data = file.read(MAX_SIDECAR + 1)
        if len(data) > MAX_SIDECAR:
            raise EffectConflict(self.label(name), f"is longer than {MAX_SIDECAR} bytes; it is left alone")
        return Found(data, sha256(data), stat.S_IMODE(info.st_mode), (info.st_uid, info.st_gid))

    def has(self, name: bytes) -> bool:
        """Tell whether a name is taken, by whatever it is."""
        try:
            os.stat(self._at(name), dir_fd=self._fd, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def names(self) -> list[bytes]:
        """List the folder."""
        return [os.fsencode(name) for name in os.listdir(self.path if self._fd is None else self._fd)]

    def _finish(self, temp: bytes) -> None:
        self.discard(temp)
        if self._fd is not None:
            os.fsync(self._fd)

    def discard(self, name: bytes) -> None:
        """Remove a temporary file if it is there."""
        try:
            os.unlink(self._at(name), dir_fd=self._fd)
        except FileNotFoundError:
            return

    def _discard_ours(self, temp: bytes, data: bytes) -> None:
        """Remove what is left of a failed write, unless a swap that failed half way left somebody's file there."""
        found = self.read(temp)
        if found is not None and data.startswith(found.data):
            self.discard(temp)

    def replace(self, name: bytes, data: bytes, expected: Found | None, temp: bytes) -> None:
        """Put *data* under *name*, where *expected* is what is there now (``None``: nothing).

        Raises:
            Changed: something else is there by now; it stays as it is.
            OSError: the file system refuses; nothing has changed.
        """
        try:
            self._stage(temp, data, expected)
            if expected is None:
                self._place(temp, name)
            else:
                self._exchange(temp, name, expected)
        except BaseException:
            self._discard_ours(temp, data)
            raise
        failpoint("sidecar.after_rename")
        self._finish(temp)

    def remove(self, name: bytes, expected: Found, temp: bytes) -> None:
        """Remove *name* if it still holds *expected*.

        Raises:
            Changed: it holds something else; it stays.
        """
        try:
            os.rename(self._at(name), self._at(temp), src_dir_fd=self._fd, dst_dir_fd=self._fd)
        except FileNotFoundError:
            raise Changed from None
        failpoint("sidecar.in_remove")
        if not self._holds(temp, expected):
            self._place(temp, name)
            raise Changed
        self._finish(temp)

    def _stage(self, temp: bytes, data: bytes, like: Found | None) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(self._at(temp), flags, 0o644, dir_fd=self._fd), "wb") as file:
            file.write(data)
            file.flush()
            failpoint("sidecar.after_write")
            if like is not None and sys.platform != "win32":
                self._resemble(file.fileno(), like)
            os.fsync(file.fileno())
        failpoint("sidecar.after_fsync")

    @staticmethod
    def _resemble(descriptor: int, like: Found) -> None:
        # A shared sidecar keeps its owner and mode where we may set them; where we may not, it is still written.
        try:
            os.fchmod(descriptor, like.mode)
            os.fchown(descriptor, *like.owner)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EINVAL, errno.ENOTSUP):
                raise

    def _place(self, temp: bytes, name: bytes) -> None:
        """Give *temp* the name, never in place of another file."""
        if self._renameat2(temp, name, NOREPLACE):
            return
        try:
            os.link(self._at(temp), self._at(name), src_dir_fd=self._fd, dst_dir_fd=self._fd, follow_symlinks=False)
        except FileExistsError:
            raise Changed from None
        except (OSError, NotImplementedError):
            if self.has(name):
                raise Changed from None
            os.rename(self._at(temp), self._at(name), src_dir_fd=self._fd, dst_dir_fd=self._fd)
        else:
            self.discard(temp)

    def _exchange(self, temp: bytes, name: bytes, expected: Found) -> None:
        """Swap the two, look at what came out, and swap back when it is not what we read."""
        placed = self.read(temp)
        if not self._holds(name, expected) or placed is None:
            raise Changed
        if not self._renameat2(temp, name, EXCHANGE):
            os.replace(self._at(temp), self._at(name), src_dir_fd=self._fd, dst_dir_fd=self._fd)
            return
        if self._holds(temp, expected):
            return
        for _ in range(_SWAPS):
            newer = self.read(temp)
            self._renameat2(temp, name, EXCHANGE)
            if newer is None or self._holds(temp, placed):
                break
            placed = newer  # written while we swapped: what came out is newer still, and goes back in
        self.discard(temp)
        raise Changed

    def _holds(self, name: bytes, expected: Found) -> bool:
        try:
            found = self.read(name)
        except EffectConflict:
            return False
        return found is not None and found.digest == expected.digest

    def _renameat2(self, old: bytes, new: bytes, flags: int) -> bool:
        """Rename with flags where the system has it; False where it has not."""
        if self._fd is None:
            return False
        try:
            return renameat2(self._fd, old, new, flags)
        except (FileExistsError, FileNotFoundError):
            raise Changed from None

    def sweep(self) -> list[bytes]:
        """Remove temporary files of dead processes, and old ones of any; give their names."""
        gone = [name for name in self.names() if is_temp(name) and self._is_rubbish(name)]
        for name in gone:
            self.discard(name)
        return gone

    def _is_rubbish(self, name: bytes) -> bool:
        if writer_is_dead(name):
            return True
        try:
            age = time.time() - os.stat(self._at(name), dir_fd=self._fd, follow_symlinks=False).st_mtime
        except FileNotFoundError:
            return False
        return age > STALE_SECONDS


def sweep(folder: bytes) -> list[bytes]:
    """Remove stale temporary files from one folder; give their names."""
    with Folder.open(folder) as opened:
        return opened.sweep()


__all__ = ["MAX_SIDECAR", "Changed", "Folder", "Found", "sha256", "sweep", "temp_name"]
