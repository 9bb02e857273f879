"""What a project may spend in an hour or a day, counted on the disk: across restarts, for any number of processes.

Windows roll: what was spent is free again an hour, or a day, after it was.
"""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct

from callboard.errors import Blocked, JobError

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
_NAME: Final = "spent.db"
_WAIT: Final = 30.0
"""Seconds that a process waits for another one's turn; a turn takes milliseconds."""


class Limit(Struct, frozen=True, kw_only=True):
    """What may be spent of one thing in one window."""

    what: str
    """Such as ``seconds``."""
    most: float
    """0 is no limit."""
    window: timedelta
    setting: str
    """Which parameter says so."""


class Ledger:
    """Keeps to limits; in a folder of the project's data."""

    def __init__(self, folder: Path) -> None:
        """Take a folder, which may not exist yet."""
        self._folder = folder

    def reserve(
        self, key: str, amounts: Mapping[str, float], limits: Sequence[Limit], now: datetime | None = None
    ) -> None:
        """Spend before anything is made. What was reserved under *key* and never settled is spent once.

        Args:
            key: The same each time the same thing is tried: a job that has to wait is not counted again and again.
            amounts: What it takes, by ``Limit.what``.
            limits: All of them are kept.
            now: In place of this moment.

        Raises:
            JobError: it takes more than a limit ever allows.
            Blocked: a limit does not allow it now, and when it will; or it cannot be written down.
        """
        now = now or datetime.now(UTC)
        with self._open() as base:
            base.execute("DELETE FROM spent WHERE key = ? AND NOT settled", (key,))
            for limit in limits:
                _keep(base, limit, amounts.get(limit.what, 0.0), now)
            longest = max((limit.window for limit in limits), default=DAY)
            base.execute("DELETE FROM spent WHERE at <= ?", ((now - longest).timestamp(),))
            rows = [(key, what, amount, now.timestamp()) for what, amount in amounts.items()]
            base.executemany("INSERT INTO spent (key, what, amount, at) VALUES (?, ?, ?, ?)", rows)

    def spend(self, amounts: Mapping[str, float], limits: Sequence[Limit], now: datetime | None = None) -> None:
        """Spend what is gone as soon as it is tried, such as a request that is sent: each call counts.

        Raises:
            JobError: see ``reserve``.
            Blocked: see ``reserve``.
        """
        self.reserve(uuid.uuid4().hex, amounts, limits, now)

    def settle(self, key: str) -> None:
        """Say that what was reserved was used: the next time it is spent anew.

        Raises:
            Blocked: it cannot be written down.
        """
        with self._open() as base:
            base.execute("UPDATE spent SET settled = 1 WHERE key = ?", (key,))

    def spent(self, what: str, window: timedelta, now: datetime | None = None) -> float:
        """Say how much was spent in the window that ends now.

        Raises:
            Blocked: it cannot be read.
        """
        with self._open() as base:
            return sum(amount for _, amount in _rows(base, what, (now or datetime.now(UTC)) - window))

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one turn: all that is done in it is kept, or nothing."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(sqlite3.connect(self._folder / _NAME, timeout=_WAIT, isolation_level=None)) as base:
                base.execute("PRAGMA synchronous = FULL")
                base.execute("BEGIN IMMEDIATE")
                base.execute(
                    "CREATE TABLE IF NOT EXISTS spent"
                    " (key TEXT, what TEXT, amount REAL, at REAL, settled INTEGER DEFAULT 0)"
                )
                yield base
                base.execute("COMMIT")
        except (OSError, sqlite3.Error) as error:
            raise Blocked(
                f"what is spent cannot be written down in {self._folder} ({error})",
                f"Mend or remove {_NAME} there; it holds what was spent in the last day.",
            ) from None


def _rows(base: sqlite3.Connection, what: str, since: datetime) -> list[tuple[float, float]]:
    return base.execute(
        "SELECT at, amount FROM spent WHERE what = ? AND at > ? ORDER BY at", (what, since.timestamp())
    ).fetchall()


def _keep(base: sqlite3.Connection, limit: Limit, wanted: float, now: datetime) -> None:
    if not limit.most or not wanted:
        return
    hours = limit.window / HOUR
    per = "hour" if hours == 1 else "day" if limit.window == DAY else f"{hours:g} hours"
    if wanted > limit.most:
        raise JobError(
            f"this takes {wanted:g} {limit.what}, and the project allows {limit.most:g} in one {per}",
            f"Ask for less at a time, or raise {limit.setting} of the plugin.",
        )
    rows = _rows(base, limit.what, now - limit.window)
    left = limit.most - sum(amount for _, amount in rows)
    if wanted <= left + 1e-9:  # seconds are sums of fractions
        return
    free = now
    for at, amount in rows:
        left, free = left + amount, datetime.fromtimestamp(at, UTC) + limit.window
        if wanted <= left + 1e-9:
            break
    raise Blocked(
        f"the project's limit of {limit.most:g} {limit.what} in one {per} is reached",
        f"It is free again at {free:%Y-%m-%d %H:%M} UTC; {limit.setting} of the plugin raises it.",
    )


__all__ = ["DAY", "HOUR", "Ledger", "Limit"]
