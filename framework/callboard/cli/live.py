"""A board that is up: broker, bus, daemon and feed, started in order and stopped in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator

import msgspec
from rich.console import Console

from callboard.board import watched_folders
from callboard.bus.nats import PATIENCE, NatsBus
from callboard.bus.server import EmbeddedServer
from callboard.cli.feed import Feed
from callboard.cli.project import GIVEN_BROKER
from callboard.config import Broker, Project
from callboard.daemon import Daemon
from callboard.errors import BoardBusy
from callboard.lock import Owner, held

_OWN = 30.0
"""Seconds that the connection to a broker may take which was started here: on a busy machine it comes late."""


@contextlib.asynccontextmanager
async def live(project: Project, out: Console) -> AsyncIterator[tuple[Daemon, asyncio.Task[None]]]:
    """Give a daemon that is ready, and the task that ends when it stops or fails.

    Raises:
        CallboardError: the broker cannot start, the project is taken, or the catalog cannot be opened.
    """
    async with contextlib.AsyncExitStack() as stack:
        _claim(project, stack)
        broker, on_wedged, patience = project.settings.broker, None, PATIENCE
        if broker.url:
            stack.enter_context(_told(project, broker))
        else:
            server = await stack.enter_async_context(EmbeddedServer(project.data, watched_folders(project)))
            broker, on_wedged, patience = server.broker("board"), server.restart, _OWN
        bus = NatsBus(broker, role="board", on_wedged=on_wedged)
        stack.push_async_callback(bus.close)
        await bus.connect(patience)
        feed = Feed(out)
        daemon = Daemon(project, bus, on_progress=feed.progress, on_state=feed.state, on_way=feed.way)
        feed.daemon = daemon
        serving = asyncio.create_task(daemon.serve(), name="daemon")
        ready = asyncio.create_task(daemon.ready.wait(), name="ready")
        try:
            await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
            with feed:
                yield daemon, serving
        finally:
            ready.cancel()
            daemon.stopping.set()
            await asyncio.wait([serving])
            if not serving.cancelled() and serving.exception() is not None:
                serving.result()


def _claim(project: Project, stack: contextlib.AsyncExitStack) -> None:
    """Take the broker's folder before anything in it is touched: a second board must not end the first one's broker.

    Raises:
        BoardBusy: another process is at work in the project.
    """
    owner = held(project.data) if project.data.is_dir() else ""
    if owner:
        raise BoardBusy(str(project.data), owner)
    stack.enter_context(Owner(project.data / "nats", "up"))


@contextlib.contextmanager
def _told(project: Project, broker: Broker) -> Iterator[None]:
    """Let other commands and hosts find a broker that is not ours; no secret is written, but paths."""
    path, board = project.data / GIVEN_BROKER, project.data / "nats" / "board.json"
    found = {"url": broker.url, "pid": os.getpid(), "roots": watched_folders(project)}
    for file, told in ((path, msgspec.json.encode(broker)), (board, msgspec.json.encode(found))):
        file.write_bytes(told)
        file.chmod(0o600)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        board.unlink(missing_ok=True)


__all__ = ["live"]
