"""A circuit breaker: after too many crashes a plugin is left alone for a while."""

from __future__ import annotations

from collections.abc import Callable

CRASHES = 5
"""Jobs whose process died, in ``WINDOW`` seconds, that open it."""
WINDOW = 300.0
EXCEPTIONS = 20
"""Unexpected exceptions in a row that open it too: then nothing works, and trying costs a log line each."""
OPEN = 600.0
"""Seconds before one job is let through to see."""


class Breaker:
    """One plugin's breaker. *clock* gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._crashes: dict[str, float] = {}
        self._exceptions = 0
        self._opened: float | None = None
        self._trying = False

    def enter(self) -> float:
        """Ask to do a job.

        Returns:
            0 to go on (and then ``crashed``, ``failed``, ``worked`` or ``left`` must be told), or the seconds to wait.
        """
        if self._opened is None:
            return 0.0
        left = self._opened + OPEN - self._clock()
        if left <= 0 and not self._trying:
            self._trying = True
            return 0.0
        return max(left, 1.0)

    def crashed(self, key: str) -> None:
        """A job took its process down. The same job again counts once: then it is the job, not the plugin."""
        now = self._clock()
        self._crashes[key] = now
        self._crashes = {other: at for other, at in self._crashes.items() if now - at < WINDOW}
        if self._trying or len(self._crashes) >= CRASHES:
            self._open(now)

    def failed(self) -> None:
        """A job raised what no plugin should."""
        self._exceptions += 1
        if self._trying or self._exceptions >= EXCEPTIONS:
            self._open(self._clock())

    def worked(self) -> None:
        """A job was answered."""
        self._exceptions = 0
        if self._trying:
            self._opened, self._trying = None, False
            self._crashes.clear()

    def left(self) -> None:
        """A job ended in a way that says nothing of the plugin."""
        self._trying = False

    def _open(self, now: float) -> None:
        self._opened, self._trying, self._exceptions = now, False, 0
        self._crashes.clear()


__all__ = ["Breaker"]
