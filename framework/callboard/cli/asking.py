"""Asks a running board for translations over the bus, and waits until they are there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from callboard_schemas import Asset

from callboard import codec
from callboard.bus import INTAKE
from callboard.catalog import jobs, journal, proposals
from callboard.cli.project import ask, bus_of, catalog, me
from callboard.config import Project
from callboard.control import Order
from callboard.daemon import watched_root
from callboard.desk import Decided
from callboard.errors import MessageRefused, UsageError
from callboard.localizing import Wanted, nothing_accepted
from callboard.onward import filled
from callboard.report import Asked, RunReport, report
from callboard.runs import new_run
from callboard.sources import collect
from callboard.sources.facts import Found

_LOOK = 0.25
"""Seconds between two looks at what became of it."""


async def ask_board(project: Project, paths: Sequence[Path], wanted: Wanted, *, yes: bool) -> RunReport:
    """Ask for translations of files that the board knows.

    Raises:
        UsageError: a file is in no watched folder, is not known to the board, or nothing of it was accepted.
        BrokerError: the board cannot be reached.
    """
    run = new_run()
    known = [(found, _known(project, found, wanted)) for found in collect(paths, subtitles=lambda _path: True)]
    async with bus_of(project) as bus:
        for _, asset in known:
            subject = asset.place.path[:4096]
            made = codec.make("translation.requested", wanted.request(asset), source="callboard:cli", subject=subject)
            made = msgspec.structs.replace(made, correlationid=run)
            await bus.publish(f"{INTAKE}.translation.requested", codec.encode(made), msg_id=made.id)
    asked = await _settled(project, run, known)
    shown = run
    if yes and (ids := _proposed(project, asked)):
        decided = msgspec.convert(await ask(project, "accept", Order(ids=ids, by=me())), Decided)
        shown = decided.run  # what an undo takes back
    with catalog(project) as opened:
        return msgspec.structs.replace(report(opened, run, asked), run=shown)


def _known(project: Project, found: Found, wanted: Wanted) -> Asset:
    """Say as which asset the board knows a file, and that there is something to translate."""
    if found.failure is not None:
        raise UsageError(found.failure.message, found.failure.hint)
    name, place = os.fsdecode(found.path), watched_root(project, found.path)
    if place is None:
        raise UsageError(f"{name} is in no folder that the board watches", "Copy it into one, or stop the board.")
    with catalog(project) as opened:
        seen = opened.read(lambda conn: journal.place(conn, *place))
        if seen is None:
            raise UsageError(f"the board has not seen {name} yet", f"'callboard explain {name}' says why.")
        asset = seen.asset(place[0])
        try:
            opened.read(lambda conn: filled(conn, wanted.request(asset)))
        except MessageRefused:
            raise nothing_accepted(asset, texts=wanted.texts) from None
    return asset


async def _settled(project: Project, run: str, known: Sequence[tuple[Found, Asset]]) -> list[Asked]:
    """Wait until the jobs of a run are done, failed or blocked."""
    while True:
        with catalog(project) as opened:
            rows = [row for row, _ in opened.read(lambda conn: jobs.of_run(conn, run))]
            taken = opened.read(
                lambda conn: conn.execute("SELECT count(*) FROM events WHERE run = ?", (run,)).fetchone()[0]
            )
        if taken >= len(known) and all(row.state not in ("queued", "running") for row in rows):
            keys = {asset.digest: tuple(row.key for row in rows if row.digest == asset.digest) for _, asset in known}
            return [(found, asset, keys[asset.digest], None) for found, asset in known]
        await asyncio.sleep(_LOOK)


def _proposed(project: Project, asked: Sequence[Asked]) -> tuple[str, ...]:
    with catalog(project) as opened:
        made = [
            one
            for _, _, keys, _ in asked
            for key in keys
            for one in opened.read(lambda conn, key=key: proposals.of_job(conn, key))  # type: ignore[misc]  # bound while the loop stands still
        ]
    return tuple(one.id for one in made if one.state == "proposed")


__all__ = ["ask_board"]
