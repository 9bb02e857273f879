"""One-shot work: ``callboard run PATH…`` without a daemon or a broker, over the in-process bus and the same journal.

Interrupted work is resumed by the same command: what is done is found by its key and not done again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from callboard_schemas import Asset, Failure, MediaSettled, Progress, Request, decode_path, encode_path

from callboard import codec
from callboard.board import Board
from callboard.bus.memory import MemoryBus
from callboard.catalog import jobs, journal
from callboard.config import Project
from callboard.errors import Blocked, CallboardError, UsageError
from callboard.following import LOCAL_ROOT
from callboard.outputs import is_output
from callboard.policy import Acceptance
from callboard.report import Asked, RunReport, report
from callboard.runs import new_run
from callboard.sources.digest import identify, summary
from callboard.sources.facts import Found, Identity, Seen, Stat
from callboard.sources.kinds import extension, kind_of
from callboard.sources.oneshot import collect, printable

_UNSETTLED = ("queued", "running")


class Watcher:
    """Hears of a run's course; the command line draws it. Every method is optional to override."""

    def found(self, count: int) -> None:
        """So many files and sequences were found."""

    def hashing(self, path: str, fraction: float) -> None:
        """A file is being read to know it by its content."""

    def asked(self, path: str, keys: Sequence[str]) -> None:
        """A file's jobs are known; no keys when nothing answers it."""

    def more(self, path: str, keys: Sequence[str]) -> None:
        """What came of a file caused further jobs."""

    def progress(self, progress: Progress) -> None:
        """A job is so far."""

    def state(self, key: str, state: str) -> None:
        """A job is done, failed, blocked, or queued again."""


class OneShot:
    """Runs plugins on paths and waits for the results.

    Args:
        project: Settings and data folder.
        paths: Files and folders.
        plugins: Only these plugins; empty means every plugin that answers.
        acceptance: What is accepted without a person.
        out: Write sidecars there instead of beside the media.
        watcher: Hears of the course.
        run: Go on with this run; a new one when left out.
    """

    def __init__(
        self,
        project: Project,
        paths: Sequence[Path],
        *,
        plugins: Sequence[str] = (),
        acceptance: Acceptance = "policy",
        out: Path | None = None,
        watcher: Watcher | None = None,
        run: str = "",
    ) -> None:
        self._project, self._paths, self._only = project, paths, tuple(plugins)
        self._acceptance: Acceptance = acceptance
        self._out = out
        self._watcher = watcher or Watcher()
        self.run = run or new_run()
        self._states: dict[str, str] = {}
        self._keys: set[str] = set()  # of all jobs of the run that were noticed
        self._places, self._noted = dict[str, int](), 0
        self._changed = asyncio.Event()
        self.board: Board | None = None
        """The board at work, once there is one."""
        self._asked: list[Asked] = []
        self._passed_over: list[tuple[bytes, str]] = []

    async def execute(self) -> RunReport:
        """Do the work.

        Raises:
            UsageError: a plugin is unknown, or no path was given.
            BoardBusy: a daemon owns the project.
        """
        async with (
            MemoryBus() as bus,
            Board(
                self._project,
                bus,
                command=f"run {self.run}",
                acceptance=self._acceptance,
                on_progress=self._watcher.progress,
                on_state=self._note_state,
                run=self.run,
                out=self._out,
                bases=tuple(_base(path) for path in self._paths),
                only=self._only,
            ) as board,
        ):
            self.board = board
            self._check_plugins(board)
            board.start()
            try:
                await self._work(board)
            except BaseException:
                with contextlib.suppress(Blocked):  # a full disk is what ended it, and says so itself
                    board.catalog.write_sync(lambda conn: jobs.end_run(conn, self.run, "interrupted"))
                raise
            await board.catalog.write(lambda conn: jobs.end_run(conn, self.run, "done"))
            return report(board.catalog, self.run, self._asked, self._passed_over)

    async def _work(self, board: Board) -> None:
        """Ask for everything and wait for it; fail as soon as the board cannot go on."""

        async def work() -> None:
            await self._ask(board)
            await self._finish(board)

        task = asyncio.create_task(work())
        try:
            await asyncio.wait([task, board.broken], return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                board.broken.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        task.result()

    def _check_plugins(self, board: Board) -> None:
        known = {found.id: found for found in board.plugins}
        for name in self._only:
            if name not in known:
                raise UsageError(f"no plugin {name!r}", "'callboard plugins list' shows those installed.")
            if known[name].error:
                raise UsageError(
                    f"plugin {name!r} cannot be used: {known[name].error}", f"See 'callboard plugins check {name}'."
                )

    def _note_state(self, key: str, state: str) -> None:
        self._states[key] = state
        self._watcher.state(key, state)
        self._changed.set()

    async def _ask(self, board: Board) -> None:
        """Identify each file and journal it; jobs start while later files are still being read."""
        found = await asyncio.to_thread(self._collect, board)
        self._watcher.found(len(found))
        await board.catalog.write(lambda conn: jobs.start_run(conn, self.run, "run"))
        for one in found:
            if one.failure is not None:
                self._asked.append((one, None, (), one.failure))
                continue
            try:
                await self._ask_one(board, one)
            except (CallboardError, OSError) as error:
                self._asked.append((one, None, (), _failure(one.path, error)))

    def _collect(self, board: Board) -> list[Found]:
        """Find what the paths name."""
        return collect(self._paths, ignored=self._pass_over, subtitles=self._subtitles(board))

    def _subtitles(self, board: Board) -> Callable[[bytes], bool]:
        """Say which subtitle files are worked on: those that a person wrote, where a plugin answers them."""
        wanted = board.router.wants("subtitles")
        return lambda path: wanted and not board.catalog.read(lambda conn: is_output(conn, board.following, path))

    def _pass_over(self, path: bytes, why: str) -> None:
        name = os.path.basename(path)
        link_to_folder = not extension(name) and stat.S_ISLNK(os.lstat(path).st_mode)
        media = kind_of(name) not in (None, "subtitles")  # sidecars beside media are nothing to speak of
        if (media and not name.startswith(b"._")) or link_to_folder:  # macOS puts a ._ file beside every clip
            self._passed_over.append((path, why))

    async def _ask_one(self, board: Board, found: Found) -> None:
        root, relative = _rooted(board, found.path)
        known = board.catalog.read(lambda conn: journal.place(conn, root, relative))
        shown = encode_path(found.path)
        identity = await asyncio.to_thread(
            _identity, found, known, lambda done, size: self._watcher.hashing(shown, done / max(size, 1))
        )
        seen = Seen(
            path=relative, kind=found.kind, digest=identity.digest, sequence=found.sequence, **identity.stat._asdict()
        )
        asset = seen.asset(root)
        kind, data = self._event(asset)
        envelope = codec.make(kind, data, source="callboard:run", subject=asset.place.path)
        envelope = msgspec.structs.replace(envelope, correlationid=self.run)
        taken = await board.intake.take(envelope, data, root=root, seen=seen, trigger="run")
        await board.catalog.write(lambda conn: self._adopt(board, conn, taken.jobs))
        self._asked.append((found, asset, taken.jobs, None))
        self._watcher.asked(shown, taken.jobs)
        board.wake()

    def _event(self, asset: Asset) -> tuple[str, MediaSettled | Request]:
        """Say what is asked of a file: its type and its data."""
        return "media.settled", MediaSettled(asset=asset, reason="requested", plugins=self._only)

    def _follow(self, board: Board) -> None:
        """Take notice of the jobs that acceptances of this run caused."""
        for at in range(self._noted, len(self._asked)):
            _, asset, keys, _ = self._asked[at]
            self._keys.update(keys)
            if asset is not None:
                self._places.setdefault(asset.digest, at)
        self._noted = len(self._asked)
        for row in board.catalog.read(lambda conn: jobs.others_of_run(conn, self.run, self._keys)):
            self._keys.add(row.key)
            self._states[row.key] = row.state
            place = self._places.get(row.digest)
            if place is not None:
                found, asset, keys, failure = self._asked[place]
                self._asked[place] = (found, asset, (*keys, row.key), failure)
                self._watcher.more(encode_path(found.path), (row.key,))
            elif (asset := row.subject) is not None:
                path = board.following.media(asset.place.root, decode_path(asset.place.path)) or b"?"
                self._places[row.digest] = len(self._asked)
                self._asked.append((Found(path=path, kind=asset.kind), asset, (row.key,), None))

    def _adopt(self, board: Board, conn: sqlite3.Connection, keys: Sequence[str]) -> None:
        """Note where each job stands, and apply this run's acceptance to what was done before."""
        for key in keys:
            row = jobs.get(conn, key)
            if row is None:
                continue
            self._states.setdefault(key, row.state)
            if row.state == "done":
                board.desk.accept_cached(conn, row, self.run, self._acceptance)

    async def _finish(self, board: Board) -> None:
        """Wait until every job of the run is settled, its sidecars are written and its messages are out."""
        while True:
            self._changed.clear()
            self._follow(board)
            if not any(state in _UNSETTLED for state in self._states.values()):
                break
            await self._changed.wait()
        while await board.scribe.drain():
            pass
        await board.postman.drained()


def _base(path: Path) -> bytes:
    """Give the folder that a path on the command line is in, or the folder that it is."""
    absolute = os.path.abspath(os.fsencode(path))
    return absolute if os.path.isdir(absolute) else os.path.dirname(absolute)


def _rooted(board: Board, path: bytes) -> tuple[str, bytes]:
    """Say which root a path is in, the innermost one, and its path inside that root."""
    best = LOCAL_ROOT
    for name, folder in board.following.roots.items():
        inside = path.startswith(folder.rstrip(b"/") + b"/")
        if inside and len(folder) > len(board.following.roots[best]):
            best = name
    return best, path[len(board.following.roots[best].rstrip(b"/")) + 1 :]


def _identity(found: Found, known: Seen | None, progress: Callable[[int, int], None]) -> Identity:
    """Take the digest from the catalog while the stat is the one it was read with; else read the file."""
    if known is not None and known.sequence == found.sequence:
        folder = os.path.dirname(found.path)
        paths = [os.path.join(folder, frame) for frame in found.frames] or [found.path]
        stats = [Stat.of(os.stat(path)) for path in paths]
        now = summary(stats) if found.sequence else stats[0]
        if now == known.stat:
            return Identity(digest=known.digest, stat=now)
    return identify(found, progress=progress)


def _failure(path: bytes, error: CallboardError | OSError) -> Failure:
    if isinstance(error, CallboardError):
        cause: Literal["environment", "deterministic"] = (
            "environment" if isinstance(error, Blocked) else "deterministic"
        )
        return Failure(code=error.code, message=error.message, cause=cause, hint=error.hint)
    message = f"{printable(path)}: cannot be read: {error.strerror or error}"
    return Failure(code="unreadable", message=message, cause="environment", hint="Check the disk and its permissions.")
