"""Batch sizes learn from what was measured, and from where memory ran out; who makes room for whom."""

import math
from collections.abc import Callable

import pytest
from callboard.runtime.budget import Holding, plan
from callboard.runtime.pace import Pace


def driven(most: int, seconds: Callable[[int], float], runs: int = 1000) -> tuple[Pace, list[int]]:
    """Run a model whose batches of so many rows take so long, with as much waiting as it wants."""
    pace, sizes = Pace(most), []
    for _ in range(runs):
        rows = pace.limit()
        sizes.append(rows)
        pace.ran(rows, rows, seconds(rows))
    return pace, sizes


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        (lambda rows: 0.010 + 0.001 * rows, 64),  # a device on which each start costs much
        (lambda rows: 0.001 * rows * (1.0 + 0.05 * rows), 1),  # caches that overflow
        (lambda rows: 0.001 * rows + (0.002 if rows < 4 else 0.0004 * (rows - 4) ** 1.5), 4),
    ],
)
def test_finds_the_fastest_size(seconds: Callable[[int], float], best: int) -> None:
    """After a while nearly all batches have the size that is fastest there, and other sizes are tried rarely."""
    _, sizes = driven(64, seconds)
    late = sizes[500:]
    assert late.count(best) >= 0.97 * len(late)
    assert len(set(late)) > 1


def test_prefers_the_smaller_of_two_that_are_as_fast() -> None:
    """Where size hardly matters the callers of a small batch wait less."""
    _, sizes = driven(32, lambda rows: 0.001 * rows)
    assert sorted(sizes[500:])[250] == 1


def test_follows_a_device_that_changes() -> None:
    """A size that has become slow is left again."""
    pace, _ = driven(32, lambda rows: 0.010 + 0.001 * rows)
    assert pace.limit() == 32
    sizes = []
    for _ in range(600):
        rows = pace.limit()
        sizes.append(rows)
        pace.ran(rows, rows, 0.001 * rows if rows <= 8 else 0.01 * rows)
    assert sorted(sizes[300:])[150] <= 8


def test_a_size_that_is_no_power_of_two_can_be_had() -> None:
    """The most that a pack allows is used where the largest power of two below it was fastest."""
    _, sizes = driven(12, lambda rows: 0.010 + 0.001 * rows)
    assert sizes[-1] in (12, 4)
    assert sizes[500:].count(12) > 480


def test_remembers_where_memory_ran_out_and_tries_again_slowly() -> None:
    """Half of what failed is the ceiling; after some good runs it rises by a quarter, after a failure more slowly."""
    pace = Pace(64)
    assert pace.too_much(64) == 32
    assert pace.too_much(32) == 16
    assert pace.too_much(64) == 16  # of another worker, which began before: known already

    def until_raised() -> int:
        before, runs = pace.ceiling, 0
        while pace.ceiling == before:
            pace.ran(before, before, 0.1)
            runs += 1
        return runs

    patience = until_raised()
    assert pace.ceiling == 20
    assert pace.too_much(20) == 10
    assert until_raised() == 2 * patience
    assert all(pace.limit() <= pace.ceiling for _ in range(3))


def test_one_row_is_the_end() -> None:
    """There is no half of one row."""
    pace = Pace(4)
    for _ in range(5):
        pace.too_much(pace.ceiling)
    assert pace.ceiling == pace.limit() == 1


def held(name: str, memory_mb: int = 40, **more: float | bool) -> Holding:
    """Make a model's share."""
    facts = {"pinned": False, "active": False, "urgent": False, "leaving": False, "used": 0.0, "stays": 0.0, **more}
    return Holding(name, memory_mb, **facts)  # type: ignore[arg-type]  # the names are those of the fields


def test_room_is_made_by_the_least_recently_used() -> None:
    """Only as many go as must, those first that were unused for longest; pinned ones and busy ones stay."""
    shares = [held("a", used=3), held("b", used=1), held("c", used=2), held("p", pinned=True)]
    assert plan(30, 200, shares, 10.0, urgent=False).fits
    assert plan(50, 200, shares, 10.0, urgent=False).go == ("b",)
    assert plan(110, 200, shares, 10.0, urgent=False).go == ("b", "c")
    busy = [held("a", active=True, stays=20.0), held("b", used=9)]
    assert plan(60, 120, busy, 10.0, urgent=False)[:3] == (False, ("b",), ())


def test_a_busy_model_goes_when_its_time_is_over() -> None:
    """Two that are used in turn where one fits: each has its time, then makes room; a person does not wait for it."""
    busy = [held("a", active=True, stays=20.0)]
    early = plan(40, 60, busy, 15.0, urgent=False)
    assert (early.go, early.ask, early.wait) == ((), (), 5.0)
    assert plan(40, 60, busy, 20.0, urgent=False).ask == ("a",)
    assert plan(40, 60, busy, 15.0, urgent=True).ask == ("a",)
    loading = [held("a", active=True, stays=math.inf)]
    assert plan(40, 60, loading, 15.0, urgent=False)[2:] == ((), None)  # its end will be told
    urgent = [held("a", active=True, urgent=True, stays=20.0)]
    assert plan(40, 60, urgent, 15.0, urgent=True).ask == ()


def test_one_that_leaves_already_is_counted_on() -> None:
    """Nobody else is asked to go while one who leaves makes room enough."""
    shares = [held("a", leaving=True, active=True), held("b")]
    way = plan(40, 90, shares, 0.0, urgent=False)
    assert (way.fits, way.go, way.ask, way.wait) == (False, (), (), None)
