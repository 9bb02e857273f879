"""A catalog that is closed while others read it."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from callboard.catalog import Catalog


def test_a_reader_on_another_thread_is_waited_for(tmp_path: Path) -> None:
    """Closing waits until a read that has begun on another thread is over, which then has its whole answer."""
    catalog = Catalog(tmp_path).open()
    begun, answer, closed = threading.Event(), list[int](), threading.Event()

    def slow(conn: sqlite3.Connection) -> int:
        begun.set()
        assert not closed.wait(0.2)  # closing has every chance to go on, and does not
        found: int = conn.execute("SELECT count(*) FROM jobs").fetchone()[0]
        return found

    def close() -> None:
        catalog.close()
        closed.set()

    reader = threading.Thread(target=lambda: answer.append(catalog.read(slow)))
    closer = threading.Thread(target=close)
    reader.start()
    assert begun.wait(60)
    closer.start()
    reader.join(60)
    closer.join(60)
    assert answer == [0]
    assert closed.is_set()
