"""The clock that deadlines go by stands while the jobs are held."""

from __future__ import annotations

from callboard.worker.clock import HeldClock


def test_held_time_does_not_count() -> None:
    """Time that passes between hold and release is left out, however often either is said."""
    now = 100.0
    clock = HeldClock(lambda: now)
    start = clock()
    now += 5
    clock.hold()
    now += 1000
    assert clock() - start == 5
    clock.hold()
    now += 1000
    clock.release()
    clock.release()
    now += 2
    assert clock() - start == 7
