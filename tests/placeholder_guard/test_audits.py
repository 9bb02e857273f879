"""The audit: every line stays, in order, through crashes, rotation and several processes, or its loss is noticed."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from callboard.audit import NAME, Audit, Entry, read, verify
from callboard.errors import Blocked

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def entry(number: int) -> Entry:
    """Make something that happened."""
    return Entry(decision="made", shot=f"SH{number:03d}", by="zoe", digest=f"sha256:{number:064d}")


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Give an audit of five lines."""
    made = Audit(tmp_path / "kept")
    for number in range(1, 6):
        made.append(entry(number), NOW)
    return made


@pytest.fixture
def folder(tmp_path: Path, audit: Audit) -> Path:
    """Give its folder."""
    assert audit is not None
    return tmp_path / "kept"


def test_lines_are_read_back_as_written(folder: Path) -> None:
    """Every line holds its number, its time and what happened, and the whole is whole."""
    lines = list(read(folder))
    assert [line.n for line in lines] == [1, 2, 3, 4, 5]
    assert [line.entry for line in lines] == [entry(number) for number in range(1, 6)]
    assert lines[0].time == "2026-01-31T12:00:00.000+00:00"
    found = verify(folder)
    assert (found.lines, found.problems) == (5, ())
    assert ((folder / NAME).stat().st_mode & 0o777) == 0o600


def test_nothing_is_no_problem(tmp_path: Path) -> None:
    """Where nothing was ever made there is nothing to find."""
    assert verify(tmp_path).lines == 0
    assert verify(tmp_path).problems == ()


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ((0,), "line 1 is missing before it"),
        ((2,), "line 3 is missing before it"),
        ((1, 2), "lines 2 to 3 are missing before it"),
        ((4,), "ends with line 4; 5 were written"),
        ((0, 1, 2, 3, 4), "ends with line 0; 5 were written"),
    ],
)
def test_a_removed_line_is_noticed(folder: Path, gone: tuple[int, ...], said: str) -> None:
    """Wherever it was: at the beginning, in the middle, at the end, or all of them; also after more was added."""
    lines = (folder / NAME).read_bytes().splitlines(keepends=True)
    (folder / NAME).write_bytes(b"".join(line for index, line in enumerate(lines) if index not in gone))
    (problem,) = verify(folder).problems
    assert said in problem
    Audit(folder).append(entry(6), NOW)
    problems = verify(folder).problems
    assert problems
    assert all("missing before it" in problem for problem in problems)


def test_a_changed_line_is_noticed(folder: Path) -> None:
    """Another name in a line breaks the chain behind it; in the last line the head tells."""
    text = (folder / NAME).read_text()
    (folder / NAME).write_text(text.replace("SH003", "SH033"))
    assert verify(folder).problems == ("audit.jsonl:4: the line before it is not what it was",)
    (folder / NAME).write_text(text.replace("SH005", "SH055"))
    assert verify(folder).problems == ("audit.jsonl: its last line is not what it was",)
    (folder / NAME).write_text(text)
    assert verify(folder).problems == ()


def test_what_a_power_cut_left_goes(folder: Path) -> None:
    """Half a line at the end was never told as written: it is taken away, and the chain goes on."""
    with (folder / NAME).open("ab") as file:
        file.write(b'{"n":6,"time":"20')
    assert verify(folder).problems == ("audit.jsonl:6: is no whole line of an audit",)
    Audit(folder).append(entry(6), NOW)
    assert verify(folder).problems == ()
    assert [line.n for line in read(folder)] == [1, 2, 3, 4, 5, 6]


def test_a_line_whose_head_was_lost_in_a_crash_counts(folder: Path) -> None:
    """A process that dies between the line and the head loses nothing."""
    head = (folder / "audit.head").read_bytes()
    Audit(folder).append(entry(6), NOW)
    (folder / "audit.head").write_bytes(head)
    assert verify(folder).problems == ()
    Audit(folder).append(entry(7), NOW)
    assert verify(folder).lines == 7
    assert verify(folder).problems == ()


def test_files_are_rotated_by_size_and_the_chain_goes_through(tmp_path: Path) -> None:
    """A new file begins where the old one is full; a file that was taken away is noticed."""
    audit = Audit(tmp_path, largest=800)
    for number in range(20):
        audit.append(entry(number), NOW)
    names = sorted(path.name for path in tmp_path.glob("audit*.jsonl"))
    assert len(names) > 3
    assert all((tmp_path / name).stat().st_size <= 800 for name in names)
    assert [line.n for line in read(tmp_path)] == list(range(1, 21))
    assert verify(tmp_path).problems == ()
    (tmp_path / names[1]).unlink()
    assert len(verify(tmp_path).problems) == 1


def test_a_damaged_end_stops_everything(folder: Path) -> None:
    """What cannot be gone on with is not gone on with in silence; set aside, its loss stays to be seen."""
    with (folder / NAME).open("ab") as file:
        file.write(b"rubbish\n")
    with pytest.raises(Blocked, match="is damaged"):
        Audit(folder).append(entry(6), NOW)
    (folder / NAME).rename(folder / "aside")
    Audit(folder).append(entry(6), NOW)
    assert verify(folder).problems == ("audit.jsonl:1: lines 1 to 5 are missing before it",)


def test_the_same_again_may_be_left_out(folder: Path) -> None:
    """A job that waits and waits is written down once an hour, or as often as is wanted."""
    waits = Entry(decision="waits", shot="SH010", reason="the limit is reached")
    for minutes in (0, 1, 59, 60, 61):
        Audit(folder).append(waits, NOW + timedelta(minutes=minutes), once=timedelta(hours=1))
    assert [line.time[11:16] for line in list(read(folder))[5:]] == ["12:00", "13:00"]


def test_a_folder_that_cannot_be_written_stops_everything(tmp_path: Path) -> None:
    """Nothing is made that cannot be written down."""
    (tmp_path / "kept").write_text("a file")
    with pytest.raises(Blocked, match="cannot be written"):
        Audit(tmp_path / "kept").append(entry(1))


def test_two_processes_keep_one_chain(tmp_path: Path) -> None:
    """Lines of several processes stand one behind the other."""
    code = """
import sys
from pathlib import Path
from callboard.audit import Audit, Entry
for number in range(40):
    Audit(Path(sys.argv[1]), largest=4000).append(Entry(decision="made", shot=f"{sys.argv[2]}-{number}"))
"""
    started = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in "ab"]
    assert [process.wait(60) for process in started] == [0, 0]
    found = verify(tmp_path)
    assert (found.lines, found.problems) == (80, ())
    shots = [line.entry.shot for line in read(tmp_path)]
    assert sorted(shots) == sorted(f"{name}-{number}" for name in "ab" for number in range(40))
    raw = json.loads((tmp_path / NAME).read_text().splitlines()[-1])
    assert {"n", "time", "previous", "decision", "shot"} == set(raw)
