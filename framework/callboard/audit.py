"""An audit: lines of JSON that are only ever added, each holding the digest of the one before it.

A line that was changed or taken out is noticed, and so is an end that was cut off. Whoever may write the folder can
make a whole chain anew: the digest that ``verify`` gives, noted elsewhere, shows that too.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from callboard.errors import Blocked
from callboard.lock import turn
from callboard.replacing import replacing

NAME: Final = "audit.jsonl"
LARGEST: Final = 8 * 1024 * 1024
"""Bytes of a file from which the next line begins a new one."""
_HEAD: Final = "audit.head"
_LONGEST: Final = 1024 * 1024
"""Bytes of a line at most; what would be longer is refused."""
_NOTHING: Final = "0" * 64
"""What the first line says in place of a digest."""

Decision = Literal["made", "refused", "waits"]


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is written down of one generation. No secrets: settings are not in it."""

    decision: Decision
    shot: str
    request: str = ""
    """Digest of the request, the same each time it is tried."""
    engines: tuple[str, ...] = ()
    by: str = ""
    """Who asked."""
    agreed: bool = False
    """They said that the references may be used, faces or not."""
    reason: str = ""
    """Why it was refused, or waits."""
    models: Mapping[str, str] = {}
    prompt: str = ""
    negative: str = ""
    seed: int | None = None
    references: Mapping[str, str] = {}
    """Path to digest of what went in."""
    file: str = ""
    digest: str = ""
    """Of the file that was made."""
    credentials: str = ""
    """Who signed it."""


class Line(Struct, frozen=True, kw_only=True):
    """A line as it is read back."""

    n: int
    """From 1, through all files."""
    time: str
    """When it was written, UTC."""
    previous: str
    entry: Entry


class _Head(Struct, frozen=True):
    n: int = 0
    digest: str = _NOTHING


class Verified(Struct, frozen=True, kw_only=True):
    """What became of an audit."""

    lines: int
    digest: str
    """Of the last line; noted elsewhere, it proves all lines up to here."""
    problems: tuple[str, ...] = ()
    """In words, with file and line; empty where nothing is missing and nothing was changed."""


class Audit:
    """The audit in one folder of a project's data, for any number of processes."""

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        """Take a folder, which may not exist yet."""
        self._folder, self._largest = folder, largest

    def append(self, entry: Entry, now: datetime | None = None, *, once: timedelta | None = None) -> None:
        """Add a line, and wait until it is on the disk.

        Args:
            entry: What happened.
            now: In place of this moment.
            once: Add nothing where the last line says the same and is younger: a job is tried again by itself.

        Raises:
            Blocked: it cannot be written, or the file's end is no line of an audit.
        """
        path = self._folder / NAME
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with turn(self._folder / "audit.lock"):
                last, head = self._last(), _head(self._folder)
                if head is not None and head.n > last.n:  # lines were cut off: the gap is to stay one
                    last = _Last(head.n, head.digest)
                now = now or datetime.now(UTC)
                if once is not None and last.entry == entry and now - datetime.fromisoformat(last.time) < once:
                    return
                self._write(path, entry, last, now)
        except OSError as error:
            raise Blocked(
                f"the audit in {self._folder} cannot be written ({error})", "Nothing is made unaudited."
            ) from None

    def _write(self, path: Path, entry: Entry, last: _Last, now: datetime) -> None:
        number, previous = last.n + 1, last.digest
        told = {"n": number, "time": now.isoformat(timespec="milliseconds"), "previous": previous}
        line = msgspec.json.encode(told)[:-1] + b"," + msgspec.json.encode(entry)[1:]
        if len(line) > _LONGEST:
            raise Blocked(f"a line of the audit would have {len(line)} bytes", "Ask with a shorter brief.")
        if path.exists() and path.stat().st_size + len(line) > self._largest:
            path.rename(self._folder / f"audit-{len(_rotated(self._folder)) + 1:06d}.jsonl")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            file.write(line + b"\n")
            os.fsync(file.fileno())
        with replacing(self._folder / _HEAD, durable=True) as head:
            head.write(msgspec.json.encode(_Head(number, hashlib.sha256(line).hexdigest())))

    def _last(self) -> _Last:
        """Read the end of the chain; what a power cut left of a line that was never told as written goes."""
        path = self._folder / NAME
        if not path.exists():
            rotated = _rotated(self._folder)
            if not rotated:
                return _Last(0, _NOTHING)
            path = rotated[-1]
        with path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            start = file.seek(max(0, size - 2 * _LONGEST))
            tail = file.read()
            if not tail.endswith(b"\n") and path.name == NAME:
                file.truncate(start + tail.rfind(b"\n") + 1)
                tail = tail[: tail.rfind(b"\n") + 1]
        lines = tail.splitlines()
        if not lines:
            return self._before()
        found = _parsed(lines[-1])
        if found is None:
            raise Blocked(
                f"the last line of {path} is damaged", "Move audit.jsonl elsewhere to go on; the gap is kept and shown."
            )
        return _Last(found.n, hashlib.sha256(lines[-1]).hexdigest(), found.entry, found.time)

    def _before(self) -> _Last:
        """Give the end of the chain where the newest file is empty."""
        (self._folder / NAME).unlink()
        return self._last()


class _Last(Struct, frozen=True):
    n: int
    digest: str
    entry: Entry | None = None
    time: str = ""


def _rotated(folder: Path) -> list[Path]:
    return sorted(folder.glob("audit-[0-9]*.jsonl"))


def _parsed(line: bytes) -> Line | None:
    try:
        told = json.loads(line)
        head = {name: told.pop(name) for name in ("n", "time", "previous")}
        return Line(**head, entry=msgspec.convert(told, Entry))
    except (ValueError, TypeError, AttributeError, KeyError, msgspec.ValidationError):
        return None


def _files(folder: Path) -> Iterator[Path]:
    yield from _rotated(folder)
    if (folder / NAME).exists():
        yield folder / NAME


def _lines(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give each line with where it is."""
    for path in _files(folder):
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield f"{path.name}:{number}", line


def read(folder: Path) -> Iterator[Line]:
    """Give the lines of the audit in a folder, oldest first; what is no line is passed over, ``verify`` names it.

    Raises:
        OSError: a file cannot be read.
    """
    for _, line in _lines(folder):
        if (found := _parsed(line)) is not None:
            yield found


def verify(folder: Path) -> Verified:
    """Say whether every line of the audit in a folder is there as it was written.

    Raises:
        OSError: a file cannot be read.
    """
    problems: list[str] = []
    last = _Head()
    count = 0
    for place, raw in _lines(folder):
        line = raw.rstrip(b"\n")
        found = _parsed(line)
        if found is None or not raw.endswith(b"\n"):
            problems.append(f"{place}: is no whole line of an audit")
            continue
        problems += _broken(place, found, last)
        last = _Head(found.n, hashlib.sha256(line).hexdigest())
        count += 1
    problems += _cut(folder, last)
    return Verified(lines=count, digest=last.digest, problems=tuple(problems))


def _broken(place: str, found: Line, last: _Head) -> Iterator[str]:
    if found.n > last.n + 1:
        gone = f"line {last.n + 1} is" if found.n == last.n + 2 else f"lines {last.n + 1} to {found.n - 1} are"
        yield f"{place}: {gone} missing before it"
    elif found.n <= last.n:
        yield f"{place}: line {found.n} comes after line {last.n}"
    elif found.previous != last.digest:
        yield f"{place}: the line before it is not what it was" if last.n else f"{place}: does not begin the audit"


def _head(folder: Path) -> _Head | None:
    try:
        return msgspec.json.decode((folder / _HEAD).read_bytes(), type=_Head)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _cut(folder: Path, last: _Head) -> Iterator[str]:
    head = _head(folder)
    if head is None:
        if last.n:
            yield f"{_HEAD}: is missing or damaged; lines cut off at the end would not be noticed"
    elif head.n > last.n:
        yield f"{NAME}: ends with line {last.n}; {head.n} were written"
    elif head.n == last.n and head.digest != last.digest:
        yield f"{NAME}: its last line is not what it was"


__all__ = ["LARGEST", "NAME", "Audit", "Decision", "Entry", "Line", "Verified", "read", "verify"]
