"""Events in a file, in order, until they were taken: one line each, behind a line that says how far the taking got."""

from __future__ import annotations

import os
from collections import OrderedDict

from callboard_bridge.wire import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAGIC = b"callboard-outbox-1 "
HEADER = len(MAGIC) + 13
"""Bytes of the first line: the magic, twelve digits, a line feed."""
MAX_EVENT = 60 * 1024
"""Bytes of one event; the board takes 64 KiB."""
MAX_FILE = 256 * 1024 * 1024
"""Bytes of one process's events, as much as the board's own stream holds."""
WINDOW = 256
"""Events that are under way at once: what memory holds, and what is sent again after a crash at most."""
_BITE = 64 * 1024


class Spool:
    """One file of events. Memory holds the window and one chunk, however long the file is.

    Args:
        file: Binary, open for reading and writing, unbuffered where it is on a disk.
        limit: Bytes that it may hold.
    """

    def __init__(self, file: Any, limit: int = MAX_FILE) -> None:
        self._file, self._limit = file, limit
        self.count = 0
        self._size = self._cursor = self._read_at = HEADER
        self._end: int = file.seek(0, os.SEEK_END)
        self._surveyed = HEADER
        self._chunk = b""
        self._flying: OrderedDict[int, int] = OrderedDict()
        self._landed: set[int] = set()
        self._saved = -1
        if self._end < HEADER:
            file.seek(0)
            if not MAGIC.startswith(file.read(len(MAGIC))):
                raise ValueError("this is no outbox")
            self._end = HEADER
            self.save()
        else:
            self._load()

    def _load(self) -> None:
        self._file.seek(0)
        line = self._file.read(HEADER)
        digits = line[len(MAGIC) : -1]
        if not line.startswith(MAGIC) or not digits.isdigit():
            raise ValueError("this is no outbox")
        self._saved = int(digits)
        if HEADER <= self._saved <= self._end:
            self._cursor = self._read_at = self._surveyed = self._size = self._saved

    @property
    def drained(self) -> bool:
        """Whether nothing is left in it."""
        return self.surveyed and self._cursor >= self._size

    @property
    def surveyed(self) -> bool:
        """Whether all that an earlier process left is counted; nothing is added or sent before."""
        return self._surveyed >= self._end

    def survey(self) -> None:
        """Count the events of one megabyte more; what comes after the last line feed was torn by a crash and goes."""
        if self.surveyed:
            return
        self._file.seek(self._surveyed)
        text = self._file.read(1024 * 1024)
        self.count += text.count(b"\n")
        last = text.rfind(b"\n")
        if last >= 0:
            self._size = self._surveyed + last + 1
        self._surveyed = self._surveyed + len(text) if text else self._end

    def append(self, line: bytes) -> bool:
        """Keep one event, without a line feed; say whether it could be kept."""
        if self._size + len(line) + 1 > self._limit:
            return False
        try:
            self._file.seek(self._size)
            if self._file.write(line + b"\n") != len(line) + 1:
                raise OSError("no room")
        except OSError:  # what was written of it lies behind the end, where the next event or nobody finds it
            self._cut()
            return False
        self._size += len(line) + 1
        self._end = self._surveyed = self._size
        self.count += 1
        return True

    def _cut(self) -> None:
        try:
            self._file.truncate(self._size)
        except OSError:  # a torn line at the end is passed over by whoever reads the file next
            return

    @property
    def waiting(self) -> bool:
        """Whether an event can be sent now."""
        return self._read_at < self._size and len(self._flying) < WINDOW and self.surveyed

    def next(self) -> tuple[int, dict[str, Any], bytes] | None:
        """Give the next event as its key, the event and its line; ``None`` where none can be sent.

        A line that is no event is passed over.
        """
        while self.waiting:
            line = self._line()
            if line is None:
                return None
            key = self._read_at
            self._read_at += len(line) + 1
            self._flying[key] = self._read_at
            event = _event(line)
            if event is not None:
                return key, event, line
            self.done(key)
        return None

    def _line(self) -> bytes | None:
        end = self._chunk.find(b"\n")
        if end < 0:
            self._file.seek(self._read_at)
            self._chunk = self._file.read(min(_BITE, self._size - self._read_at))
            end = self._chunk.find(b"\n")
            if end < 0:  # longer than any event: pass over a chunk of it
                end = max(len(self._chunk) - 1, 0)
                if not self._chunk:
                    self._read_at = self._size
                    return None
        line, self._chunk = self._chunk[:end], self._chunk[end + 1 :]
        return line

    def done(self, key: int) -> None:
        """Take an event away: the board has it, or never will."""
        if key not in self._flying or key in self._landed:
            return
        self._landed.add(key)
        self.count = max(self.count - 1, 0)
        while self._flying:
            first = next(iter(self._flying))
            if first not in self._landed:
                break
            self._landed.discard(first)
            self._cursor = self._flying.pop(first)
        if self._cursor >= self._size:
            self._empty()

    def _empty(self) -> None:
        """Begin again at the top, so that the file stays small."""
        self._size = self._cursor = self._read_at = self._end = self._surveyed = HEADER
        self._chunk, self.count = b"", 0
        self._cut()

    def rewind(self) -> None:
        """Send what is under way again: the connection was lost, or no answer came."""
        self._flying.clear()
        self._landed.clear()
        self._read_at, self._chunk = self._cursor, b""

    def save(self) -> None:
        """Write down how far it got."""
        if self._saved != self._cursor:
            try:
                self._file.seek(0)
                self._file.write(MAGIC + b"%012d\n" % self._cursor)
                self._saved = self._cursor
            except OSError:  # then more is sent again after a crash; the board knows it by its id
                return

    def close(self) -> None:
        """Close the file, which gives up its lock."""
        self.save()
        try:
            self._file.close()
        except OSError:
            return


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = decode(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not is_event_type(event.get("type")):
        return None
    ident = event.get("id")
    plain = isinstance(ident, str) and 0 < len(ident) <= 256 and ident.isprintable()
    return event if plain else None


def is_event_type(name: Any) -> bool:
    """Say whether *name* is one of a host's events: ``host.`` and lower-case words with dots between."""
    if not isinstance(name, str) or len(name) > 128 or not name.startswith("host."):
        return False
    return all(part.replace("_", "").isalnum() and part.islower() and part.isascii() for part in name.split("."))
