"""The catalog: one file, one writer, commits that last."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from callboard.catalog import FILE_NAME, Catalog, view
from callboard.catalog.migrations import STEPS, migrate, version
from callboard.errors import CatalogError


def _put(conn: sqlite3.Connection, ident: str) -> int:
    return conn.execute("INSERT INTO runs VALUES(?, 'test', 0, 'open')", (ident,)).rowcount


def _runs(conn: sqlite3.Connection) -> list[str]:
    return [row[0] for row in conn.execute("SELECT id FROM runs ORDER BY id")]


def test_a_write_is_on_disk_when_it_returns(tmp_path: Path) -> None:
    """Another connection sees a write as soon as write_sync returns."""
    with Catalog(tmp_path) as catalog:
        catalog.write_sync(lambda conn: _put(conn, "a"))
        with closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
            assert _runs(other) == ["a"]


def test_every_commit_is_synchronous(tmp_path: Path) -> None:
    """The writer runs in WAL mode with synchronous=FULL."""
    with Catalog(tmp_path) as catalog:
        assert catalog.write_sync(lambda conn: conn.execute("PRAGMA synchronous").fetchone()[0]) == 2
        assert catalog.write_sync(lambda conn: conn.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"


def test_a_failing_write_is_rolled_back_alone(tmp_path: Path) -> None:
    """Writes that share a transaction with a failing one are kept."""
    hold = threading.Event()

    def bad(conn: sqlite3.Connection) -> None:
        _put(conn, "bad")
        raise ValueError("no")

    with Catalog(tmp_path) as catalog:
        first: Future[bool] = catalog.submit(lambda conn: hold.wait(60))
        futures: list[Future[Any]] = [
            catalog.submit(lambda conn: _put(conn, "a")),
            catalog.submit(bad),
            catalog.submit(lambda conn: _put(conn, "b")),
        ]
        hold.set()
        assert first.result()
        assert futures[0].result() == 1
        assert futures[2].result() == 1
        with pytest.raises(ValueError, match=r"^no$"):
            futures[1].result()
        assert catalog.read(_runs) == ["a", "b"]


async def test_a_write_happens_although_its_caller_is_cancelled(tmp_path: Path) -> None:
    """Cancelling whoever waits for a commit does not take the commit back."""
    import asyncio

    hold = threading.Event()
    with Catalog(tmp_path) as catalog:
        catalog.submit(lambda conn: hold.wait(60))
        task = asyncio.create_task(catalog.write(lambda conn: _put(conn, "kept")))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        hold.set()
        catalog.write_sync(lambda conn: None)
        assert catalog.read(_runs) == ["kept"]


def test_no_write_waits_for_ever_when_the_catalog_closes(tmp_path: Path) -> None:
    """What is handed in while it closes is committed or refused; it is never left waiting."""
    catalog = Catalog(tmp_path).open()
    going, free = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> bool:
        going.set()
        return free.wait(60)

    waiting = [catalog.submit(hold)]
    going.wait(60)
    closing = threading.Thread(target=catalog.close)
    closing.start()
    for _ in range(2000):
        try:
            waiting.append(catalog.submit(lambda _: True))
        except CatalogError:
            break
    free.set()
    closing.join(60)
    assert all(future.result(60) for future in waiting)


def test_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    """Nobody else on the machine can read the catalog."""
    with Catalog(tmp_path / "data"):
        assert (tmp_path / "data" / FILE_NAME).stat().st_mode & 0o077 == 0


def test_a_newer_catalog_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A catalog of a newer program is not opened, and not one byte of it changes."""
    with Catalog(tmp_path):
        pass
    path = tmp_path / FILE_NAME
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(CatalogError, match="written by a newer Callboard \\(catalog version 99"):
        Catalog(tmp_path).open()
    assert path.read_bytes() == before


def test_a_damaged_catalog_is_named_and_left_alone(tmp_path: Path) -> None:
    """A file that is no database gives one clear error and stays as it is."""
    path = tmp_path / FILE_NAME
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    before = path.read_bytes()
    with pytest.raises(CatalogError, match="is damaged"):
        Catalog(tmp_path).open()
    assert path.read_bytes() == before


def test_an_older_catalog_is_backed_up_before_it_is_migrated(tmp_path: Path) -> None:
    """Before a migration a whole copy of the old version is put beside the catalog."""
    with Catalog(tmp_path) as catalog:
        catalog.write_sync(lambda conn: _put(conn, "old"))
    steps = (*STEPS, "ALTER TABLE runs ADD COLUMN title TEXT")
    with Catalog(tmp_path, steps) as catalog:
        assert catalog.read(version) == len(steps)
        assert catalog.read(_runs) == ["old"]
    with closing(sqlite3.connect(tmp_path / f"{FILE_NAME}.v{len(STEPS)}.bak")) as backup:
        assert version(backup) == len(STEPS)
        assert _runs(backup) == ["old"]


@pytest.mark.parametrize("at", range(3))
def test_a_migration_that_breaks_off_leaves_the_old_version(tmp_path: Path, at: int) -> None:
    """Wherever a step breaks off, the catalog opens at the old version with its rows."""
    statements = ["ALTER TABLE runs ADD COLUMN title TEXT", "CREATE TABLE extra(a)", "UPDATE runs SET title = 'x'"]
    statements.insert(at, "CREATE TABLE runs(broken)")
    conn = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    migrate(conn)
    _put(conn, "kept")
    with pytest.raises(sqlite3.OperationalError):
        migrate(conn, (*STEPS, ";".join(statements)))
    assert version(conn) == len(STEPS)
    assert _runs(conn) == ["kept"]
    conn.close()


def test_a_view_reads_beside_the_writer_and_cannot_write(tmp_path: Path) -> None:
    """A view sees commits of a running writer, and refuses to change anything."""
    with Catalog(tmp_path) as catalog, view(tmp_path) as reader:
        catalog.write_sync(lambda conn: _put(conn, "a"))
        assert reader.read(_runs) == ["a"]
        with pytest.raises(sqlite3.OperationalError):
            reader.read(lambda conn: _put(conn, "b"))


def test_a_view_of_nothing_is_empty(tmp_path: Path) -> None:
    """Before anything was processed a view is empty, and makes no file."""
    with view(tmp_path / "none") as reader:
        assert reader.read(_runs) == []
    assert not (tmp_path / "none").exists()
