"""The clock that deadlines go by: it stands while the jobs are held."""

from __future__ import annotations

import time
from collections.abc import Callable


class HeldClock:
    """Seconds of work: like ``time.monotonic``, less what it was held for."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held = 0.0
        self._since: float | None = None

    def __call__(self) -> float:
        """Give the time, in seconds from some moment in the past."""
        return (self._clock() if self._since is None else self._since) - self._held

    def hold(self) -> None:
        """Stop; doing so twice changes nothing."""
        if self._since is None:
            self._since = self._clock()

    def release(self) -> None:
        """Go on."""
        if self._since is not None:
            self._held += self._clock() - self._since
            self._since = None


__all__ = ["HeldClock"]
