"""How many rows one run of a model should have on a device: what was fastest there, and what fits its memory."""

from __future__ import annotations

from typing import Final

_FIRST: Final = 8
"""Rows to begin with: on two CPU cores 4 to 8 rows were fastest for a text and an image model."""
_WEIGHT: Final = 0.2
"""Weight of the newest measurement in a moving average."""
_NEAR: Final = 0.97
"""A smaller batch that is nearly as fast is better: its callers wait less."""
_EXPLORE: Final = 64
"""Runs between two tries of another size."""
_PATIENCE: Final = 32
"""Runs at the ceiling that go well before it is raised, at first; doubled each time that it was raised too far."""


class Pace:
    """Measures rows per second for sizes that are powers of two, and remembers where memory ran out.

    Args:
        most: Rows that the pack allows in one run.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.ceiling = most
        """Rows that fitted into the device's memory."""
        self._first = min(_FIRST, 1 << (most.bit_length() - 1))
        self._speed: dict[int, float] = {}
        self._tried: dict[int, int] = {}
        self._runs = 0
        self._good = 0
        self._patience = _PATIENCE

    def limit(self) -> int:
        """Rows that the next run may have."""
        size = self._settled()
        if self._runs % _EXPLORE == _EXPLORE - 1:
            size = size * 2 if self._runs // _EXPLORE % 2 else size // 2
        return max(1, min(self.most if size * 2 > self.most else size, self.ceiling))

    def _settled(self) -> int:
        """The best size; first a guess, then its neighbours until both are known to be worse."""
        if self._first not in self._speed:
            return self._first
        fastest = max(self._speed.values())
        best = min(size for size, speed in self._speed.items() if speed >= _NEAR * fastest)
        known = (best, *self._speed)
        return next((size for size in (best * 2, best // 2) if 1 <= size <= self.most and size not in known), best)

    def ran(self, rows: int, work: int, seconds: float) -> None:
        """Learn from a run of *rows* rows that cost *work*, in any unit that grows with the rows."""
        self._runs += 1
        size = 1 << (max(rows, 1).bit_length() - 1)
        self._tried[size] = self._tried.get(size, 0) + 1
        if self._tried[size] > 1:  # the first run of a size makes its buffers, which no other will
            speed = work / max(seconds, 1e-9)
            known = self._speed.get(size)
            self._speed[size] = speed if known is None else known + _WEIGHT * (speed - known)
        if self.ceiling < self.most and rows >= self.ceiling:
            self._good += 1
            if self._good >= self._patience:
                self._good, self.ceiling = 0, min(self.most, self.ceiling + max(1, self.ceiling // 4))

    def too_much(self, rows: int) -> int:
        """Learn that *rows* rows do not fit; give what may."""
        if self.ceiling < self.most:
            self._patience = min(self._patience * 2, 4096)
        self._good, self.ceiling = 0, max(1, min(self.ceiling, rows // 2))
        return self.ceiling


__all__ = ["Pace"]
