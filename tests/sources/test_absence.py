"""What is missing is judged together, in however many looks it goes."""

from __future__ import annotations

from callboard.sources.absence import Absence
from callboard.sources.facts import Seen, SourceEvent
from callboard.sources.ledger import Ledger
from callboard.sources.voice import Voice


def seen(path: bytes, inode: int) -> Seen:
    """Make a settled file."""
    digest = f"sha256:{inode:064x}"
    return Seen(path=path, size=1, mtime_ns=1, ctime_ns=1, inode=inode, device=1, digest=digest, kind="video")


async def test_files_that_go_while_they_are_surveyed_are_held_together() -> None:
    """A survey that still finds some files of a folder that goes does not have those given up at the next one."""
    ledger = Ledger({b"%d.mov" % n: seen(b"%d.mov" % n, n) for n in range(39)}, stable_inodes=True)
    said: list[SourceEvent] = []

    async def emit(event: SourceEvent) -> None:
        said.append(event)

    voice = Voice("r", ledger, emit, lambda *_: None, lambda _: None)
    absence = Absence(b"/r", ledger, voice, grace=0.0, expected=lambda _: False)
    gone = [b"%d.mov" % n for n in range(19)]
    await absence.surveyed(set(gone[:12]))
    await absence.surveyed(set(gone))

    assert ledger.held == set(gone)
    assert ledger.missing == {}
    assert (absence.status, absence.problem) == ("offline", "19 of 39 files are missing at once")
    assert [event.type for event in said] == ["root.offline"]
