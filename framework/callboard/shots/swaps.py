"""Proposes that the real shot takes its placeholder's place, and keeps what waits for one place in step."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from fractions import Fraction

import msgspec
from callboard_schemas import Asset, Decision, Placeholder, PlaceholderRequested, Provenance, ShotArrived, Swap
from msgspec import Struct
from msgspec.structs import replace

from callboard import announce
from callboard.catalog import jobs, journal, proposals, standins
from callboard.catalog.jobs import Planned
from callboard.catalog.standins import Stand
from callboard.config import Policy
from callboard.keys import digest_of, job_key
from callboard.policy import Acceptance, accepts
from callboard.proposing import store
from callboard.shots.facts import Facts, Need, rate_said
from callboard.shots.weighing import History, beside, weigh

PLUGIN = "callboard"
"""The plugin that is named where the board itself proposes something."""
_VERSION = "1.0.0"

Decide = Callable[[sqlite3.Connection, Decision, str], object]


class Arrived(Struct, frozen=True):
    """An arrival, and what its media says of itself; nothing where its root is not known any more."""

    seq: int
    """Of its event in the journal."""
    run: str
    told: ShotArrived
    facts: Facts | None


class Swaps:
    """Stores swaps.

    Args:
        policy: What may be accepted without a person.
        acceptance: What this board accepts.
        decide: Applies a decision inside the transaction.
        handles: Frames that the project's shots have at each end.
    """

    def __init__(self, policy: Policy, acceptance: Acceptance, decide: Decide, *, handles: int = 0) -> None:
        self._policy, self._decide, self._handles = policy, decide, handles
        self._acceptance: Acceptance = acceptance

    def store(self, conn: sqlite3.Connection, arrived: Sequence[Arrived]) -> list[str]:
        """Store a swap for each arrival, and say anew what waits beside them. Returns the ids of what is new."""
        made: list[str] = []
        for one in arrived:
            if any(_is_done(conn, one)):
                continue
            asset = journal.asset_now(conn, one.told.asset.digest, one.told.asset) or one.told.asset
            swap = self._swap(conn, one, asset)
            if swap is None:
                _put(conn, one.seq, one.run, asset, None)
                continue
            made.append(_put(conn, one.seq, one.run, asset, swap))
        made = self.keep_step(conn, made)
        for ident in made:
            self._accept(conn, ident)
        return made

    def _swap(self, conn: sqlite3.Connection, one: Arrived, asset: Asset) -> Swap | None:
        """Weigh one arrival; nothing where what it came for is gone, or it is not there itself."""
        stood = standins.find(conn, one.told.placeholder)
        body = stood.placeholder if stood is not None else None
        if stood is None or body is None or one.facts is None:
            return None
        need = need_of(body, standins.asked_for(conn, stood))
        weighed = weigh(need, one.facts, one.told.version, _history(conn, stood, asset), handles=self._handles)
        return Swap(
            shot=one.told.shot,
            placeholder=stood.id,
            root=asset.place.root,
            path=asset.place.path,
            digest=asset.digest,
            confidence=0.5 if weighed.questions else 1.0,
            by=one.told.by,
            version=one.told.version,
            frames=one.facts.frames,
            rate=str(one.facts.rate or ""),
            first=one.facts.first,
            handles=weighed.handles,
            questions=weighed.questions,
        )

    def keep_step(self, conn: sqlite3.Connection, fresh: Sequence[str] = ()) -> list[str]:
        """Have what waits for one place name what waits beside it.

        Args:
            conn: The transaction.
            fresh: Ids that were stored just now.

        Returns:
            The ids of what is new, those of *fresh* as they are now.
        """
        now = list(fresh)
        for one, again in out_of_step(conn):
            row = jobs.get(conn, one.job)
            if row is None or row.subject is None:
                continue
            ident = _put(conn, row.event, row.run, row.subject, again)
            standins.reword(conn, one.id, ident)
            for told in filter(None, (proposals.get(conn, one.id), proposals.get(conn, ident))):
                announce.proposal(conn, told, None, "changed")
            now = [ident if other == one.id else other for other in now]
            now += [] if ident in now else [ident]
        return now

    def mend(self, conn: sqlite3.Connection) -> None:
        """Say anew what waits, and accept what became plain by it: the other one was rejected."""
        for ident in self.keep_step(conn):
            self._accept(conn, ident)

    def _accept(self, conn: sqlite3.Connection, ident: str) -> None:
        made = proposals.get(conn, ident)
        if made is None or made.body is None or made.state != "proposed":
            return
        by = accepts(self._policy, None, made.provenance, made.body, self._acceptance)
        if by:
            self._decide(conn, Decision(proposal=ident, decision="accept", by=by), made.run)


def out_of_step(conn: sqlite3.Connection) -> list[tuple[Stand, Swap]]:
    """Give the swaps that wait and name other media beside them than there is, with what they should say."""
    waiting = standins.swaps(conn, "proposed")
    spots = {one.id: standins.spot(conn, one) for one in waiting}
    found = []
    for one in waiting:
        others = [two for two in waiting if two.digest != one.digest and spots[two.id].meets(spots[one.id])]
        swap = one.swap
        questions = beside(swap.questions, [_name(two.swap) for two in others]) if swap is not None else ()
        if swap is not None and questions != swap.questions:
            found.append((one, replace(swap, questions=questions, confidence=0.5 if questions else 1.0)))
    return found


def need_of(body: Placeholder, asked: PlaceholderRequested | None) -> Need:
    """Say what a place asks of what goes there, by what stands in and what it was asked for with."""
    rate = rate_said(body.rate) or (rate_said(asked.counted) or rate_said(f"{asked.rate:g}") if asked else None)
    frames = body.frames or (asked.frames if asked else 0)
    if not frames and asked is not None and rate is not None:
        frames = max(rate.frame_at(asked.duration), 1)
    aspect = body.pixel_aspect or (asked.pixel_aspect if asked else "")
    lost = asked.use if asked else None
    return Need(
        frames=frames,
        rate=rate,
        width=body.width or (asked.width if asked else 0),
        height=body.height or (asked.height if asked else 0),
        aspect=Fraction(*map(int, aspect.split(":"))) if aspect else Fraction(1),
        start=body.start or (asked.start if asked else ""),
        reel=asked.reel if asked else "",
        source=asked.source if asked else "",
        lost=os.path.basename(lost.path) if lost is not None else "",
        begin=max(rate.frame_at(lost.source_in), 0) if lost is not None and rate is not None else 0,
    )


def _is_done(conn: sqlite3.Connection, one: Arrived) -> list[object]:
    return conn.execute("SELECT 1 FROM jobs WHERE event = ? AND plugin = ?", (one.seq, PLUGIN)).fetchall()


def _history(conn: sqlite3.Connection, stood: Stand, asset: Asset) -> History:
    """Say what took the place before; the same media again is none."""
    where = standins.spot(conn, stood)
    former = [one.swap for one in standins.swaps_of(conn, where, "accepted") if one.digest != asset.digest]
    found = next((one for one in reversed(former) if one is not None), None)
    return History() if found is None else History(found.version, has_former=True)


def _name(swap: Swap | None) -> str:
    return os.path.basename(swap.path) if swap is not None else ""


def _put(conn: sqlite3.Connection, seq: int, run: str, asset: Asset, swap: Swap | None) -> str:
    """Store a swap as the board's own; without one, only that the arrival was looked at. Returns its id."""
    told = digest_of(msgspec.to_builtins(swap))
    key = job_key(PLUGIN, _VERSION, {}, {}, f"{asset.digest} {seq} {told}")
    job = Planned(key=key, plugin=PLUGIN, version=_VERSION, parameters={}, models={}, deadline=1.0, asset=asset)
    jobs.start_run(conn, run, "shot.arrived")
    jobs.want(conn, job, seq, run)
    jobs.done(conn, key, 0.0)
    jobs.close_run(conn, run)
    row = jobs.get(conn, key)
    assert row is not None, "it was put there just now"
    if swap is None:
        return ""
    return store(conn, row, Provenance(plugin=PLUGIN, version=_VERSION, kind="transform"), [swap])[0]


__all__ = ["PLUGIN", "Arrived", "Swaps", "need_of", "out_of_step"]
