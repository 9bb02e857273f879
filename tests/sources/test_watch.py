"""A watched folder says each file once, whole, whatever happens around it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import pytest
from callboard.config import Watch
from callboard.sources import Seen, SourceEvent, WatchSource, digest
from callboard.sources.hints import listen
from callboard.sources.observer import ObserverListener
from callboard.sources.settle import SettleQueue
from callboard_schemas import MediaGone, MediaRenamed, MediaSettled

QUIET = 0.3


class Journal:
    """What a source said, to be waited on."""

    def __init__(self) -> None:
        self.events: list[SourceEvent] = []
        self.notes: list[tuple[bytes, str, str]] = []
        self.written: set[bytes] = set()
        self._news = asyncio.Condition()

    async def emit(self, event: SourceEvent) -> None:
        """Keep an event."""
        async with self._news:
            self.events.append(event)
            self._news.notify_all()

    def note(self, path: bytes, state: str, detail: str) -> None:
        """Keep a note."""
        self.notes.append((path, state, detail))

    async def until(self, enough: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until *enough* holds."""
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(enough)

    def of(self, kind: str) -> list[SourceEvent]:
        """Give the events of one type."""
        return [event for event in self.events if event.type == kind]

    def settled(self) -> list[bytes]:
        """Give the paths that were said to be whole."""
        return [event.seen.path for event in self.of("media.settled") if event.seen]

    def known(self) -> dict[bytes, Seen]:
        """What a catalog would remember."""
        known: dict[bytes, Seen] = {}
        for event in self.events:
            if isinstance(event.data, MediaRenamed):
                known.pop(event.data.old.path.encode(), None)
            if isinstance(event.data, MediaGone) and event.seen:
                known.pop(event.seen.path, None)
            elif event.seen:
                known[event.seen.path] = event.seen
        return known


@asynccontextmanager
async def watching(
    folder: Path,
    journal: Journal,
    *,
    known: Mapping[bytes, Seen] | None = None,
    mode: Literal["auto", "native", "poll"] = "auto",
    observer: bool = False,
    ignore: tuple[str, ...] = (),
    grace: float = 0.0,
) -> AsyncIterator[WatchSource]:
    """Watch *folder* until the block ends.

    What is missing is given up after *grace* seconds: the second half of a rename may be told late.
    """
    watch = Watch(path=str(folder), quiet=QUIET, poll=0.2, rescan=600, mode=mode, ignore=ignore)
    ours = journal.written.__contains__
    source = WatchSource(
        watch,
        folder,
        emit=journal.emit,
        note=journal.note,
        known=known or {},
        ours=ours,
        listener=ObserverListener if observer else listen,
    )
    task = asyncio.create_task(source.run())
    ready = asyncio.create_task(source.ready.wait())
    try:
        await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED, timeout=60)
        assert source.ready.is_set()
        source._absence._grace = grace or source._absence._grace
        yield source
    finally:
        ready.cancel()
        task.cancel()
        with suppress(asyncio.CancelledError):  # anything else that ended the source fails the test
            await task


PATIENT = 60.0
"""A grace that only ends where something hangs."""


async def settle(journal: Journal, *paths: bytes) -> None:
    """Wait until all of *paths* were said."""
    await journal.until(lambda: set(paths) <= set(journal.settled()))


async def after_everything(journal: Journal, folder: Path) -> None:
    """Wait until a file that came after everything else was said, and the source came to rest."""
    name = f"zz-last-{len(journal.events)}.mov"
    (folder / name).write_bytes(os.urandom(16))
    await settle(journal, name.encode())


ALL_MODES = pytest.mark.parametrize("how", ["native", "poll", "observer"])


def options(how: str) -> dict[str, object]:
    """Turn a way of watching into arguments."""
    return {"observer": True} if how == "observer" else {"mode": how}


@ALL_MODES
async def test_found_new_and_changed(tmp_path: Path, how: str) -> None:
    """What was there is found, what comes is new, what changes is changed, each once and with its digest."""
    (tmp_path / "old.mov").write_bytes(b"old")
    journal = Journal()
    async with watching(tmp_path, journal, **options(how)):  # type: ignore[arg-type]  # a table of arguments
        await settle(journal, b"old.mov")
        (tmp_path / "new.mov").write_bytes(b"new")
        await settle(journal, b"old.mov", b"new.mov")
        (tmp_path / "new.mov").write_bytes(b"newer")
        await journal.until(lambda: len(journal.settled()) == 3)
        await after_everything(journal, tmp_path)
    said = [(e.seen.path, e.data.reason) for e in journal.events[:3] if e.seen and isinstance(e.data, MediaSettled)]
    assert said == [(b"old.mov", "found"), (b"new.mov", "new"), (b"new.mov", "changed")]
    assert len(journal.events) == 4


def copy_slowly(path: Path, how: str, stop: threading.Event) -> None:
    """Copy in chunks with stalls longer than the quiet time, as some copiers do."""
    with path.open("wb", buffering=0) as file:
        if how != "grow":
            file.truncate(4_000_000)
        for chunk in range(4):
            file.seek(chunk * 1_000_000)
            file.write(os.urandom(1_000_000))
            if how == "keep-mtime":
                os.utime(path, (1e9, 1e9))
            stop.wait(0.5)
    if how == "keep-mtime":
        os.utime(path, (1e9, 1e9))


@pytest.mark.parametrize("how", ["grow", "preallocate", "keep-mtime"])
async def test_slow_copy_is_said_once_and_whole(tmp_path: Path, how: str) -> None:
    """A copy in chunks with stalls longer than the quiet time is said once, after it is whole."""
    journal = Journal()
    async with watching(tmp_path, journal):
        await asyncio.to_thread(copy_slowly, tmp_path / "slow.mov", how, threading.Event())
        await settle(journal, b"slow.mov")
        await after_everything(journal, tmp_path)
    assert journal.settled().count(b"slow.mov") == 1
    said = journal.known()[b"slow.mov"]
    whole = hashlib.sha256((tmp_path / "slow.mov").read_bytes()).hexdigest()
    assert (said.size, said.digest) == (4_000_000, f"sha256:{whole}")


def busy_for_ever(queue: SettleQueue[bytes], key: bytes, now: float) -> None:
    """Look at a file that is open again in an hour."""
    queue.later(key, now, 3600)
    queue.entries[key].waiting = "busy"
    queue.entries[key].tries += 1


async def test_file_held_open_is_said_when_it_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that somebody holds open waits, says so, and is said because it was closed, not at the next look."""
    monkeypatch.setattr(SettleQueue, "busy", busy_for_ever)
    journal = Journal()
    async with watching(tmp_path, journal) as source:
        with (tmp_path / "open.mov").open("wb", buffering=0) as file:
            file.write(b"x")
            (tmp_path / "other.mov").write_bytes(b"y")
            await settle(journal, b"other.mov")
            await after_everything(journal, tmp_path)
            assert b"open.mov" not in journal.settled()
            assert "open for writing" in source.explain(b"open.mov")
        await settle(journal, b"open.mov")
    assert (b"open.mov", "waiting", "another program has it open for writing") in journal.notes


@ALL_MODES
async def test_rename_is_followed(tmp_path: Path, how: str) -> None:
    """A settled file that is renamed or moved is the same asset at another path."""
    (tmp_path / "a.mov").write_bytes(b"content")
    (tmp_path / "b").mkdir()
    journal = Journal()
    async with watching(tmp_path, journal, grace=PATIENT, **options(how)):  # type: ignore[arg-type]  # a table of arguments
        await settle(journal, b"a.mov")
        (tmp_path / "a.mov").rename(tmp_path / "b" / "z.mov")
        await journal.until(lambda: len(journal.events) == 2)
        await after_everything(journal, tmp_path)
    renamed = journal.events[1].data
    assert isinstance(renamed, MediaRenamed)
    assert (renamed.old.path, renamed.asset.place.path) == ("a.mov", "b/z.mov")
    assert len(journal.events) == 3


async def test_rename_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file renamed while it is being hashed is said once, under its new name."""
    begun, go, feed = threading.Event(), threading.Event(), digest._feed

    def held(*given: Any) -> None:
        begun.set()
        assert go.wait(60)
        feed(*given)

    monkeypatch.setattr(digest, "_feed", held)
    path = tmp_path / "big.mov"
    path.write_bytes(b"content")
    journal = Journal()
    async with watching(tmp_path, journal) as source:
        assert await asyncio.to_thread(begun.wait, 60)
        assert source.explain(b"big.mov") == "being read"
        path.rename(tmp_path / "renamed.mov")
        go.set()
        await settle(journal, b"renamed.mov")
        await after_everything(journal, tmp_path)
    assert journal.settled()[0] == b"renamed.mov"
    assert len(journal.events) == 2


async def test_move_between_disks_is_followed_by_content(tmp_path: Path) -> None:
    """A copy whose original goes is the original, moved, although its inode is another."""
    (tmp_path / "a.mov").write_bytes(b"content")
    journal = Journal()
    async with watching(tmp_path, journal, grace=PATIENT) as source:
        await settle(journal, b"a.mov")
        with (tmp_path / "b.mov").open("wb", buffering=0) as copy:  # not said before it is closed
            copy.write(b"content")
            (tmp_path / "a.mov").unlink()
            async with asyncio.timeout(60):
                while "missing" not in source.explain(b"a.mov"):
                    await asyncio.sleep(0.01)  # that a file is missed is noted, not said
        await journal.until(lambda: len(journal.events) == 2)
        await after_everything(journal, tmp_path)
    assert [event.type for event in journal.events] == ["media.settled", "media.renamed", "media.settled"]


async def test_ten_thousand_at_once(tmp_path: Path) -> None:
    """Ten thousand files dropped at once are all found, each once."""
    folders = [tmp_path / f"{n:02d}" for n in range(20)]
    for folder in folders:
        folder.mkdir()
    journal = Journal()

    def drop() -> None:
        for n in range(10_000):
            with open(f"{folders[n % 20]}/{n}.mov", "wb", buffering=0) as file:
                file.write(b"%d" % n)

    async with watching(tmp_path, journal):
        await asyncio.to_thread(drop)
        await journal.until(lambda: len(journal.events) >= 10_000, 110)
        await after_everything(journal, tmp_path)
    assert len(journal.settled()) == len(set(journal.settled())) == 10_001


async def test_new_trees_and_trees_moved_in(tmp_path: Path) -> None:
    """Files in new folders, nested at once or moved in from outside as a whole, are all found."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    for n in range(100):
        (outside / f"{n % 7}").mkdir(parents=True, exist_ok=True)
        (outside / f"{n % 7}" / f"{n}.mov").write_bytes(b"in %d" % n)
    journal = Journal()
    async with watching(root, journal):
        for n in range(200):
            (root / f"r{n}" / "a" / "b").mkdir(parents=True)
            (root / f"r{n}" / "a" / "b" / "clip.mov").write_bytes(b"new %d" % n)
        outside.rename(root / "moved")
        await journal.until(lambda: len(journal.events) >= 300)
        (root / "moved" / "3" / "late.mov").write_bytes(b"late")
        await settle(journal, b"moved/3/late.mov")
    assert len(journal.settled()) == len(set(journal.settled())) == 301


async def test_tree_renamed_is_moves(tmp_path: Path) -> None:
    """A renamed folder is renames of its files, and its new name is listened to."""
    (tmp_path / "a" / "deep").mkdir(parents=True)
    for n in range(50):
        (tmp_path / "a" / "deep" / f"{n}.mov").write_bytes(b"%d" % n)
    journal = Journal()
    async with watching(tmp_path, journal, grace=PATIENT):
        await journal.until(lambda: len(journal.events) == 50)
        (tmp_path / "a").rename(tmp_path / "b")
        await journal.until(lambda: len(journal.events) == 100)
        (tmp_path / "b" / "deep" / "new.mov").write_bytes(b"new")
        await settle(journal, b"b/deep/new.mov")
    assert len(journal.of("media.renamed")) == 50
    assert len(journal.events) == 101
    assert all(path.startswith(b"b/") for path in journal.known())


async def test_root_goes_and_comes_back(tmp_path: Path) -> None:
    """A root that vanishes is offline: nothing is gone, nothing is done again when it is back."""
    root = tmp_path / "root"
    root.mkdir()
    for n in range(20):
        (root / f"{n}.mov").write_bytes(b"%d" % n)
    journal = Journal()
    async with watching(root, journal) as source:
        await journal.until(lambda: len(journal.events) == 20)
        root.rename(tmp_path / "elsewhere")
        await journal.until(lambda: len(journal.of("root.offline")) == 1)
        assert source.state == "offline"
        assert "offline" in source.explain(b"1.mov")
        (tmp_path / "elsewhere").rename(root)
        await journal.until(lambda: len(journal.of("root.online")) == 1)
        await after_everything(journal, root)
    assert journal.of("media.gone") == []
    assert len(journal.settled()) == 21


async def test_empty_mount_point_is_offline_from_the_start(tmp_path: Path) -> None:
    """A root that held files and is found empty at the start, as an unmounted disk is, is offline."""
    journal = Journal()
    (tmp_path / "a.mov").write_bytes(b"a")
    async with watching(tmp_path, journal):
        await settle(journal, b"a.mov")
    (tmp_path / "a.mov").rename(tmp_path.parent / "kept.mov")
    async with watching(tmp_path, journal, known=journal.known()) as source:
        await journal.until(lambda: len(journal.of("root.offline")) == 1)
        assert source.state == "offline"
        (tmp_path.parent / "kept.mov").rename(tmp_path / "a.mov")
        await journal.until(lambda: len(journal.of("root.online")) == 1)
        await after_everything(journal, tmp_path)
    assert [event.type for event in journal.events] == ["media.settled", "root.offline", "root.online", "media.settled"]


async def test_mass_loss_is_not_believed(tmp_path: Path) -> None:
    """More than a fifth of the files gone at once is a root in trouble: held, not gone; one file gone is gone."""
    root = tmp_path / "root"
    (root / "part").mkdir(parents=True)
    for n in range(40):
        (root / ("part" if 0 < n < 20 else "") / f"{n}.mov").write_bytes(b"%d" % n)
    journal = Journal()
    async with watching(root, journal) as source:
        await journal.until(lambda: len(journal.events) == 40)
        (root / "0.mov").unlink()
        await journal.until(lambda: len(journal.of("media.gone")) == 1)
        (root / "part").rename(tmp_path / "elsewhere")  # all of them in one moment
        await journal.until(lambda: len(journal.of("root.offline")) == 1)
        async with asyncio.timeout(60):
            while "19 of 39 files are missing" not in source.problem:
                await asyncio.sleep(0.01)  # a survey that was under way found fewer
        await after_everything(journal, root)
        assert source.state == "online"
        assert "many files at once" in source.explain(b"part/5.mov")
    assert len(journal.of("media.gone")) == 1


async def test_root_deleted_and_made_again(tmp_path: Path) -> None:
    """A root that is deleted and made again is listened to again."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.mov").write_bytes(b"a")
    journal = Journal()
    async with watching(root, journal):
        await settle(journal, b"a.mov")
        shutil.rmtree(root)
        root.mkdir()
        (root / "b.mov").write_bytes(b"b")
        await settle(journal, b"b.mov")
        (root / "c.mov").write_bytes(b"c")
        await settle(journal, b"c.mov")


async def test_restart_reads_nothing_again(tmp_path: Path) -> None:
    """What is known and unchanged is neither said nor read at the next start; what changed meanwhile is."""
    for n in range(10):
        (tmp_path / f"{n}.mov").write_bytes(b"%d" % n)
    first, second = Journal(), Journal()
    async with watching(tmp_path, first):
        await first.until(lambda: len(first.events) == 10)
    stat = (tmp_path / "3.mov").stat()
    (tmp_path / "3.mov").write_bytes(b"X")
    os.utime(tmp_path / "3.mov", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (tmp_path / "4.mov").rename(tmp_path / "four.mov")
    async with watching(tmp_path, second, known=first.known()):
        await second.until(lambda: len(second.events) == 2)
        await after_everything(second, tmp_path)
    assert second.settled()[0] == b"3.mov"
    assert [event.type for event in second.events].count("media.renamed") == 1
    assert len(second.events) == 3
    assert {path for path, _, _ in second.notes} <= {b"3.mov", b"four.mov", second.settled()[-1]}


async def test_ignored_and_own_files_are_never_said(tmp_path: Path) -> None:
    """Ignored files and Callboard's own output are not said; explain names the rule, and a changed rule file counts."""
    (tmp_path / ".callboardignore").write_text("rushes/\n*_proxy.*\n")
    journal = Journal()
    journal.written.add(os.fsencode(tmp_path / "made.mov"))
    (tmp_path / "rushes").mkdir()
    for name in ("rushes/r.mov", "a_proxy.mov", ".hidden.mov", "made.mov", "b.txt", "good.mov"):
        (tmp_path / name).write_bytes(name.encode())
    async with watching(tmp_path, journal) as source:
        await settle(journal, b"good.mov")
        for name in ("rushes/r2.mov", "c_proxy.mov", "~c.mov"):
            (tmp_path / name).write_bytes(name.encode())
        await after_everything(journal, tmp_path)
        assert (
            source.explain(b"rushes/r.mov") == "ignored by rule 'rushes/' of .callboardignore, for the folder 'rushes'"
        )
        assert source.explain(b"a_proxy.mov") == "ignored by rule '*_proxy.*' of .callboardignore"
        assert source.explain(b".hidden.mov") == "ignored by rule '.*' of the defaults"
        assert source.explain(b"made.mov") == "not looked at: Callboard wrote it"
        assert source.explain(b"b.txt") == "not looked at: '.txt' does not say media"
        assert source.explain(b"good.mov").startswith("settled: sha256:")
        assert len(journal.events) == 2
        (tmp_path / ".callboardignore").write_text("")
        await settle(journal, b"rushes/r.mov", b"rushes/r2.mov", b"a_proxy.mov", b"c_proxy.mov")


async def test_names_of_any_bytes(tmp_path: Path) -> None:
    """Any name is watched: newlines, bytes that are not UTF-8, both forms of an accent, emoji, dashes, 255 bytes."""
    names = [b"a\nb.mov", b"b\xff\xfe.mov", "🎬.mov".encode(), b"-rf.mov", b"'\"$x;.mov", b"\x1b[31m.mov", b"%41.mov"]
    names += ["Zoe\u0308.mov".encode(), "Zo\u00eb.mov".encode(), b"x" * 251 + b".mov", b" .mov", b"a b.MOV"]
    journal = Journal()
    async with watching(tmp_path, journal):
        for name in names:
            with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
                file.write(name)
        await settle(journal, *names)
    places = {event.seen.asset("r").place.path for event in journal.events if event.seen}
    assert len(places) == len(names)
    assert all("\n" not in place and "\x1b" not in place for place in places)


async def test_empty_file_waits(tmp_path: Path) -> None:
    """A file of no bytes waits until it has some."""
    journal = Journal()
    async with watching(tmp_path, journal) as source:
        (tmp_path / "a.mov").touch()
        await after_everything(journal, tmp_path)
        assert source.explain(b"a.mov") == "waiting: it has no bytes yet"
        (tmp_path / "a.mov").write_bytes(b"x")
        await settle(journal, b"a.mov")


async def test_queue_overflow_is_made_good(tmp_path: Path) -> None:
    """Events that the kernel dropped because its queue was full are found by a rescan."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    count, notes = 100, [tmp_path / "a.txt", tmp_path / "b.txt"]
    for note in notes:
        note.touch()
    journal = Journal()
    async with watching(tmp_path, journal) as source:
        assert source._listener is not None
        before = source.rescans
        with source._listener._lock:  # type: ignore[attr-defined]  # holds watchdog's reader, so that the queue fills
            for n in range(
                limit + 10_000
            ):  # the reader holds some; two in turn, as the kernel joins those that are alike
                notes[n % 2].chmod(0o600)
            for n in range(count):
                (tmp_path / f"{n}.mov").write_bytes(b"%d" % n)
        await journal.until(lambda: len(journal.events) >= count)
        assert source.rescans > before
    assert len(journal.settled()) == len(set(journal.settled())) == count
