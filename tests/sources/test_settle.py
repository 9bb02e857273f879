"""The settling rules, with a clock of our own."""

from __future__ import annotations

import pytest
from callboard.sources.facts import Seen, Stat
from callboard.sources.ignore import DEFAULTS, Ignore
from callboard.sources.ledger import Ledger
from callboard.sources.sequences import frame_name, frame_names, group, parse
from callboard.sources.settle import LONGEST_QUIET, REMEMBER, QuietTime, SettleQueue
from callboard_schemas import Sequence, decode_path
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec


def stat(n: int) -> Stat:
    """Make a stat that differs by *n*."""
    return Stat(n, n, n, 1)


def test_quiet_time_is_learned_and_forgotten() -> None:
    """A stall doubles into the quiet time, up to a limit, and is forgotten after an hour."""
    quiet = QuietTime(2.0)
    assert quiet.seconds(0) == 2.0
    quiet.stalled(5.0, 0)
    quiet.stalled(3.0, 1)
    assert quiet.seconds(1) == 10.0
    quiet.stalled(500.0, 2)
    assert quiet.seconds(2) == LONGEST_QUIET
    assert quiet.seconds(2 + REMEMBER) == 2.0


def test_change_starts_over() -> None:
    """A file is due a quiet time after its last change, not after its first."""
    queue: SettleQueue[bytes] = SettleQueue(QuietTime(2.0))
    assert queue.touch(b"a", stat(1), 0.0)
    assert not queue.touch(b"a", stat(2), 1.5)
    assert queue.due(2.0) == []
    assert queue.next_due() == 3.5
    assert [entry.key for entry in queue.due(3.5)] == [b"a"]
    assert queue.due(100.0) == []


def test_same_stat_keeps_the_deadline() -> None:
    """Looks that find nothing new do not put a file off."""
    queue: SettleQueue[bytes] = SettleQueue(QuietTime(2.0))
    for now in (0.0, 0.5, 1.0, 1.9):
        queue.touch(b"a", stat(1), now)
    assert len(queue.due(2.0)) == 1


def test_an_old_file_is_due_at_once() -> None:
    """A file whose own times say that it has been quiet for long need not wait."""
    queue: SettleQueue[bytes] = SettleQueue(QuietTime(2.0))
    queue.touch(b"a", stat(1), 100.0, age=50.0)
    assert len(queue.due(100.0)) == 1


def test_busy_file_waits_longer_each_time_and_is_looked_at_when_it_is_closed() -> None:
    """A file held open is looked at less and less often, and at once when a hint comes."""
    queue: SettleQueue[bytes] = SettleQueue(QuietTime(2.0))
    queue.touch(b"a", stat(1), 0.0)
    now, gaps = 2.0, []
    for _ in range(8):
        assert len(queue.due(now)) == 1
        queue.busy(b"a", now)
        due = queue.next_due()
        assert due is not None
        gaps.append(due - now)
        now = due
    assert gaps == sorted(gaps)
    assert gaps[-1] == 30.0
    queue.touch(b"a", stat(1), now - 29.0)
    assert len(queue.due(now - 29.0)) == 1


@pytest.mark.parametrize("answer", ["busy", "later"])
def test_what_is_heard_during_a_look_is_looked_at_afterwards(answer: str) -> None:
    """A hint that comes while a file is being looked at, as of its closing, is not lost with the answer."""
    queue: SettleQueue[bytes] = SettleQueue(QuietTime(2.0))
    queue.touch(b"a", stat(1), 0.0)
    for now in (2.0, 2.1):
        assert len(queue.due(now)) == 1
        if now == 2.0:
            queue.touch(b"a", stat(1), now)
        queue.busy(b"a", now + 0.1) if answer == "busy" else queue.later(b"a", now + 0.1, 60.0)
    due = queue.next_due()
    assert due is not None
    assert due > 4.0


def test_stall_while_unsure_teaches_the_root() -> None:
    """Where nobody can tell who writes, a file waits twice as long, and a stall in that time is learned."""
    queue: SettleQueue[bytes] = SettleQueue(QuietTime(2.0))
    queue.touch(b"a", stat(1), 0.0)
    (entry,) = queue.due(2.0)
    queue.unsure(b"a", 2.0)
    assert queue.next_due() == 4.0
    queue.touch(b"a", stat(2), 3.0)
    assert not entry.sure
    assert queue.quiet.seconds(3.0) == 6.0
    assert queue.next_due() == 9.0


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(0, 3)), min_size=1, max_size=40))
def test_never_due_before_it_was_quiet(steps: list[tuple[int, int]]) -> None:
    """However a file changes, it is never due before it was left alone for the quiet time, and always in the end."""
    queue: SettleQueue[bytes] = SettleQueue(QuietTime(200.0))
    now, last, size = 0, 0, -1
    for step, value in steps:
        now += step
        for entry in queue.due(now):
            assert now - last >= 200
            queue.drop(entry.key)
            size = -1
        if value != size:
            last, size = now, value
        queue.touch(b"a", stat(size), now)
    assert len(queue.due(now + 200)) == 1


def seen(path: bytes, inode: int, digest: str = "sha256:" + "0" * 64) -> Seen:
    """Make a settled file."""
    return Seen(path=path, size=1, mtime_ns=1, ctime_ns=1, inode=inode, device=1, digest=digest, kind="video")


def test_ledger_finds_the_lost_by_content() -> None:
    """Only files that are missing are found by content; a file that came back or was dropped is not."""
    ledger = Ledger({b"a": seen(b"a", 1), b"b": seen(b"b", 2)}, stable_inodes=True)
    digest = ledger.seen[b"a"].digest
    assert ledger.lost_with(digest) is None
    assert ledger.away(b"a", 10.0)
    assert not ledger.away(b"a", 11.0)
    assert ledger.lost_with(digest) is ledger.seen[b"a"]
    ledger.hold()
    assert ledger.lost_with(digest) is ledger.seen[b"a"]
    ledger.back(b"a")
    assert ledger.lost_with(digest) is None
    ledger.away(b"b", 10.0)
    ledger.drop(b"b")
    assert ledger.lost_with(digest) is None


def test_inodes_that_are_made_up_are_not_trusted() -> None:
    """On a file system that numbers files anew at each mount, another inode is no change and no rename."""
    for stable in (True, False):
        ledger = Ledger({b"a": seen(b"a", 1)}, stable_inodes=stable)
        assert ledger.same(b"a", Stat(1, 1, 1, 7)) is not stable
        assert (ledger.twin(b"b", Stat(1, 1, 5, 1)) is None) is not stable


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        (b"shot.0001.exr", True),
        (b"shot.001.jpg", True),
        (b"shot.01.exr", False),
        (b"shot_0001.exr", True),
        (b"shot0001.dpx", True),
        (b"IMG_0001.jpg", False),
        (b"DSC_0001.tif", False),
        (b"0001.png", True),
        (b"0001.jpg", False),
        (b"shot.0001.mov", False),
        (b"a\nb.0001.exr", True),
    ],
)
def test_which_names_are_frames(name: bytes, frame: bool) -> None:
    """Render names are frames, camera names are not."""
    assert (parse(name) is not None) is frame


def test_dates_are_not_frames() -> None:
    """Numbers too far apart are no sequence, nor are two files."""
    dates = [b"scan.20240101.tif", b"scan.20240215.tif", b"scan.20240330.tif"]
    assert group(dates) == ([], dates)
    assert group([b"s.0001.exr", b"s.0002.exr"])[0] == []


def test_padding_is_kept_and_outgrown() -> None:
    """Another padding is another sequence; a number that outgrew its padding stays with its own."""
    outgrown = [b"s.%d.exr" % n for n in range(998, 1003)]
    groups, rest = group([*outgrown, *(b"s.%05d.exr" % n for n in range(3))])
    assert rest == []
    assert sorted(g.sequence.pattern for g in groups) == ["s.%03d.exr", "s.%05d.exr"]


@given(
    st.binary(max_size=12).filter(lambda b: b"/" not in b and b"\0" not in b), st.integers(3, 6), st.integers(0, 900)
)
def test_patterns_give_back_the_names(stem: bytes, padding: int, first: int) -> None:
    """A sequence's pattern gives back the names of its frames, whatever bytes they hold."""
    names = [b"x" + stem + b"." + str(n).zfill(padding).encode() + b".exr" for n in range(first, first + 4)]
    groups, rest = group(names)
    assert rest == []
    assert frame_names(groups[0].sequence) == names
    assert decode_path(groups[0].sequence.pattern.rsplit("%0", 1)[0]) == b"x" + stem + b"."


def test_a_pattern_without_a_number_is_refused() -> None:
    """A sequence whose pattern holds no number says so."""
    with pytest.raises(ValueError, match=r"^not a sequence pattern: 's\.exr'$"):
        frame_name(Sequence(pattern="s.exr", first=1, last=3), 1)


@given(st.text(st.sampled_from("ab.~_$xmpart"), min_size=1, max_size=14))
def test_fast_rules_agree_with_git(name: str) -> None:
    """The one regex that stands for the default rules says what gitignore says."""
    expected = GitIgnoreSpec.from_lines(DEFAULTS).match_file(name)
    assert (Ignore().rule(name.encode()) is not None) is expected


def test_later_rules_win() -> None:
    """A project can take a default back, and a folder's own file has the last word."""
    ignore = Ignore(["!*.tmp", "takes/"], ["!keep.part"])
    assert ignore.why(b"a.tmp") is None
    assert ignore.why(b"keep.part") is None
    assert ignore.why(b"a.part") == "rule '*.part' of the defaults"
    assert ignore.why(b"takes/a.mov") == "rule 'takes/' of the project's settings, for the folder 'takes'"
