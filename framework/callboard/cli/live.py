"""A board that is up: broker, bus, daemon and feed, started in order and stopped in reverse."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from rich.console import Console

from callboard.bus.nats import NatsBus
from callboard.bus.server import EmbeddedServer
from callboard.cli.feed import Feed
from callboard.config import Project
from callboard.daemon import Daemon


@contextlib.asynccontextmanager
async def live(project: Project, out: Console) -> AsyncIterator[tuple[Daemon, asyncio.Task[None]]]:
    """Give a daemon that is ready, and the task that ends when it stops or fails.

    Raises:
        CallboardError: the broker cannot start, the project is taken, or the catalog cannot be opened.
    """
    async with contextlib.AsyncExitStack() as stack:
        broker = project.settings.broker
        if not broker.url:
            server = await stack.enter_async_context(EmbeddedServer(project.data))
            broker = server.broker("board")
        bus = await stack.enter_async_context(NatsBus(broker, role="board"))
        feed = Feed(out)
        daemon = Daemon(project, bus, on_progress=feed.progress, on_state=feed.state)
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
                raise serving.exception() from None  # type: ignore[misc]


__all__ = ["live"]
