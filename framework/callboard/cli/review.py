"""What accept, reject, undo and replay share: through a running board, or directly when none runs."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec

from callboard.bus.memory import MemoryBus
from callboard.cli.project import ask_now, running
from callboard.config import Project
from callboard.control import Order
from callboard.desk import Decided, Desk
from callboard.errors import UsageError


def decide(project: Project, verb: str, order: Order, alone: Callable[[Desk, sqlite3.Connection], Decided]) -> Decided:
    """Have the project's board do *verb*, or do it here when no board runs.

    Raises:
        UsageError: the project has no catalog yet, or the order names what is not there.
    """
    if running(project):
        answer: Any = ask_now(project, verb, order)
        return msgspec.convert(answer, Decided)
    if not (project.data / "catalog.sqlite").exists():
        raise UsageError("nothing was processed here yet", "Begin with 'callboard run FILE' or 'callboard up'.")
    return asyncio.run(_here(project, verb, alone))


async def _here(project: Project, verb: str, alone: Callable[[Desk, sqlite3.Connection], Decided]) -> Decided:
    from callboard.board import Board

    async with MemoryBus() as bus, Board(project, bus, command=verb) as board:
        decided = await board.catalog.write(lambda conn: alone(board.desk, conn))
        while await board.scribe.drain():
            pass
        return decided


__all__ = ["decide"]
