"""The circuit breaker, with a clock of the test's own."""

from __future__ import annotations

from callboard.worker.breaker import CRASHES, EXCEPTIONS, OPEN, WINDOW, Breaker


class Clock:
    """Time that passes when told to."""

    now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def crash(breaker: Breaker, count: int) -> None:
    """Let *count* jobs crash."""
    for number in range(count):
        assert breaker.enter() == 0
        breaker.crashed(str(number))


def test_it_opens_at_the_fifth_crash_and_closes_when_a_trial_works() -> None:
    """Four crashes leave it closed, the fifth opens it for ten minutes; then one job goes in and closes it."""
    clock = Clock()
    breaker = Breaker(clock)
    crash(breaker, CRASHES - 1)
    assert breaker.enter() == 0
    breaker.crashed("last")
    assert breaker.enter() == OPEN
    clock.now += OPEN - 1
    assert breaker.enter() == 1
    clock.now += 1
    assert breaker.enter() == 0
    assert breaker.enter() > 0  # one trial at a time
    breaker.worked()
    assert breaker.enter() == 0


def test_a_trial_that_fails_opens_it_again() -> None:
    """A crash, or an exception, of the trial means another ten minutes."""
    clock = Clock()
    breaker = Breaker(clock)
    crash(breaker, CRASHES)
    clock.now += OPEN
    assert breaker.enter() == 0
    breaker.failed()
    assert breaker.enter() == OPEN


def test_a_trial_that_says_nothing_is_followed_by_another() -> None:
    """A trial that was cancelled, or blocked, lets the next job try."""
    clock = Clock()
    breaker = Breaker(clock)
    crash(breaker, CRASHES)
    clock.now += OPEN
    assert breaker.enter() == 0
    breaker.left()
    assert breaker.enter() == 0


def test_crashes_far_apart_do_not_open_it() -> None:
    """Crashes count for five minutes."""
    clock = Clock()
    breaker = Breaker(clock)
    for number in range(CRASHES * 3):
        assert breaker.enter() == 0
        breaker.crashed(str(number))
        clock.now += WINDOW / (CRASHES - 1)


def test_one_job_that_crashes_again_and_again_counts_once() -> None:
    """A poisoned file is quarantined by its own count; it must not stop the plugin for all other files."""
    breaker = Breaker(Clock())
    for _ in range(CRASHES * 3):
        assert breaker.enter() == 0
        breaker.crashed("the same")


def test_exceptions_in_a_row_open_it_and_success_forgives_them() -> None:
    """Nineteen exceptions, a success, nineteen more leave it closed; the twentieth in a row opens it."""
    breaker = Breaker(Clock())
    for _ in range(2):
        for _ in range(EXCEPTIONS - 1):
            assert breaker.enter() == 0
            breaker.failed()
        breaker.worked()
    for _ in range(EXCEPTIONS):
        assert breaker.enter() == 0
        breaker.failed()
    assert breaker.enter() == OPEN
