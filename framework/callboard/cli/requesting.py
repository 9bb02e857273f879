"""What the commands share that ask for placeholders: of the running board, else made here and now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from callboard_schemas import PlaceholderRequested

from callboard.asking_placeholders import Asking, ask_board
from callboard.cli.onward import stoppable
from callboard.cli.progress import Bars, Silent
from callboard.cli.project import board_runs, bus_of
from callboard.config import Project
from callboard.report import RunReport


def request(
    project: Project, asked: Sequence[PlaceholderRequested], *, quiet: bool = False, wait: bool = True
) -> RunReport:
    """Have placeholders made: by the project's running board, else here and now.

    Args:
        project: Whose placeholders they are.
        asked: What is missing; one report comes for each, its ``path`` being the shot's name.
        quiet: Draw no progress.
        wait: For a running board to be done; without one, the work is always waited for.

    Raises:
        BrokerError: the board cannot be reached.
        BoardBusy: another command is at work in the project.
    """
    if board_runs(project):
        return asyncio.run(_of_board(project, asked, wait=wait))
    with Silent() if quiet else Bars() as watcher:
        return asyncio.run(stoppable(Asking(project, asked, watcher=watcher), watcher))


async def _of_board(project: Project, asked: Sequence[PlaceholderRequested], *, wait: bool) -> RunReport:
    async with bus_of(project) as bus:
        return await ask_board(project, bus, asked, wait=wait)


__all__ = ["request"]
