"""Asks for placeholders: the events for shots that are missing, done at once where no board runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

from callboard_schemas import Envelope, PlaceholderRequested, encode_path
from msgspec.structs import replace

from callboard import codec
from callboard.board import Board
from callboard.bus import INTAKE, Bus
from callboard.catalog import Catalog, jobs, journal, view
from callboard.config import Project
from callboard.oneshot import OneShot, Watcher
from callboard.report import RunReport, report
from callboard.runs import new_run
from callboard.sources.facts import Found

_TYPE = "placeholder.requested"
_LOOK = 0.25
"""Seconds between two looks at what became of it."""


class Asking(OneShot):
    """Has placeholders made here and now, and waits for them; what they are worth is for a person to say.

    Args:
        project: Settings and data folder.
        asked: What is missing.
        watcher: Hears of the course; a shot's name is its path.
    """

    def __init__(
        self, project: Project, asked: Sequence[PlaceholderRequested], *, watcher: Watcher | None = None
    ) -> None:
        super().__init__(project, [], plugins=(), acceptance="none", watcher=watcher)
        self._wanted = tuple(asked)

    async def _ask(self, board: Board) -> None:
        self._watcher.found(len(self._wanted))
        await board.catalog.write(lambda conn: jobs.start_run(conn, self.run, "placeholder"))
        for one in self._wanted:
            taken = await board.intake.take(event(one, self.run), one, trigger="placeholder")
            await board.catalog.write(lambda conn, keys=taken.jobs: self._adopt(board, conn, keys))  # type: ignore[misc]  # bound while the loop stands still
            found = _found(one)
            self._asked.append((found, None, taken.jobs, None))
            self._watcher.asked(encode_path(found.path), taken.jobs)
            board.wake()


def event(asked: PlaceholderRequested, run: str) -> Envelope:
    """Make the event that asks for one placeholder, as part of a run."""
    made = codec.make(_TYPE, asked, source="callboard:cli", subject=asked.shot)
    return replace(made, correlationid=run)


async def ask_board(
    project: Project, bus: Bus, asked: Sequence[PlaceholderRequested], *, wait: bool = True
) -> RunReport:
    """Ask a running board.

    Args:
        project: The board's.
        bus: Connected with the board's broker.
        asked: What is missing.
        wait: Until everything is made or has failed; else the report says what was asked for, and no more.

    Raises:
        BrokerError: the board cannot be reached.
    """
    run = new_run()
    events = [event(one, run) for one in asked]
    for made in events:
        await bus.publish(f"{INTAKE}.{_TYPE}", codec.encode(made), msg_id=made.id)
    with view(project.data) as catalog:
        while not _settled(catalog, run, len(events), wait=wait):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(_LOOK)
        keys = [_jobs_of(catalog, run, made) for made in events]
        return report(catalog, run, [(_found(one), None, mine, None) for one, mine in zip(asked, keys, strict=True)])


def _settled(catalog: Catalog, run: str, count: int, *, wait: bool) -> bool:
    taken = catalog.read(lambda conn: conn.execute("SELECT count(*) FROM events WHERE run = ?", (run,)).fetchone()[0])
    rows = catalog.read(lambda conn: jobs.of_run(conn, run))
    return taken >= count and not (wait and any(row.state in ("queued", "running") for row, _ in rows))


def _jobs_of(catalog: Catalog, run: str, made: Envelope) -> tuple[str, ...]:
    number = catalog.read(lambda conn: journal.number(conn, made.source, made.id))
    return tuple(row.key for row, _ in catalog.read(lambda conn: jobs.of_run(conn, run)) if row.event == number)


def _found(asked: PlaceholderRequested) -> Found:
    return Found(path=os.fsencode(asked.shot), kind="other")


__all__ = ["Asking", "ask_board", "event"]
