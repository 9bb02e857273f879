"""The outbox: events on the disk, whole after a crash, once each whoever sends them, in bounded memory."""

from __future__ import annotations

import io
import itertools
import json
import stat
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from callboard_bridge.outbox import Outbox
from callboard_bridge.spool import HEADER, MAX_EVENT, WINDOW, Spool, is_event_type
from hypothesis import given
from hypothesis import strategies as st

CLOCK = itertools.count(100.0, 100.0)
"""Seconds, more than lie between two looks for orphans."""


def line(number: int, text: str = "") -> bytes:
    """Make an event's line."""
    return json.dumps({"id": f"e{number}", "type": "host.scene.saved", "data": {"text": text}}).encode()


def take(box: Outbox, most: int = 10**9) -> list[str]:
    """Take events away until none is left, as a connection does; give their ids."""
    taken: list[str] = []
    for _ in range(100):
        box.tend(next(CLOCK))
        while len(taken) < most and (found := box.next()) is not None:
            taken.append(found[2]["id"])
            found[0].done(found[1])
    return taken


def test_events_are_taken_in_their_order(tmp_path: Path) -> None:
    """What was appended comes out in order, and an emptied outbox leaves no file."""
    box = Outbox(str(tmp_path / "box"), "a")
    for number in range(1000):
        assert box.append(line(number))
    assert box.count == 1000
    assert take(box) == [f"e{number}" for number in range(1000)]
    assert box.count == 0
    box.close()
    assert list((tmp_path / "box").iterdir()) == []


def test_the_file_is_its_owners_only(tmp_path: Path) -> None:
    """Folder and file are readable for their owner only."""
    box = Outbox(str(tmp_path / "box"), "a")
    box.append(line(1))
    (path,) = (tmp_path / "box").iterdir()
    box.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_in_use_is_nobody_elses(tmp_path: Path) -> None:
    """Two outboxes in one folder send each its own, and the second takes the first's when that is gone."""
    first, second = Outbox(str(tmp_path / "box"), "a"), Outbox(str(tmp_path / "box"), "b")
    first.append(line(1))
    second.append(line(2))
    assert take(second) == ["e2"]
    first.close()
    assert take(second) == ["e1"]
    second.close()
    assert list((tmp_path / "box").iterdir()) == []


@given(st.integers(0, 400), st.integers(0, 3))
def test_a_torn_line_costs_only_itself(cut: int, more: int) -> None:
    """However a crash cuts the last line, all before it are taken, and the next process appends behind none of it."""
    whole = b"".join(line(number) + b"\n" for number in range(3))
    torn = line(99, "x" * 300)[:cut]
    file = io.BytesIO(b"callboard-outbox-1 %012d\n" % HEADER + whole + torn)
    spool = Spool(file)
    while not spool.surveyed:
        spool.survey()
    for number in range(more):
        assert spool.append(line(10 + number))
    taken = []
    while (found := spool.next()) is not None:
        taken.append(found[1]["id"])
        spool.done(found[0])
    assert taken == ["e0", "e1", "e2", *(f"e{10 + number}" for number in range(more))]
    assert spool.drained


@pytest.mark.parametrize("answered", [0, 1, WINDOW - 1, WINDOW, 700, 1000])
def test_what_was_not_answered_is_sent_again(tmp_path: Path, answered: int) -> None:
    """After a crash at any point nothing is missing; at most one window of events is sent twice."""
    first = Outbox(str(tmp_path / "box"), "a")
    for number in range(1000):
        first.append(line(number))
    taken = []
    for _ in range(answered):
        found = first.next()
        assert found is not None
        found[0].done(found[1])
        taken.append(found[2]["id"])
    first.tend(next(CLOCK))
    for pair in (first._own, first._orphan):
        if pair is not None:
            pair[0]._file.close()  # as a killed process does: nothing is written down any more
    second = Outbox(str(tmp_path / "box"), "b")
    taken += take(second)
    second.close()
    assert Counter(taken) == Counter(f"e{number}" for number in range(1000))


def test_lines_that_are_no_events_are_passed_over(tmp_path: Path) -> None:
    """Damage in the middle of a file costs what was damaged."""
    (tmp_path / "box").mkdir()
    bad: list[Any] = [b"", b"{", b"[]", b"\xff" * 9, b"x" * (3 * MAX_EVENT), b'{"id":1,"type":"host.x"}', b'{"id":"a"}']
    bad += [b'{"id":"a","type":"media.settled"}', b'{"id":"a\\r\\nPUB","type":"host.x"}', b"1" * 70_000]
    mixed = b"".join(line(number) + b"\n" + text + b"\n" for number, text in enumerate(bad))
    (tmp_path / "box" / "old.events").write_bytes(b"callboard-outbox-1 %012d\n" % HEADER + mixed)
    box = Outbox(str(tmp_path / "box"), "a")
    assert take(box) == [f"e{number}" for number in range(len(bad))]
    box.close()
    assert list((tmp_path / "box").iterdir()) == []


@pytest.mark.parametrize(
    "text", [b"", b"notes", b"callboard-outbox-1 xxxxxxxxxxxx\n", b"callboard-outbox-2 000000000032\n"]
)
def test_other_files_are_left_alone(tmp_path: Path, text: bytes) -> None:
    """A file in the folder that is no outbox stays as it is; one that holds nothing may go."""
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "mine.events").write_bytes(text)
    (tmp_path / "box" / "notes.txt").write_text("notes")
    (tmp_path / "box" / "link.events").symlink_to(tmp_path / "box" / "notes.txt")
    box = Outbox(str(tmp_path / "box"), "a")
    assert take(box) == []
    box.close()
    left = {path.name: path.read_bytes() for path in (tmp_path / "box").iterdir()}
    assert left.pop("mine.events", b"") == text
    assert left == {"notes.txt": b"notes", "link.events": b"notes"}


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    """Where no file can be made, events are kept in memory up to a limit, and the problem says so."""
    (tmp_path / "file").write_text("")
    box = Outbox(str(tmp_path / "file" / "box"), "a")
    assert box.append(line(1))
    assert "kept in memory" in box.problem
    assert take(box) == ["e1"]
    while box.append(line(2, "x" * 50_000)):
        pass
    assert "lost" in box.problem
    assert 100 < box.count < 200
    box.close()


def test_a_full_disk_leaves_no_torn_line() -> None:
    """A write that is cut short is taken back, and the events around it are whole."""

    class Full(io.BytesIO):
        room = 10**9

        def write(self, text: Any) -> int:
            kept = super().write(text[: self.room])
            self.room -= kept
            return kept

    file = Full()
    spool = Spool(file)
    assert spool.append(line(1))
    file.room = 20
    assert not spool.append(line(2))
    file.room = 10**9
    assert spool.append(line(3))
    assert file.getvalue()[HEADER:] == line(1) + b"\n" + line(3) + b"\n"


def test_memory_is_bounded(tmp_path: Path) -> None:
    """Of thirty megabytes of events only the window and one chunk are in memory."""
    box = Outbox(str(tmp_path / "box"), "a")
    text = "x" * 50_000
    tracemalloc.start()
    try:
        for number in range(600):
            assert box.append(line(number, text))
        box.close()
        other = Outbox(str(tmp_path / "box"), "b")
        taken = len(take(other))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    other.close()
    assert taken == 600
    assert peak < 8 * 1024 * 1024


def test_the_file_shrinks_when_all_is_taken(tmp_path: Path) -> None:
    """A bridge that is online for weeks leaves no file that grows."""
    box = Outbox(str(tmp_path / "box"), "a")
    sizes = set()
    for number in range(50):
        box.append(line(number))
        take(box)
        sizes |= {path.stat().st_size for path in (tmp_path / "box").iterdir()}
    box.close()
    assert sizes == {HEADER}


@pytest.mark.parametrize(
    ("name", "well"),
    [
        ("host.scene.saved", True),
        ("host.request", True),
        ("host.my_own.thing2", True),
        ("host", False),
        ("host.", False),
        ("host..x", False),
        ("host.Scene", False),
        ("media.settled", False),
        ("host.*", False),
        ("host.>", False),
        ("host.a b", False),
        ("host.a\r\nPUB x 0", False),
        ("host.é", False),
        ("host." + "x" * 200, False),
        (None, False),
    ],
)
def test_only_a_hosts_events_are_sent(name: Any, well: bool) -> None:
    """Types that are not a host's, or could break the protocol, are refused."""
    assert is_event_type(name) is well
