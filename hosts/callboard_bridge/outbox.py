"""The outbox: a folder where each process keeps its events, and takes over those of processes that are gone."""

from __future__ import annotations

import io
import os

from callboard_bridge.spool import Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SUFFIX = ".events"
MAX_MEMORY = 8 * 1024 * 1024
"""Bytes of events that are kept without a folder, or while the disk takes nothing."""
SCAN_SECONDS = 10.0
"""Between two looks for what gone processes left."""
_FAR = 1 << 30
"""Where Windows locks a byte: its locks forbid others to read what they cover."""


def lock(file: Any) -> bool:
    """Lock a file until it is closed or this process ends; say whether it is ours now. Never waits."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        try:
            file.seek(_FAR)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]  # Windows only
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _same(file: Any, path: str) -> bool:
    """Say whether *path* still names the open *file*: whoever held the lock before us may have removed it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except OSError:
        return False


def _open(path: str, flags: int) -> Any:
    found = os.open(path, flags | os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0), 0o600)
    return open(found, "r+b", buffering=0)


def _make_folder(folder: str) -> None:
    """Make a folder, and the one that it is in; what that one is in is there, or this is no place for an outbox."""
    for path in (os.path.dirname(folder), folder):
        try:
            os.mkdir(path, 0o700)  # noqa: PTH102 - importing pathlib costs a third of the whole import
        except FileExistsError:
            continue


class Outbox:
    """Events of this process, and of gone ones, in the order of their files.

    Args:
        folder: Where; ``None`` for memory only. One for each board.
        name: What our file begins with.
    """

    def __init__(self, folder: str | None, name: str) -> None:
        self.folder, self._name = folder, name
        self.problem = ""
        self._memory = Spool(io.BytesIO(), MAX_MEMORY)
        self._own: tuple[Spool, str] | None = None
        self._orphan: tuple[Spool, str] | None = None
        self._scan: Iterator[Any] | None = None
        self._scan_at = 0.0

    @property
    def count(self) -> int:
        """Events that the board has not taken, as far as they are counted."""
        return sum(spool.count for spool in self._spools())

    def _spools(self) -> list[Spool]:
        kept = [pair[0] for pair in (self._own, self._orphan) if pair is not None]
        return [*kept, self._memory]

    def append(self, line: bytes) -> bool:
        """Keep an event, on the disk where that can be done; say whether it is kept."""
        if self.folder is not None and self._own is None:
            self._own = self._make()
        if self._own is not None and self._own[0].append(line):
            self.problem = ""
            return True
        kept = self._memory.append(line)
        if self.folder is not None:
            self.problem = "{} takes no more events: {}".format(
                self.folder, "they are kept in memory" if kept else "new ones are lost"
            )
        elif not kept:
            self.problem = "too many events wait: new ones are lost"
        return kept

    def _make(self) -> tuple[Spool, str] | None:
        assert self.folder is not None
        try:
            _make_folder(self.folder)
            for _ in range(8):  # somebody who looks for orphans may take a file that is not locked yet
                path = os.path.join(self.folder, f"{self._name}-{os.urandom(4).hex()}{SUFFIX}")
                file = _open(path, os.O_CREAT | os.O_EXCL)
                if lock(file) and _same(file, path):
                    return Spool(file), path
                file.close()
        except OSError:
            pass
        return None

    def next(self) -> tuple[Spool, int, dict[str, Any], bytes] | None:
        """Give the next event to send, with the spool that it is from and its key there."""
        for spool in self._spools():
            found = spool.next()
            if found is not None:
                return (spool, *found)
        return None

    @property
    def waiting(self) -> bool:
        """Whether an event can be sent now."""
        return any(spool.waiting for spool in self._spools())

    def rewind(self) -> None:
        """Send all that is under way again."""
        for spool in self._spools():
            spool.rewind()

    def tend(self, now: float) -> None:
        """Write down what was taken, count on, drop an emptied orphan, look for the next; a little each time."""
        for spool in self._spools():
            spool.survey()
            spool.save()
        if self._orphan is not None:
            if self._orphan[0].drained:
                self._remove(self._orphan)
                self._orphan = None
            return
        if self.folder is None:
            return
        if self._scan is None:
            if now >= self._scan_at:
                self._scan_at = now + SCAN_SECONDS
                self._scan = self._look()
            return
        for _ in range(16):
            self._orphan = next(self._scan, None)
            if self._orphan is not None:
                self._scan_at = now  # there may be more
            if self._orphan is not None or self._scan is None:
                return

    def _look(self) -> Iterator[tuple[Spool, str] | None]:
        """Go through the folder, a file at each step."""
        try:
            entries = os.scandir(self.folder)
        except OSError:
            entries = None
        if entries is not None:
            with entries:
                for entry in entries:
                    if entry.name.endswith(SUFFIX) and not (self._own and self._own[1] == entry.path):
                        yield self._adopt(entry.path)
        self._scan = None

    def _adopt(self, path: str) -> tuple[Spool, str] | None:
        try:
            file = _open(path, 0)
        except OSError:
            return None
        try:
            if lock(file) and _same(file, path):
                return Spool(file), path
        except (OSError, ValueError):
            pass  # not ours to touch
        file.close()
        return None

    @staticmethod
    def _remove(pair: tuple[Spool, str]) -> None:
        """Remove a file; where open files cannot be removed, close it first."""
        spool, path = pair
        for last in (False, True):
            try:
                os.remove(path)
                break
            except OSError:
                if last:
                    return
                spool.close()
        spool.close()

    def close(self) -> None:
        """Leave what was not taken for the next process, and let go of the rest."""
        if self._memory.count and self.folder is not None and self._own is not None:
            self._pour()
        for pair in (self._own, self._orphan):
            if pair is not None and pair[0].drained:
                self._remove(pair)
            elif pair is not None:
                pair[0].close()
        self._own = self._orphan = self._scan = None

    def _pour(self) -> None:
        """Try the disk once more for what memory holds."""
        assert self._own is not None
        self._memory.rewind()
        while True:
            found = self._memory.next()
            if found is None or not self._own[0].append(found[2]):
                return
            self._memory.done(found[0])
