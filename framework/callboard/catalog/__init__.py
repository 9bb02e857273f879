"""The catalog: journal, jobs, proposals, sidecars and outbox in one SQLite file, with one writer.

WAL and ``synchronous=FULL``: a commit that returned survives a power cut (https://sqlite.org/pragma.html#pragma_synchronous).
All writes go through one thread that gathers what is waiting into one transaction, so a burst pays one
fsync, not one each; a write that fails is rolled back alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self, TypeVar

from callboard.catalog import texts
from callboard.catalog.migrations import STEPS, migrate, version
from callboard.errors import Blocked, CatalogError

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

FILE_NAME = "catalog.sqlite"
_GATHER = 256
"""Writes in one transaction at most, so that nobody waits long for a commit."""


def _connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    conn = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
    if read_only:
        conn.execute("PRAGMA query_only = ON")
    else:
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = FULL")
    return conn


class Catalog:
    """One open catalog. Use as a context manager, or ``open`` and ``close``."""

    def __init__(self, folder: Path, steps: tuple[str, ...] = STEPS) -> None:
        self.path, self._steps = folder / FILE_NAME, steps
        self._queue: queue.SimpleQueue[tuple[Work[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._door = threading.Lock()
        self._local = threading.local()
        self._readers: list[tuple[sqlite3.Connection, threading.RLock]] = []

    def open(self) -> Self:
        """Check, back up if it must be migrated, migrate, and start the writer.

        Raises:
            CatalogError: damaged, newer than this program, or not to be opened.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        conn = None
        try:
            conn = _connect(self.path)
            self.path.chmod(0o600)
            self._check(conn)
        except sqlite3.DatabaseError as error:
            if conn is not None:
                conn.close()
            raise _damaged(self.path, str(error)) from None
        self._thread = threading.Thread(target=self._write_loop, args=(conn,), name="catalog", daemon=True)
        self._thread.start()
        if len(self._steps) > 1:
            self._queue.put((self._catch_up, Future()))
        return self

    def _catch_up(self, conn: sqlite3.Connection) -> None:
        """Index what an older version left, a little at a time, so that other writes go between."""
        if texts.catch_up(conn):
            self._queue.put((self._catch_up, Future()))

    def _check(self, conn: sqlite3.Connection) -> None:
        found = version(conn)
        if found > len(self._steps):
            conn.close()
            raise CatalogError(
                f"{self.path} was written by a newer Callboard "
                f"(catalog version {found}, this one knows {len(self._steps)})",
                "Nothing was changed. Upgrade Callboard, then try again.",
            )
        problem = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            conn.close()
            raise _damaged(self.path, problem)
        if 0 < found < len(self._steps):
            back_up(conn, self.path.with_name(f"{FILE_NAME}.v{found}.bak"))
        migrate(conn, self._steps)

    def look(self) -> None:
        """Open to read only, on this thread; see ``view``."""
        if self.path.exists():
            conn = _connect(self.path, read_only=True)
            found = version(conn)
        else:
            conn = sqlite3.connect(":memory:", isolation_level=None)
            migrate(conn)
            found = len(STEPS)
        self._local.own = (conn, threading.RLock())
        self._readers.append(self._local.own)
        if found != len(STEPS):
            raise CatalogError(
                f"{self.path} is of catalog version {found}; this Callboard reads version {len(STEPS)}",
                "'callboard up' migrates an older one; for a newer one upgrade Callboard.",
            )

    def close(self) -> None:
        """Commit what is waiting and close. Safe to call twice."""
        with self._door:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join()
        while self._readers:
            conn, turn = self._readers.pop()
            with turn:  # closed while another thread reads by it, SQLite ends the process
                conn.close()
        self._local = threading.local()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, work: Work[T]) -> Future[T]:
        """Queue a write; the future is done once it is on disk. *work* sees its own transaction."""
        future: Future[T] = Future()
        with self._door:  # nothing may be queued behind the end: it would wait for ever
            if self._thread is None:
                raise CatalogError(f"{self.path} is closed")
            self._queue.put((work, future))
        return future

    async def write(self, work: Work[T]) -> T:
        """Write and wait for the commit without blocking the loop; it happens even if the caller is cancelled."""
        return await asyncio.shield(asyncio.wrap_future(self.submit(work)))

    def write_sync(self, work: Work[T]) -> T:
        """Write from a plain thread and wait for the commit."""
        return self.submit(work).result()

    def read(self, work: Work[T]) -> T:
        """Read committed state on this thread's own connection."""
        own: tuple[sqlite3.Connection, threading.RLock] | None = getattr(self._local, "own", None)
        if own is None:
            own = self._local.own = (_connect(self.path, read_only=True), threading.RLock())
            self._readers.append(own)
        conn, turn = own
        with turn:
            return work(conn)

    def _write_loop(self, conn: sqlite3.Connection) -> None:
        while True:
            batch = self._gather()
            last = batch[-1] is None
            _commit(conn, [entry for entry in batch if entry is not None])
            if last:
                break
        with contextlib.suppress(sqlite3.Error):
            conn.execute("PRAGMA optimize")
        conn.close()

    def _gather(self) -> list[tuple[Work[Any], Future[Any]] | None]:
        batch = [self._queue.get()]
        while batch[-1] is not None and len(batch) < _GATHER:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch


@contextlib.contextmanager
def view(folder: Path) -> Iterator[Catalog]:
    """Open a catalog to read only, also beside a running board; one that is not there yet is empty.

    Raises:
        CatalogError: it was written by a newer program, or is damaged.
    """
    catalog = Catalog(folder)
    try:
        catalog.look()
        yield catalog
    except sqlite3.DatabaseError as error:
        raise _damaged(catalog.path, str(error)) from None
    finally:
        catalog.close()


def _commit(conn: sqlite3.Connection, batch: list[tuple[Work[Any], Future[Any]]]) -> None:
    """Run a batch in one transaction and tell each waiter how it went."""
    done: list[tuple[Future[Any], Any]] = []
    failed: list[tuple[Future[Any], BaseException]] = []
    try:
        conn.execute("BEGIN IMMEDIATE")
        for work, future in batch:
            conn.execute("SAVEPOINT one")
            try:
                done.append((future, work(conn)))
            except BaseException as error:
                if isinstance(error, sqlite3.OperationalError) and _disk_trouble(error, conn):
                    raise  # the whole transaction is gone
                conn.execute("ROLLBACK TO one")
                failed.append((future, error))
            conn.execute("RELEASE one")
        conn.execute("COMMIT")
    except sqlite3.Error as error:
        with contextlib.suppress(sqlite3.Error):
            conn.execute("ROLLBACK")
        problem = Blocked(f"the catalog cannot be written: {error}", "Make room on its disk; what is waiting goes on.")
        for future in {future for _, future in batch} - {future for future, _ in failed}:
            future.set_exception(problem)
        done = []
    for future, result in done:
        future.set_result(result)
    for future, reason in failed:
        future.set_exception(reason)


def _disk_trouble(error: sqlite3.OperationalError, conn: sqlite3.Connection) -> bool:
    """Say whether a failed write is the disk's fault; SQLite may have rolled everything back then."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY) or not conn.in_transaction


def back_up(conn: sqlite3.Connection, target: Path) -> None:
    """Copy an open catalog to *target* with SQLite's online backup, replacing an older copy only when whole."""
    partial = target.with_name(target.name + ".part")
    partial.unlink(missing_ok=True)
    copy = sqlite3.connect(partial)
    with contextlib.closing(copy):
        conn.backup(copy)
    fd = os.open(partial, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(partial, target)


def _damaged(path: Path, problem: str) -> CatalogError:
    if "no such module" in problem:
        return CatalogError(
            f"this Python's SQLite cannot open {path}: {problem}",
            "Nothing was changed. Use a Python whose SQLite has FTS5, as those of python.org and Debian have.",
        )
    return CatalogError(
        f"{path} is damaged: {problem}",
        "Nothing was changed. Move it aside or put back its .bak copy, then start again: media is found anew.",
    )


__all__ = ["FILE_NAME", "Catalog", "back_up", "view"]
