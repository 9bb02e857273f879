"""Limits of what may be spent: kept across restarts and processes, and free again when they say so."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from callboard.errors import Blocked, JobError
from callboard.spending import DAY, HOUR, Ledger, Limit

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
LIMITS = (
    Limit(what="versions", most=3, window=HOUR, setting="versions_per_hour"),
    Limit(what="versions", most=5, window=DAY, setting="versions_per_day"),
    Limit(what="seconds", most=0, window=DAY, setting="seconds_per_day"),
)


def later(minutes: float) -> datetime:
    """Give a moment after noon."""
    return NOON + timedelta(minutes=minutes)


def test_an_hour_and_a_day_are_kept(tmp_path: Path) -> None:
    """What is over says when it is free again; both windows count, whoever asks, after any restart."""
    for minute in (0, 10, 20):
        Ledger(tmp_path).reserve(f"job-{minute}", {"versions": 1, "seconds": 900}, LIMITS, later(minute))
    assert Ledger(tmp_path).spent("seconds", DAY, later(30)) == 2700
    with pytest.raises(Blocked, match="3 versions in one hour is reached") as caught:
        Ledger(tmp_path).reserve("more", {"versions": 1}, LIMITS, later(30))
    assert "2026-01-31 13:00 UTC; versions_per_hour" in caught.value.hint
    with pytest.raises(Blocked) as caught:
        Ledger(tmp_path).reserve("two", {"versions": 2}, LIMITS, later(30))
    assert "13:10 UTC" in caught.value.hint
    Ledger(tmp_path).reserve("more", {"versions": 1}, LIMITS, later(60))
    Ledger(tmp_path).reserve("last", {"versions": 1}, LIMITS, later(80))
    with pytest.raises(Blocked, match="5 versions in one day") as caught:
        Ledger(tmp_path).reserve("over", {"versions": 1}, LIMITS, later(600))
    assert "2026-02-01 12:00 UTC; versions_per_day" in caught.value.hint
    Ledger(tmp_path).reserve("over", {"versions": 1}, LIMITS, later(24 * 60))


def test_what_waits_is_not_spent_again_and_again(tmp_path: Path) -> None:
    """A job that is tried until a server is back is spent once; made, and asked for again, it is spent anew."""
    ledger = Ledger(tmp_path)
    for minute in range(9):
        ledger.reserve("job", {"versions": 2}, LIMITS, later(minute))
    assert ledger.spent("versions", HOUR, later(9)) == 2
    ledger.settle("job")
    with pytest.raises(Blocked):
        ledger.reserve("job", {"versions": 2}, LIMITS, later(10))
    assert ledger.spent("versions", HOUR, later(10)) == 2


def test_what_was_refused_is_not_spent(tmp_path: Path) -> None:
    """A request over a limit leaves the others' share as it was."""
    ledger = Ledger(tmp_path)
    ledger.reserve("job", {"versions": 2}, LIMITS, NOON)
    with pytest.raises(Blocked):
        ledger.reserve("big", {"versions": 3}, LIMITS, NOON)
    ledger.reserve("small", {"versions": 1}, LIMITS, NOON)


def test_what_can_never_be_is_refused_for_good(tmp_path: Path) -> None:
    """More than a whole window allows does not wait for ever."""
    with pytest.raises(JobError, match="takes 4 versions, and the project allows 3"):
        Ledger(tmp_path).reserve("job", {"versions": 4}, LIMITS, NOON)


def test_sums_of_fractions_reach_the_limit_exactly(tmp_path: Path) -> None:
    """Ten tenths of a second fit into one second, and no more."""
    limits = (Limit(what="seconds", most=1, window=HOUR, setting="seconds_per_hour"),)
    for index in range(10):
        Ledger(tmp_path).reserve(str(index), {"seconds": 0.1}, limits, NOON)
    with pytest.raises(Blocked):
        Ledger(tmp_path).reserve("more", {"seconds": 0.1}, limits, NOON)


def test_a_ledger_that_cannot_be_read_is_not_taken_for_empty(tmp_path: Path) -> None:
    """Damage stops spending and says what to mend."""
    (tmp_path / "spent.db").write_bytes(b"no database" * 100)
    with pytest.raises(Blocked, match=r"Mend or remove spent\.db"):
        Ledger(tmp_path).reserve("job", {"versions": 1}, LIMITS, NOON)


def test_two_processes_share_one_limit(tmp_path: Path) -> None:
    """Of forty that two processes try, as many get through as the limit says."""
    code = """
import sys
from datetime import timedelta
from pathlib import Path
from callboard.errors import Blocked
from callboard.spending import HOUR, Ledger, Limit
limits = (Limit(what="versions", most=25, window=HOUR, setting="x"),)
through = 0
for number in range(20):
    try:
        Ledger(Path(sys.argv[1])).reserve(f"{sys.argv[2]}-{number}", {"versions": 1}, limits)
        through += 1
    except Blocked:
        pass
print(through)
"""
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name], stdout=subprocess.PIPE, text=True)
        for name in "ab"
    ]
    assert sum(int(process.communicate(timeout=60)[0]) for process in started) == 25
