"""What arrives for a placeholder's shot: said on the bus as ``shot.arrived``, weighed, and proposed to take its place.

An arrival by name is journalled in the transaction in which the media settles; what is journalled and not weighed yet
is weighed at the next start. What arrived between a request and its acceptance, or is known by reel and timecode
alone, is looked for when the board has time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from callboard_schemas import Envelope, ShotArrived, decode_path
from msgspec.structs import replace

from callboard import announce, codec
from callboard.catalog import Catalog, jobs, journal, standins
from callboard.catalog.standins import Stand
from callboard.config import Shots
from callboard.errors import CallboardError, MessageRefused
from callboard.following import LOCAL_ROOT, Following
from callboard.media.pool import Pool
from callboard.onward import Route
from callboard.runs import new_run
from callboard.shots import best
from callboard.shots.facts import Facts, probed
from callboard.shots.swaps import PLUGIN, Arrived, Swaps, need_of, out_of_step
from callboard.sources.facts import Seen

log = logging.getLogger(__name__)
T = TypeVar("T")

_KINDS = ("video", "image", "sequence")
_AT_ONCE = 50
"""Arrivals that are weighed in one go, and so beside each other."""


class Waiting(NamedTuple):
    """An arrival that is journalled and not weighed yet."""

    seq: int
    run: str
    told: ShotArrived


class Arrivals:
    """Tells of arrivals, and has them weighed.

    Args:
        catalog: Of the project.
        following: Knows the folders of the roots.
        settings: Which media is of which shot.
        swaps: Stores what would take whose place.
        route: Says which plugins answer an arrival.
        enabled: Whether anything is proposed at all.
        woken: Called when something was stored.
    """

    def __init__(
        self,
        catalog: Catalog,
        following: Following,
        settings: Shots,
        swaps: Swaps,
        route: Route,
        *,
        enabled: bool,
        woken: Callable[[], None],
    ) -> None:
        self._catalog, self._following, self._settings, self._swaps = catalog, following, settings, swaps
        self._route, self._enabled, self._woken = route, enabled, woken
        self._wake = asyncio.Event()
        self._looked: set[str] = set()
        self._timed: set[tuple[str, str]] = set()
        self._pool = Pool(idle=1)

    def wake(self) -> None:
        """Say that something may have arrived, or may stand in now."""
        self._wake.set()

    def settled(self, conn: sqlite3.Connection, root: str, seen: Seen, cause: Envelope | None, run: str) -> None:
        """Tell of media that settled, or moved, where it is named after the shot of what stands in.

        Args:
            conn: The transaction in which it is journalled.
            root: Its root's name.
            seen: What is known of it.
            cause: The event that says so.
            run: What it belongs to.
        """
        if not self._enabled or root == LOCAL_ROOT or seen.kind not in _KINDS:
            return
        standing = standins.standing(conn)
        shots = {one.id: body.shot for one in standing if (body := one.placeholder) and body.digest != seen.digest}
        found = best(seen.path, shots.values(), self._settings.patterns) if shots else None
        if found is None:
            return
        for one in _current(conn, standing):
            if shots.get(one.id) == found.shot:
                told = ShotArrived(
                    shot=found.shot, asset=seen.asset(root), placeholder=one.id, by="name", version=found.version
                )
                self._tell(conn, told, cause, run)
                journal.note(conn, root, seen.path, "arrived", f"for {found.shot}, for which {one.id} stands in")

    def _tell(self, conn: sqlite3.Connection, told: ShotArrived, cause: Envelope | None, run: str) -> None:
        ident = f"{told.asset.digest[-16:]}-{told.placeholder}"
        try:
            made = codec.make(
                "shot.arrived", told, source=announce.SOURCE, subject=told.shot[:4096], id=ident, cause=cause
            )
        except MessageRefused as error:
            log.warning("%s is not told of: %s", told.shot, error.message)
            return
        envelope = replace(made, correlationid=run)
        seq = journal.append(conn, envelope, codec.encode(envelope), run)
        if seq is None:
            return
        for one in self._route(envelope, told):
            jobs.want(conn, one, seq, run)
        announce.event(conn, envelope)

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                self._wake.clear()
                if self._enabled and self._catalog.read(standins.any_there):
                    await _aside(self._look)
                    while await self._weigh():
                        pass
                await self._wake.wait()
        finally:
            await asyncio.to_thread(self._pool.close)

    async def _weigh(self) -> bool:
        """Weigh what arrived. Returns whether anything did."""
        waiting = await asyncio.to_thread(self._catalog.read, pending)
        if not waiting:
            if await asyncio.to_thread(self._catalog.read, out_of_step):
                await self._catalog.write(self._swaps.mend)
                self._woken()
            return False
        arrived = [await _aside(partial(self._facts, one)) for one in waiting]
        await self._catalog.write(partial(self._swaps.store, arrived=[one for one in arrived if one is not None]))
        self._woken()
        return True

    def _facts(self, one: Waiting) -> Arrived:
        """Ask the media itself, in a process that may die; what cannot be asked is a question."""
        asset = one.told.asset
        now = self._catalog.read(lambda conn: journal.asset_now(conn, asset.digest, asset)) or asset
        path = self._following.media(now.place.root, decode_path(now.place.path))
        try:
            facts = probed(Path(os.fsdecode(path)), now, self._pool) if path is not None else None
        except CallboardError as error:
            facts = Facts(problems=(f"it cannot be read: {error.message}",))
        except OSError as error:
            facts = Facts(problems=(f"it cannot be read: {error.strerror}",))
        return Arrived(seq=one.seq, run=one.run, told=one.told, facts=facts)

    def _look(self) -> None:
        """Look at what arrived before what stands in for it was accepted, and for media by its reel and timecode."""
        standing = self._catalog.read(lambda conn: _current(conn, standins.standing(conn)))
        fresh = [one for one in standing if one.id not in self._looked]
        if fresh:
            for root, seen in self._catalog.read(partial(_since, fresh=fresh)):
                self._catalog.write_sync(partial(self.settled, root=root, seen=seen, cause=None, run=new_run()))
            self._looked.update(one.id for one in fresh)
        for one in standing:
            self._look_by_reel(one)

    def _look_by_reel(self, one: Stand) -> None:
        asked = self._catalog.read(lambda conn: standins.asked_for(conn, one))
        body = one.placeholder
        if asked is None or body is None or not asked.reel or not asked.source:
            return
        need = need_of(body, asked)
        for root, seen in self._catalog.read(partial(_since, fresh=[one])):
            if (one.id, seen.digest) in self._timed or seen.kind != "video" or seen.digest == body.digest:
                continue
            self._timed.add((one.id, seen.digest))
            path = self._following.media(root, seen.path)
            if path is None or best(seen.path, [body.shot], self._settings.patterns) is not None:
                continue
            try:
                facts = probed(Path(os.fsdecode(path)), seen.asset(root), self._pool)
            except (CallboardError, OSError):
                continue  # what cannot be read is of no shot that anybody knows
            if is_of(facts, asked.reel, need.at(asked.source), need.frames):
                told = ShotArrived(shot=body.shot, asset=seen.asset(root), placeholder=one.id, by="timecode")
                self._catalog.write_sync(partial(self._tell, told=told, cause=None, run=new_run()))


async def _aside(work: Callable[[], T]) -> T:
    """Do it on another thread. A stop waits for that: it may hold a decoder, or take another."""
    doing = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.gather(doing, return_exceptions=True)
        raise


def is_of(facts: Facts, reel: str, first: int | None, frames: int) -> bool:
    """Say whether media is from a reel, and has some of the frames that are asked for on it."""
    begins = facts.start
    if begins is None or first is None or not facts.reel or facts.reel.casefold() != reel.casefold():
        return False
    return begins < first + max(frames, 1) and first < begins + max(facts.frames, 1)


def pending(conn: sqlite3.Connection) -> list[Waiting]:
    """Give the arrivals that are not weighed yet, the oldest first."""
    rows = conn.execute(
        "SELECT seq, run, body FROM events e WHERE type = 'shot.arrived' AND NOT EXISTS"
        " (SELECT 1 FROM jobs j WHERE j.event = e.seq AND j.plugin = ?) ORDER BY seq LIMIT ?",
        (PLUGIN, _AT_ONCE),
    ).fetchall()
    found = []
    for seq, run, body in rows:
        data = codec.decode(body).data
        if isinstance(data, ShotArrived):
            found.append(Waiting(seq, run, data))
    return found


def _current(conn: sqlite3.Connection, standing: Sequence[Stand]) -> list[Stand]:
    """Keep of each place the placeholder that was accepted last."""
    kept: list[tuple[standins.Spot, Stand]] = []
    for one in standing:
        where = standins.spot(conn, one)
        former = [other for other in kept if other[0].meets(where)]
        better = one.state == "accepted" or not any(other.state == "accepted" for _, other in former)
        if better:
            kept = [other for other in kept if other not in former]
            kept.append((where, one))
    return [one for _, one in kept]


def _since(conn: sqlite3.Connection, fresh: Sequence[Stand]) -> list[tuple[str, Seen]]:
    """Give the media that came since the first of some placeholders was asked for."""
    marks = ", ".join("?" * len(fresh))
    row = conn.execute(
        f"SELECT min(e.received) FROM jobs j JOIN events e ON e.seq = j.event WHERE j.key IN ({marks})",  # noqa: S608 - only question marks
        [one.job for one in fresh],
    ).fetchone()
    since = row[0] if row is not None and row[0] is not None else time.time()
    return list(_places(conn, since))


def _places(conn: sqlite3.Connection, since: float) -> Iterator[tuple[str, Seen]]:
    rows = conn.execute(
        "SELECT root, path FROM places WHERE seen >= ? AND state = 'present' AND root != ?"
        " AND kind IN ('video', 'image', 'sequence') ORDER BY seen",
        (since, LOCAL_ROOT),
    ).fetchall()
    for root, path in rows:
        seen = journal.place(conn, root, path)
        if seen is not None:
            yield root, seen


__all__ = ["Arrivals", "Waiting", "is_of", "pending"]
