"""Loggers whose lines leave the process: bounded, so that a plugin which logs in a loop costs nobody else."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

BURST = 50
"""Lines that may come at once."""
RATE = 10.0
"""Lines a second after that."""
LONGEST = 2000
"""Characters of a line."""

Send = Callable[[int, str], None]


class _Bucket:
    """Counts down with each line and up with time."""

    def __init__(self) -> None:
        self._left, self._at, self._dropped = float(BURST), time.monotonic(), 0
        self._lock = threading.Lock()

    def take(self) -> tuple[bool, int]:
        """Say whether a line may go, and how many were left out before it."""
        with self._lock:
            now = time.monotonic()
            self._left = min(BURST, self._left + (now - self._at) * RATE)
            self._at = now
            if self._left < 1:
                self._dropped += 1
                return False, 0
            self._left -= 1
            dropped, self._dropped = self._dropped, 0
            return True, dropped


_bucket = _Bucket()


class _Sender(logging.Handler):
    def __init__(self, send: Send) -> None:
        super().__init__(logging.INFO)
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send one line, unless there are too many."""
        may, dropped = _bucket.take()
        if not may:
            return
        try:
            if dropped:
                self._send(logging.WARNING, f"({dropped} lines left out)")
            self._send(record.levelno, self.format(record)[:LONGEST])
        except Exception:  # noqa: BLE001 - a log line is never worth a job
            self.handleError(record)


def make_logger(name: str, send: Send) -> logging.Logger:
    """Make a logger of its own, outside of the process's tree, that gives lines from INFO up to *send*."""
    logger = logging.Logger(name, logging.INFO)
    logger.addHandler(_Sender(send))
    return logger


__all__ = ["make_logger"]
