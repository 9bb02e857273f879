"""What accept, reject, undo and replay share: through a running board, or directly when none runs."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from callboard.bus.memory import MemoryBus
from callboard.cli.inbox import waiting_ids
from callboard.cli.onward import carry_on
from callboard.cli.output import cell, console, count, print_json
from callboard.cli.project import ask_now, board_runs, catalog, here_or_default, me
from callboard.cli.reporting import show_jobs
from callboard.config import Project
from callboard.control import Order
from callboard.desk import Decided, Desk
from callboard.errors import UsageError


def decide(project: Project, verb: str, order: Order, alone: Callable[[Desk, sqlite3.Connection], Decided]) -> Decided:
    """Have the project's board do *verb*, or do it here when no board runs.

    Raises:
        UsageError: the project has no catalog yet, or the order names what is not there.
        BoardBusy: a one-shot run is at work in the project.
    """
    if board_runs(project):
        answer: Any = ask_now(project, verb, order)
        return msgspec.convert(answer, Decided)
    if not (project.data / "catalog.sqlite").exists():
        raise UsageError("nothing was processed here yet", "Begin with 'callboard run FILE' or 'callboard up'.")
    return asyncio.run(_here(project, verb, alone))


def decide_on(
    verb: Literal["accept", "reject"],
    ids: tuple[str, ...],
    *,
    everything: bool,
    reason: str,
    as_json: bool,
    tags: tuple[str, ...] = (),
    cues: tuple[str, ...] = (),
) -> int:
    """Do ``callboard accept`` or ``callboard reject`` and say what came of it.

    Raises:
        UsageError: no ids were given, or an id, a tag or a cue is not there.
    """
    project = here_or_default()
    if everything:
        with catalog(project) as opened:
            ids = opened.read(waiting_ids)
    elif not ids:
        raise UsageError("which proposals?", "Give ids, as 'callboard inbox' shows them, or --all.")
    order = Order(ids=ids, by=me(), reason=reason, tags=tags, cues=cues)

    def alone(desk: Desk, conn: sqlite3.Connection) -> Decided:
        return desk.decide_many(conn, ids, verb, order.by, reason, tags, cues)

    decided = decide(project, verb, order, alone) if ids else Decided("", ())
    further = carry_on(project, decided.run, quiet=as_json) if decided.changed else None
    if as_json:
        print_json(decided)
        return 0
    out, past = console(), "Accepted" if verb == "accept" else "Rejected"
    if not ids:
        out.print("Nothing waits for you.")
        return 0
    number = count(len(decided.changed), "proposal")
    parts = _parts(tags, cues)
    if parts and verb == "reject":
        out.print(f"Took {parts} out of {number}.")
    else:
        out.print(f"{past} {number}{f' without {parts}' if parts else ''}.")
    if len(decided.changed) < len(ids):
        out.print(f"{len(ids) - len(decided.changed)} had been {past.lower()} before.")
    if further is not None:
        show_jobs(further)
    if (verb == "accept" or parts) and decided.changed:
        out.print(f"[dim]Take it back with: callboard undo {decided.run}[/dim]")
    return 0


def _parts(tags: tuple[str, ...], cues: tuple[str, ...]) -> str:
    named = [repr(cell(word)) for word in tags]
    return ", ".join([*named, *([f"cue {cell(', '.join(cues))}"] if cues else [])])


async def _here(project: Project, verb: str, alone: Callable[[Desk, sqlite3.Connection], Decided]) -> Decided:
    from callboard.board import Board

    async with MemoryBus() as bus, Board(project, bus, command=verb) as board:
        decided = await board.catalog.write(lambda conn: alone(board.desk, conn))
        while await board.scribe.drain():
            pass
        return decided


__all__ = ["decide", "decide_on"]
