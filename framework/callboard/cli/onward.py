"""Does, where no board runs, what an acceptance asks plugins for: a person waits for it on the command line."""

from __future__ import annotations

import asyncio
import contextlib
import signal

from callboard.catalog import jobs
from callboard.cli.progress import Bars, Silent
from callboard.cli.project import board_runs, catalog
from callboard.config import Project
from callboard.errors import Interrupted
from callboard.oneshot import OneShot
from callboard.report import RunReport


async def stoppable(shot: OneShot, watcher: Silent | Bars) -> RunReport:
    """Run until done; Ctrl-C and SIGTERM stop it, and what is done stays done."""
    task = asyncio.ensure_future(shot.execute())
    loop = asyncio.get_running_loop()
    caught: list[int] = []

    def stop(number: int) -> None:
        caught.append(number)
        watcher.stopping = True
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
            loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        raise Interrupted(caught[0] if caught else signal.SIGINT) from None


def carry_on(project: Project, run: str, *, quiet: bool) -> RunReport | None:
    """Do the jobs that a run left queued; ``None`` where it left none, or a board is there to do them."""
    if board_runs(project):
        return None
    with catalog(project) as opened:
        waiting = [row for row, _ in opened.read(lambda conn: jobs.of_run(conn, run)) if row.state == "queued"]
    if not waiting:
        return None
    with Silent() if quiet else Bars() as watcher:
        shot = OneShot(project, (), watcher=watcher, run=run)
        return asyncio.run(stoppable(shot, watcher))


__all__ = ["carry_on", "stoppable"]
