"""The board owns everything of one project and starts and stops it in order.

``Board`` holds the parts that every way of working shares; ``daemon.py`` and ``oneshot.py`` drive it. It
imports no plugin, decoder or model engine: those live in processes that may die.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self

from callboard_schemas import JobDone, Progress

from callboard import filesystems, glossary, shm, vocabulary
from callboard.bus import Bus
from callboard.bus.memory import MemoryBus
from callboard.catalog import Catalog
from callboard.catalog.jobs import Row
from callboard.config import Project
from callboard.desk import Desk
from callboard.discovery import Found, discover
from callboard.dispatcher import Dispatcher
from callboard.errors import CallboardError, CatalogError
from callboard.following import LOCAL_ROOT, Following
from callboard.governor import Mode
from callboard.hosting.deliveries import Deliveries
from callboard.hosting.mapping import Roots
from callboard.hosting.reception import Reception
from callboard.intake import Intake
from callboard.lock import Owner
from callboard.onward import Onward
from callboard.packs import packs_of
from callboard.packs.store import store_folder
from callboard.policy import Acceptance
from callboard.postman import Postman
from callboard.router import Router
from callboard.runtime.supervise import RuntimeSupervisor
from callboard.scribe import Scribe
from callboard.sending import sent
from callboard.shots.arrivals import Arrivals
from callboard.shots.swaps import Swaps
from callboard.whereabouts import Whereabouts
from callboard.worker import PluginPool

log = logging.getLogger(__name__)

_STOP = 10.0
"""Seconds in which everything is let go of."""
_PATIENCE = 2.0
"""Seconds before a part that failed goes on."""


def roots_of(project: Project) -> dict[str, bytes]:
    """Give the absolute folder of each root, as bytes."""
    roots = {LOCAL_ROOT: os.fsencode(Path("/").absolute())}
    for watch in project.settings.watch:
        roots[watch.name] = os.path.abspath(os.fsencode(project.folder / watch.path))
    return roots


def watched_folders(project: Project) -> list[str]:
    """Give the only folders in which a host may touch files: each watched root's, and that of the placeholders."""
    watched = [os.fsdecode(folder) for name, folder in roots_of(project).items() if name != LOCAL_ROOT]
    return [*watched, str(project.placeholders)]


def require_local(data: Path) -> None:
    """Refuse a data folder that is not on a local disk.

    Raises:
        CatalogError: it is on a network or user-space file system.
    """
    kind = filesystems.kind_of(data)
    if filesystems.is_remote(kind):
        raise CatalogError(
            f"{data} is on a {kind} file system, which does not keep what is synced to it",
            'Put the catalog on a local disk: data = "/local/folder" in callboard.toml. Media may stay.',
        )


class Board:
    """Everything of one project, open while its context is.

    Args:
        project: Settings and folders.
        bus: A connection to the bus; the board uses it and does not close it.
        command: What the user started, told to others who find the folder taken.
        acceptance: What is accepted without a person.
        on_progress: Hears how far each job is.
        on_state: Hears of each job's key and new state after its commit.
        run: Only this run's jobs; somebody waits for them.
        out: Where sidecars go instead of where the settings say.
        bases: Folders whose inside *out* mirrors.
        only: Only these plugins answer what an acceptance causes; empty means every one that answers.
    """

    def __init__(
        self,
        project: Project,
        bus: Bus,
        *,
        command: str,
        acceptance: Acceptance = "policy",
        on_progress: Callable[[Progress], None] | None = None,
        on_state: Callable[[str, str], None] | None = None,
        run: str = "",
        out: Path | None = None,
        bases: tuple[bytes, ...] = (),
        only: tuple[str, ...] = (),
    ) -> None:
        self.project, self.bus = project, bus
        self.acceptance: Acceptance = acceptance
        self.following = Following(roots_of(project), os.path.abspath(os.fsencode(out)) if out else b"")
        self._command, self._run, self._bases, self._only = command, run, bases, only
        self._on_progress = on_progress
        self._on_state = on_state
        self.on_wake: Callable[[], None] = lambda: None
        """Called after each commit that may have made work."""
        self._stack = contextlib.AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._errands: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        stack = self._stack
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails when a run that somebody waits for cannot go on."""
        stack.callback(self.broken.cancel)
        try:
            await self._open(stack)
        except BaseException:
            await stack.aclose()
            raise
        return self

    async def _open(self, stack: contextlib.AsyncExitStack) -> None:
        project, settings = self.project, self.project.settings
        require_local(project.data)
        stack.enter_context(Owner(project.data, self._command))
        self.catalog = stack.enter_context(Catalog(project.data))
        self.vocabulary = vocabulary.Shelf(project.vocabulary, project.data / vocabulary.FOLDER)
        self.glossary = glossary.Shelf(project.glossary, project.data / glossary.FOLDER)
        if self._run:  # a person waits: better no tags than tags in yesterday's words
            self.vocabulary.require()
            self.glossary.require()
        self.plugins: list[Found] = discover(settings.allow_plugins)
        packs = packs_of(settings.runtime)
        shared = shm.make_folder()
        stack.callback(shutil.rmtree, shared, ignore_errors=True)
        run_folder = project.data / "run"
        run_folder.mkdir(mode=0o700, exist_ok=True)
        self.runtime = await stack.enter_async_context(RuntimeSupervisor(run_folder, shared, settings.runtime))
        # One more than there are cores: a job waits for disks and other processes a quarter of its time.
        self.workers = settings.workers or (os.cpu_count() or 1) + 1
        for manifest, places in sent(self.plugins, settings):
            log.warning(
                "%s sends what it works on to %s: it leaves Callboard, and this machine unless that is on it",
                manifest.id,
                ", ".join(places),
            )
        self.pool = await stack.enter_async_context(
            PluginPool(
                self.plugins,
                run_folder=run_folder,
                runtime_address=self.runtime.address,
                shm_folder=shared,
                workers=self.workers,
                on_progress=self._on_progress,
                store=store_folder(settings.runtime.store).absolute(),
                packs=Path(settings.runtime.models) if settings.runtime.models else None,
                output=project.placeholders,
                roots={name: path for name, path in self.following.roots.items() if name != LOCAL_ROOT},
                project=project.folder.absolute(),
            )
        )
        self._wire(packs)
        stack.push_async_callback(self._stop_tasks)

    def _wire(self, packs: Any) -> None:
        settings = self.project.settings
        digests = self.vocabulary.digest, self.glossary.digest
        self.router = Router(self.plugins, settings, packs, *digests, folder=self.project.folder)
        onward = Onward(self.router.route, self._only)
        self.host_roots = Roots(self.following.roots, self.project.placeholders)
        self.deliveries = Deliveries(settings.hosts, settings.sidecars, self.host_roots, self.project.folder)
        self.desk = Desk(
            self.following, settings.policy, self.plugins, self.vocabulary.current, onward, self.deliveries.decided
        )
        self.postman = Postman(self.catalog, self.bus, lasting=not isinstance(self.bus, MemoryBus))
        self.scribe = Scribe(self.catalog, settings.sidecars, committed=self._written, bases=self._bases)
        self.whereabouts = Whereabouts(self.catalog, self.following)
        self.dispatcher = Dispatcher(
            self.catalog,
            self.pool,
            self.following,
            self.whereabouts,
            self._accept,
            compiled={vocabulary.MODEL: self.vocabulary.path, glossary.MODEL: self.glossary.path},
            workers=self.workers,
            run=self._run,
            ensure=self.runtime.ensure,
            committed=self._committed,
            broke=self._break,
        )
        swaps = Swaps(settings.policy, self.acceptance, self.desk.decide, handles=settings.shots.handles)
        kept, route, on = (self.catalog, self.following), self.router.route, settings.hosts.relink
        self.arrivals = Arrivals(*kept, settings.shots, swaps, route, enabled=on, woken=self.wake)
        reception = Reception(self.deliveries, self.desk.hear, self.arrivals.settled)
        self.intake = Intake(self.catalog, self.router, self.following, self.wake, self.desk.hear, reception)

    async def make_way(self, mode: Mode, reason: str) -> None:
        """Have the models and the jobs make way for an application, or come back."""
        log.info("the models make way: %s", reason) if mode else log.info("the models are back")
        self.pool.hold(mode == "pause")
        self.dispatcher.hold(reason if mode == "pause" else "")
        await self.runtime.busy(mode, reason)

    def _accept(self, conn: sqlite3.Connection, row: Row, done: JobDone) -> list[str]:
        return self.desk.accept_done(conn, row, done, self.acceptance)

    def _written(self) -> None:
        self.postman.wake()
        self.on_wake()

    def _committed(self, key: str, state: str) -> None:
        self.scribe.wake()
        self.postman.wake()
        self.arrivals.wake()
        self.on_wake()
        if self._on_state is not None:
            self._on_state(key, state)

    def wake(self) -> None:
        """Say that something was committed: jobs, sidecars or messages may wait."""
        self.dispatcher.wake()
        self.scribe.wake()
        self.postman.wake()
        self.arrivals.wake()
        self.on_wake()

    def start(self) -> None:
        """Start to dispatch, write sidecars and send messages."""
        self.spawn(self.dispatcher.run, "dispatcher")
        self.spawn(self.scribe.run, "scribe")
        self.spawn(self.postman.run, "postman")

    def spawn(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Keep *work* going until the board stops: a part that fails, on a full disk say, goes on a little later.

        Where somebody waits for one run it fails instead: see ``broken``.
        """
        self._tasks.append(asyncio.create_task(self._keep(work, name), name=name))

    async def _keep(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        while True:
            try:
                await work()
                return
            except Exception as error:
                if self._run:
                    self._break(error)
                    return
                if isinstance(error, CallboardError):
                    log.error("%s waits: %s", name, error)  # noqa: TRY400 - the message says it all
                else:
                    log.exception("%s failed; it goes on in %g s", name, _PATIENCE)
            await asyncio.sleep(_PATIENCE)

    def _break(self, error: Exception) -> None:
        if not self._run:
            log.error("a job could not be settled", exc_info=error)
        elif not self.broken.done():
            self.broken.set_exception(error)

    def spawn_once(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something short that nobody waits for."""
        task = asyncio.create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _stop_tasks(self) -> None:
        for task in reversed(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP)

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
