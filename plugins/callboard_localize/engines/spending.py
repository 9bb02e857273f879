"""What a project may send to a service in a day, what it has sent, and a line in a file for each request."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from callboard.errors import Blocked
from callboard.replacing import replacing
from msgspec import Struct

LEDGER: Final = "service-spent.json"
AUDIT: Final = "service-audit.jsonl"
_locks: Final[dict[Path, threading.Lock]] = {}


class Budget(Struct, frozen=True):
    """What may be sent from one midnight (UTC) to the next; 0 is no limit."""

    requests: int = 0
    characters: int = 0


class Spent(Struct, frozen=True):
    """What was sent on one day."""

    day: str = ""
    requests: int = 0
    characters: int = 0


class Ledger:
    """Keeps to the budget of one project, across jobs and restarts."""

    def __init__(self, folder: Path, budget: Budget) -> None:
        """Take a folder of the project's data, which may not exist yet."""
        self._folder, self._budget = folder, budget
        self._lock = _locks.setdefault(folder.absolute(), threading.Lock())

    def spend(self, characters: int, now: datetime | None = None) -> Spent:
        """Write down one request before it is sent: what fails has left the machine all the same.

        Raises:
            Blocked: the day's budget does not allow it, or it cannot be written down; nothing is sent then.
        """
        now = now or datetime.now(UTC)
        today = now.strftime("%Y-%m-%d")
        with self._lock:
            spent = self.spent(today)
            new = Spent(today, spent.requests + 1, spent.characters + characters)
            for name, limit, wanted in (
                ("requests", self._budget.requests, new.requests),
                ("characters", self._budget.characters, new.characters),
            ):
                if limit and wanted > limit:
                    tomorrow = (now + timedelta(days=1)).strftime("%Y-%m-%d")
                    raise Blocked(
                        f"the day's budget for the translation service is spent: {limit} {name}",
                        f"It is renewed on {tomorrow} 00:00 UTC; service_{name}_per_day of the plugin raises it.",
                    )
            self._write(new)
            return new

    def spent(self, day: str) -> Spent:
        """Say what was sent on *day*, such as ``2026-01-31``.

        Raises:
            Blocked: the ledger is there and cannot be read: it is not taken for empty.
        """
        path = self._folder / LEDGER
        try:
            found = msgspec.json.decode(path.read_bytes(), type=Spent)
        except FileNotFoundError:
            return Spent(day)
        except (OSError, msgspec.MsgspecError) as error:
            raise Blocked(f"{path} cannot be read ({error})", "Mend or remove it; it holds one day's count.") from None
        return found if found.day == day else Spent(day)

    def _write(self, spent: Spent) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(self._folder / LEDGER) as file:
                file.write(msgspec.json.encode(spent))
        except OSError as error:
            raise Blocked(f"what is sent cannot be written down in {self._folder} ({error})") from None

    def audit(self, endpoint: str, model: str, body: bytes, *, lines: int, characters: int, outcome: str) -> None:
        """Add a line on one request: no text, but a digest by which what was sent can be proved.

        Raises:
            Blocked: it cannot be written.
        """
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "endpoint": endpoint,
            "model": model,
            "lines": lines,
            "characters": characters,
            "sha256": hashlib.sha256(body).hexdigest(),
            "outcome": outcome,
        }
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._folder / AUDIT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with contextlib.closing(os.fdopen(descriptor, "wb", buffering=0)) as file:
                file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        except OSError as error:
            raise Blocked(f"the audit in {self._folder} cannot be written ({error})") from None


__all__ = ["AUDIT", "LEDGER", "Budget", "Ledger", "Spent"]
