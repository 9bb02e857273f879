"""A project's file that jobs depend on: a change is noticed, and each version is kept for the jobs that name it.

``vocabulary.toml`` and ``glossary.toml`` are such files. A job's key holds the digest of the version that it was made
for; the plugin's process reads exactly that one.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
import time
from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from callboard.errors import Blocked, UsageError
from callboard.replacing import replacing

log = logging.getLogger(__name__)

_CURRENT = "current"
"""Holds the digest of the last file that was whole."""
_TICK = 2_000_000_000
"""Nanoseconds within which two writes may bear one time: FAT counts two seconds, others ticks of the kernel."""


class Digested(Struct, frozen=True, dict=True):
    """What a file says, with a digest over all of it."""

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 over everything that it says; comments and layout of the file do not count."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


T = TypeVar("T", bound=Digested)


class Sort(Struct, Generic[T], frozen=True, kw_only=True):
    """What kind of file it is."""

    name: str
    """In words, and the name under which its digest stands among the models of a job."""
    type: type[T]
    load: Callable[[Path], T]
    """Reads and checks the file; raises ``UsageError`` where it is broken."""


class Shelf(Generic[T]):
    """Gives the version that new jobs are made for. A file that is broken changes nothing until it is mended.

    Args:
        sort: What kind of file it is.
        file: Where it is; ``None`` or one that is not there means that there is none.
        folder: Where compiled versions are kept.
    """

    def __init__(self, sort: Sort[T], file: Path | None, folder: Path) -> None:
        self._sort, self._file, self._folder = sort, file, folder
        self._seen: tuple[int, int, int] | None = None
        self._content, self._sure = b"", False
        self._now: T | None = None
        self.problem = ""
        """Why the file is not what is in use; empty when it is."""
        self._turn = threading.Lock()

    @property
    def file(self) -> Path | None:
        """Where it is, or would be."""
        return self._file

    def current(self) -> T | None:
        """Give what the file says now, or said when it last was whole; ``None`` when there is none. Any thread."""
        with self._turn:
            self._look()
            return self._now

    def digest(self) -> str:
        """Give the digest of the current version; empty when there is none."""
        now = self.current()
        return "" if now is None else now.digest

    def require(self) -> None:
        """Look for the first time, where somebody waits.

        Raises:
            UsageError: the file is broken.
        """
        self.current()
        if self.problem and self._file is not None:
            self._sort.load(self._file)

    def path(self, digest: str) -> Path:
        """Say where a compiled version is kept."""
        return self._folder / f"{digest}.json"

    def _look(self) -> None:
        now, mark = time.time_ns(), _mark(self._file)
        if mark == self._seen and self._sure:
            return
        content = b"" if self._file is None or mark is None else _content(self._file)
        if mark is None or self._file is None:
            self._now, self.problem = None, ""
        elif mark != self._seen or content != self._content:
            self._read_anew(self._file)
        self._seen, self._content = mark, content
        # a file that was just written may be written again without another time or size: it is compared once more
        self._sure = mark is None or now - mark[0] > _TICK

    def _read_anew(self, file: Path) -> None:
        try:
            self._take(self._sort.load(file))
        except (UsageError, OSError) as error:
            self.problem = error.message if isinstance(error, UsageError) else str(error)
            self._now = self._now or self._last()
            used = f"no {self._sort.name} is in use"
            kept = f"the one before stays in use ({self._now.digest[:12]})" if self._now else used
            log.error("%s; %s", self.problem, kept)  # noqa: TRY400 - the message says it all

    def _take(self, fresh: T) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self.path(fresh.digest).exists():
            _keep(self.path(fresh.digest), msgspec.json.encode(fresh, order="deterministic"))
        _keep(self._folder / _CURRENT, fresh.digest.encode())
        if self._now is not None and self._now.digest != fresh.digest:
            log.info("the %s changed: %s", self._sort.name, fresh.digest[:12])
        self._now, self.problem = fresh, ""

    def _last(self) -> T | None:
        with contextlib.suppress(OSError, Blocked):
            return read_compiled(self._sort, self.path((self._folder / _CURRENT).read_text("ascii").strip()))
        return None


def read_compiled(sort: Sort[T], path: Path) -> T:
    """Read a compiled version, which is named for its digest.

    Raises:
        Blocked: it is not there, or not what its name says.
    """
    found: T = _read(sort.name, sort.type, path)
    return found


@lru_cache(maxsize=8)
def _read(name: str, kind: type[T], path: Path) -> T:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        raise _lost(name, path, str(error)) from None
    if found.digest != path.stem:
        raise _lost(name, path, "it is not what its name says")
    return found


def _lost(name: str, path: Path, problem: str) -> Blocked:
    hint = f"Ask for the file again with 'callboard run': its job is then made for the {name} of today."
    return Blocked(f"the {name} that this job was made for cannot be read: {path}: {problem}", hint)


def _keep(path: Path, data: bytes) -> None:
    with replacing(path, durable=True) as file:
        file.write(data)


def _mark(file: Path | None) -> tuple[int, int, int] | None:
    """Give what changes when a file is written; ``None`` when it is not there."""
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _content(file: Path) -> bytes:
    """Give a digest of what is in a file; empty when it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).digest()
    except OSError:
        return b""


__all__ = ["Digested", "Shelf", "Sort", "read_compiled"]
