"""Sequences, unreadable files and missing watches in a watched folder."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from callboard.config import Watch
from callboard.sources import Seen, SourceEvent, WatchSource
from callboard.sources.hints import HintKind, Listener, WatchLimit, listen

QUIET = 0.2


class Source:
    """A watched folder and what it said."""

    def __init__(self, folder: Path, listener: Callable[[bytes, Callable[[HintKind, bytes], None]], Listener]) -> None:
        self.events: list[SourceEvent] = []
        self.notes: list[tuple[bytes, str, str]] = []
        self.refreshed: list[Seen] = []
        self.news = asyncio.Condition()
        self.watch = WatchSource(
            Watch(path=str(folder), quiet=QUIET, poll=0.2),
            folder,
            emit=self._emit,
            note=lambda *note: self.notes.append(note),
            known={},
            ours=lambda _path: False,
            refresh=self.refreshed.append,
            listener=listener,
        )

    async def _emit(self, event: SourceEvent) -> None:
        async with self.news:
            self.events.append(event)
            self.news.notify_all()

    async def until(self, count: int) -> SourceEvent:
        """Wait for the *count*-th event."""
        async with asyncio.timeout(60), self.news:
            await self.news.wait_for(lambda: len(self.events) >= count)
        return self.events[count - 1]


@asynccontextmanager
async def watching(
    folder: Path, listener: Callable[[bytes, Callable[[HintKind, bytes], None]], Listener] = listen
) -> AsyncIterator[Source]:
    """Watch *folder* until the block ends."""
    source = Source(folder, listener)
    task = asyncio.create_task(source.watch.run())
    ready = asyncio.create_task(source.watch.ready.wait())
    try:
        await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED, timeout=60)
        assert source.watch.ready.is_set()
        yield source
    finally:
        ready.cancel()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def frames(folder: Path, *numbers: int, content: bytes = b"x") -> None:
    """Write frames."""
    for number in numbers:
        (folder / f"shot.{number:04d}.exr").write_bytes(content + b"%d" % number)


async def test_sequence_is_one_asset_with_its_gaps(tmp_path: Path) -> None:
    """Numbered stills are one asset with its gaps; a late frame makes it a changed one, a rename moves it."""
    async with watching(tmp_path) as source:
        frames(tmp_path, 1, 2, 4)
        first = (await source.until(1)).seen
        assert first is not None
        assert (first.path, first.kind) == (b"shot.%04d.exr", "sequence")
        assert first.sequence is not None
        assert first.sequence.missing == (3,)
        async with asyncio.timeout(60):  # a hint of a frame that comes late has all of them looked at once more
            while not source.watch.explain(b"shot.0002.exr").startswith(
                "part of the sequence 'shot.%04d.exr', settled"
            ):
                await asyncio.sleep(0.01)
        frames(tmp_path, 3)
        second = (await source.until(2)).seen
        assert second is not None
        assert second.sequence is not None
        assert (second.path, second.sequence.missing) == (first.path, ())
        (tmp_path / "moved").mkdir()
        for number in range(1, 5):
            (tmp_path / f"shot.{number:04d}.exr").rename(tmp_path / "moved" / f"shot.{number:04d}.exr")
        third = await source.until(3)
        assert third.seen is not None
        assert (third.type, third.seen.path) == ("media.renamed", b"moved/shot.%04d.exr")


async def test_two_frames_are_pictures_after_a_while(tmp_path: Path) -> None:
    """One or two frames wait longer for the third, then they are pictures."""
    async with watching(tmp_path) as source:
        frames(tmp_path, 1, 2)
        await source.until(2)
        assert sorted(event.seen.path for event in source.events if event.seen) == [b"shot.0001.exr", b"shot.0002.exr"]
        assert {event.seen.kind for event in source.events if event.seen} == {"image"}


async def test_reserved_frames_are_not_there_yet(tmp_path: Path) -> None:
    """Empty files that a renderer reserves names with are missing frames until they have content."""
    async with watching(tmp_path) as source:
        frames(tmp_path, 1, 2, 3, 5)
        (tmp_path / "shot.0004.exr").touch()
        seen = (await source.until(1)).seen
        assert seen is not None
        assert seen.sequence is not None
        assert (seen.sequence.count, seen.sequence.missing) == (4, (4,))


async def test_touched_file_is_not_said_again(tmp_path: Path) -> None:
    """A file whose times moved but not its content is not said again; its new stat is handed on."""
    path = tmp_path / "a.mov"
    path.write_bytes(b"a")
    async with watching(tmp_path) as source:
        await source.until(1)
        os.utime(path, (1e9, 1e9))
        (tmp_path / "b.mov").write_bytes(b"b")
        await source.until(2)
        async with asyncio.timeout(60):
            while not source.refreshed:
                await asyncio.sleep(0.01)
    assert [seen.path for seen in source.refreshed] == [b"a.mov"]
    assert source.refreshed[0].mtime_ns == 10**18
    assert len(source.events) == 2


@pytest.fixture
def as_somebody() -> Iterator[Path]:
    """A folder, and for the length of a test no right to read what is forbidden: root drops to nobody."""
    folder = Path(tempfile.mkdtemp(prefix="callboard-"))
    root = os.geteuid() == 0
    if root:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        shutil.rmtree(folder)


async def test_unreadable_file_waits_for_its_permissions(as_somebody: Path) -> None:
    """A file that may not be read is noted once, and said as soon as it may be read."""
    async with watching(as_somebody) as source:
        path = as_somebody / "a.mov"
        path.touch(mode=0o000)
        path.chmod(0o200)
        path.write_bytes(b"a")
        (as_somebody / "b.mov").write_bytes(b"b")
        await source.until(1)
        async with asyncio.timeout(60):
            while "cannot be read" not in source.watch.explain(b"a.mov"):
                await asyncio.sleep(0.01)
        path.chmod(0o600)
        assert (await source.until(2)).seen is not None
    failed = [note for note in source.notes if note[1] == "failed"]
    assert failed == [(b"a.mov", "failed", "cannot be read: Permission denied; tried again when it changes")]


async def test_no_watches_left_is_polled_with_one_notice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """When the system has no watches left, the folder is polled, and that is said once."""

    class Full:
        """The kernel with a limit of one watch."""

        def __init__(self, root: bytes, say: Callable[[HintKind, bytes], None]) -> None:
            self._real = listen(root, say)
            self.add_real = self._real.add
            self.forget = self._real.forget
            self.close = self._real.close

        def add(self, folder: bytes) -> None:
            if folder:
                raise WatchLimit("inotify watch limit reached")
            self.add_real(folder)

    async with watching(tmp_path, Full) as source:
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "c.mov").write_bytes(name.encode())
        await source.until(2)
        assert source.watch.polled
        assert "watch limit reached" in source.watch.notice
    assert len([record for record in caplog.records if "polled every" in record.message]) == 1


async def test_marker_decides(tmp_path: Path) -> None:
    """A root that had a marker file is offline while the marker is missing, whatever else is there."""
    marker = tmp_path / ".callboard-root"
    marker.touch()
    async with watching(tmp_path) as source:
        marker.unlink()
        assert (await source.until(1)).type == "root.offline"
        assert "marker" in source.watch.problem
        marker.touch()
        assert (await source.until(2)).type == "root.online"
