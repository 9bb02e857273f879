"""The daemon behind ``callboard up``: watch folders and the bus in, plugins, sidecars and the bus out."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec
from callboard_schemas import Progress
from msgspec import Struct

from callboard import codec
from callboard.board import Board, roots_of
from callboard.bus import CHATTER, INTAKE, Bus
from callboard.catalog import jobs, journal
from callboard.config import Project, Watch
from callboard.control import Control
from callboard.following import LOCAL_ROOT
from callboard.glossary import MODEL as GLOSSARY
from callboard.governor import Governing, Governor, Mode
from callboard.hosting.mapping import inside
from callboard.hosting.service import Hosting
from callboard.outputs import is_output
from callboard.own_files import MODELS as FILES
from callboard.packs import packs_of, status
from callboard.runs import new_run
from callboard.sources import Seen, SourceEvent, WatchSource
from callboard.vocabulary import MODEL as VOCABULARY

log = logging.getLogger(__name__)

_CHATTER_EVERY = 0.5
"""Seconds between two progress messages of one job."""
_CONDITIONS_EVERY = 2.0
"""Seconds between looks at what blocked jobs wait for."""
_REST = 60.0
"""Seconds after which any blocked job is tried again."""


class RootView(Struct, frozen=True):
    """How a watched root stands."""

    name: str
    folder: str
    mode: str
    state: str


class Daemon:
    """Serves one project until cancelled.

    Args:
        project: Settings and folders.
        bus: Connected, or trying to be.
        on_progress: Hears how far each job is.
        on_state: Hears of each job's new state.
        on_way: Hears when the models make way, and for what; and when they are back, with an empty mode.
    """

    def __init__(
        self,
        project: Project,
        bus: Bus,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        on_state: Callable[[str, str], None] | None = None,
        on_way: Callable[[Mode, str], None] | None = None,
    ) -> None:
        self.project, self.bus = project, bus
        self._heard: dict[str, float] = {}
        self._on_progress, self._on_way = on_progress, on_way
        self.board = Board(project, bus, command="up", on_progress=self._progress, on_state=on_state)
        self.governing = Governing(Governor(project.settings.runtime), self._make_way)
        self.sources: dict[str, WatchSource] = {}
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()

    async def serve(self) -> None:
        """Work until ``stopping`` is set or the task is cancelled; then finish within ten seconds.

        Raises:
            BoardBusy: another process owns the project.
            CatalogError: the catalog cannot be opened.
        """
        async with self.board as board:
            await board.intake.replay_parked()
            await board.catalog.write(jobs.wake)
            board.start()
            for watch in self.project.settings.watch:
                self.sources[watch.name] = self._source(watch)
                board.spawn(partial(self._watch, watch), f"watch {watch.name}")
            board.spawn(self._conditions, "conditions")
            board.spawn(board.arrivals.run, "arrivals")
            board.catalog.read(self.governing.remember)
            board.intake.heard = self.governing.heard
            board.spawn(self.governing.run, "governor")
            stop_presence = await self.bus.listen(f"{CHATTER}.host.presence", self.governing.presence)
            leave = await self.bus.consume(f"{INTAKE}.>", board.intake.receive, durable="board", window=64)
            self.hosting = Hosting(board)
            board.on_wake = self.hosting.wake
            stop_hosting = await self.hosting.serve(self.bus)
            control = Control(self)
            stop_control = await control.serve(self.bus)
            for source in self.sources.values():
                await source.ready.wait()
            self.ready.set()
            try:
                await self.stopping.wait()
            finally:
                await leave()
                await stop_control()
                await stop_hosting()
                await stop_presence()

    async def _make_way(self, mode: Mode, reason: str) -> None:
        await self.board.make_way(mode, reason)
        if self._on_way is not None:
            self._on_way(mode, reason)

    async def _watch(self, watch: Watch) -> None:
        """Watch one folder; after a failure anew, from what the catalog knows."""
        try:
            await self.sources[watch.name].run()
        except Exception:
            self.sources[watch.name] = self._source(watch)
            raise

    def _source(self, watch: Watch) -> WatchSource:
        folder = Path(os.path.abspath(self.project.folder / watch.path))
        known = self.board.catalog.read(lambda conn: journal.known(conn, watch.name))
        subtitles = self.board.router.wants("subtitles")
        known = {path: seen for path, seen in known.items() if subtitles or seen.kind != "subtitles"}
        return WatchSource(
            watch,
            folder,
            emit=lambda event: self._emit(watch.name, event),
            note=lambda path, state, detail: self._note(watch.name, path, state, detail),
            known=known,
            ours=self._ours,
            refresh=lambda seen: self._refresh(watch.name, seen),
            subtitles=subtitles,
        )

    async def _emit(self, root: str, event: SourceEvent) -> None:
        subject = event.seen.asset(root).place.path if event.seen else root
        envelope = codec.make(event.type, event.data, source=f"callboard:watch/{root}", subject=subject)
        envelope = msgspec.structs.replace(envelope, correlationid=new_run())
        await self.board.intake.take(envelope, event.data, root=root, seen=event.seen)

    def _note(self, root: str, path: bytes, state: str, detail: str) -> None:
        now = time.time()
        self.board.catalog.submit(lambda conn: journal.note(conn, root, path, state, detail, now))

    def _refresh(self, root: str, seen: Seen) -> None:
        self.board.catalog.submit(lambda conn: journal.put_place(conn, root, seen))

    def _ours(self, path: bytes) -> bool:
        return self.board.catalog.read(lambda conn: is_output(conn, self.board.following, path))

    def _progress(self, progress: Progress) -> None:
        if self._on_progress is not None:
            self._on_progress(progress)
        now = time.monotonic()
        if progress.fraction < 1.0 and now - self._heard.get(progress.key, 0.0) < _CHATTER_EVERY:
            return
        self._heard[progress.key] = now
        if progress.fraction >= 1.0:
            self._heard.pop(progress.key, None)
        body = codec.encode(codec.make("job.progress", progress, source="callboard:board", subject=progress.key))
        self.board.spawn_once(self.bus.post(f"{CHATTER}.job.progress", body))

    async def _conditions(self) -> None:
        """Wake what waits for the surroundings, once they have changed; anything is tried again after a rest."""
        rested = time.monotonic()
        while True:
            await asyncio.sleep(_CONDITIONS_EVERY)
            waiting = self.board.catalog.read(jobs.blocked)
            if not waiting:
                continue
            rest_over = time.monotonic() - rested > _REST
            rested = time.monotonic() if rest_over else rested
            keys = [row.key for row in waiting] if rest_over else await asyncio.to_thread(self._mended, waiting)
            await self.board.catalog.write(partial(jobs.unblock, keys=keys))
            self.board.wake()

    def _mended(self, waiting: Sequence[jobs.Row]) -> list[str]:
        """Say which jobs could go on: their media is back, or their models are whole again."""
        packs = packs_of(self.project.settings.runtime)

        def ready(row: jobs.Row) -> bool:
            code = row.why.code if row.why else ""
            if code == "media-away":
                return self.board.whereabouts.locate(row) is not None
            names = msgspec.json.decode(row.models, type=dict[str, str]).keys() - {VOCABULARY, GLOSSARY, *FILES}
            return code == "model-missing" and all(n in packs and status(packs[n]).state == "ready" for n in names)

        return [row.key for row in waiting if ready(row)]

    def roots(self) -> list[RootView]:
        """Say how each watched root stands."""
        return [
            RootView(watch.name, str(self.project.folder / watch.path), watch.mode, self.sources[watch.name].state)
            for watch in self.project.settings.watch
            if watch.name in self.sources
        ]

    def explain(self, root: str, path: bytes) -> str:
        """Say what a watch source makes of a path right now."""
        source = self.sources.get(root)
        return source.explain(path) if source is not None else ""


def watched_root(project: Project, path: bytes) -> tuple[str, bytes] | None:
    """Say in which watched root a path is: the root's name, and the path inside it."""
    roots = roots_of(project)
    del roots[LOCAL_ROOT]
    found = inside(roots, path)
    return found if found.root else None
