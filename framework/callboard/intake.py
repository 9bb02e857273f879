"""The intake: every event goes into the journal, and the jobs it asks for with it, in one transaction.

An event is acknowledged once it is journalled, not once it is done.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import time
from collections.abc import Callable
from functools import partial

from callboard_schemas import (
    Decision,
    Envelope,
    Failure,
    MediaGone,
    MediaRenamed,
    MediaSettled,
    Place,
    RootState,
    TranslationRequested,
    decode_path,
)
from msgspec import Raw, Struct, json
from msgspec.structs import replace

from callboard import announce, codec
from callboard.bus import MAX_ATTEMPTS, Delivery
from callboard.catalog import Catalog, dead, jobs, journal
from callboard.errors import MessageParked, MessageRefused
from callboard.following import LOCAL_ROOT, Following
from callboard.hosting.reception import Reception
from callboard.onward import filled
from callboard.router import Router
from callboard.runs import new_run
from callboard.sources.facts import Seen

log = logging.getLogger(__name__)


class Taken(Struct, frozen=True):
    """What came of an event."""

    run: str
    jobs: tuple[str, ...]
    new: bool
    """False when the journal had the event already."""


class Intake:
    """Journals events and asks for their jobs.

    Args:
        catalog: Where to.
        router: Says which plugins answer.
        following: Asks that sidecars follow.
        woken: Called after each commit that may have made work.
        decide: Applies a review decision inside the transaction.
        reception: Takes what hosts tell, inside the transaction.
    """

    def __init__(
        self,
        catalog: Catalog,
        router: Router,
        following: Following,
        woken: Callable[[], None],
        decide: Callable[[sqlite3.Connection, Decision, str], object],
        reception: Reception,
    ) -> None:
        self._catalog, self._router, self._following = catalog, router, following
        self._woken, self._decide, self._reception = woken, decide, reception
        self.heard: Callable[[str, Struct], None] = lambda _type, _data: None
        """Hears each new event, once it is journalled."""

    async def receive(self, delivery: Delivery) -> None:
        """Take a message from the bus: journalled, then acknowledged; a bad one becomes a dead letter."""
        try:
            if delivery.attempt > MAX_ATTEMPTS:
                problem = f"it was delivered {delivery.attempt - 1} times and never settled"
                raise MessageRefused("never-settled", problem)
            await self.take_bytes(delivery.body)
        except MessageParked as error:
            await self._park(delivery, str(error))
        except MessageRefused as error:
            await self._bury(delivery, error)
            await delivery.refuse(str(error))
            return
        await delivery.ack()

    async def replay_parked(self) -> int:
        """Take what waited for a newer program and can be read now. Returns how many."""
        taken = 0
        for parked in self._catalog.read(journal.parked):
            try:
                await self.take_bytes(parked.body)
            except MessageRefused:
                continue
            await self._catalog.write(partial(journal.unpark, seq=parked.seq))
            taken += 1
        return taken

    async def _park(self, delivery: Delivery, reason: str) -> None:
        ident = _ident(delivery.body)
        await self._catalog.write(lambda conn: journal.park(conn, delivery.body, reason, ident))

    async def _bury(self, delivery: Delivery, error: MessageRefused) -> None:
        why = Failure(code=error.code, message=str(error), cause="deterministic")
        ident = _ident(delivery.body)
        log.warning("a message on %s was refused: %s", delivery.subject, error.message)
        await self._catalog.write(
            lambda conn: dead.bury(conn, ident, "message", delivery.subject, why, body=delivery.body)
        )

    async def take_bytes(self, body: bytes) -> Taken:
        """Take an event as it came from the bus.

        Raises:
            MessageRefused: it is not what its schema says.
            MessageParked: it is of a newer major version.
        """
        decoded = codec.decode(body)
        for place in _places(decoded.data):
            if place.root == LOCAL_ROOT or self._following.media(place.root, decode_path(place.path)) is None:
                raise MessageRefused(
                    "unknown-place", f"{place.root}:{place.path} is in none of the folders shared here"
                )
        return await self.take(decoded.envelope, decoded.data, body=body)

    async def take(
        self,
        envelope: Envelope,
        data: Struct,
        *,
        body: bytes = b"",
        root: str = "",
        seen: Seen | None = None,
        trigger: str = "",
    ) -> Taken:
        """Journal an event of our own sources, or one that was decoded, with the jobs it asks for.

        Raises:
            MessageRefused: it asks for a translation of an asset of which nothing was accepted, or a host says what
                cannot be true.
        """
        if isinstance(data, TranslationRequested):
            envelope, data, body = self._fill(envelope, data, body)
        planned = self._router.route(envelope, data)
        raw = body or codec.encode(envelope)
        run = envelope.correlationid or new_run()

        def work(conn: sqlite3.Connection) -> Taken:
            seq = journal.append(conn, envelope, raw, run)
            if seq is None:
                return Taken(run, (), new=False)
            jobs.start_run(conn, run, trigger or envelope.type)
            self._place(conn, envelope, data, root, seen, run)
            if isinstance(data, Decision):
                self._decide(conn, data, run)
            self._reception.take(conn, seq, envelope.id, data, run)
            fresh = [jobs.want(conn, one, seq, run) for one in planned]
            asset = getattr(data, "asset", None)
            if asset is not None and not all(fresh):
                self._following.place(conn, asset.digest, asset.place.root, decode_path(asset.place.path), run)
            if not any(fresh):
                jobs.close_run(conn, run)
            if not body:
                announce.event(conn, envelope)
            return Taken(run, tuple(one.key for one in planned), new=True)

        taken = await self._catalog.write(work)
        if taken.new:
            self.heard(envelope.type, data)
        self._woken()
        return taken

    def _fill(self, envelope: Envelope, asked: TranslationRequested, body: bytes) -> tuple[Envelope, Struct, bytes]:
        """Fill in what a request leaves out; the journal keeps it so, as its job is made of it."""
        full = self._catalog.read(lambda conn: filled(conn, asked))
        if full == asked:
            return envelope, asked, body
        envelope = replace(envelope, data=Raw(json.encode(full)))
        return envelope, full, codec.encode(envelope) if body else b""

    def _place(
        self, conn: sqlite3.Connection, told: Envelope, data: Struct, root: str, seen: Seen | None, run: str
    ) -> None:
        if isinstance(data, MediaSettled | MediaRenamed | TranslationRequested) and seen is not None:
            self._forget_former(conn, root, seen, run)
            journal.put_place(conn, root, seen)
            jobs.wake(conn, ("media-away",), seen.digest)
            if isinstance(data, MediaSettled) and data.reason == "requested":
                journal.note(conn, root, seen.path, "asked for", f"run {run}")
            self._reception.settled(conn, root, seen, data, told, run)
        if isinstance(data, MediaRenamed):
            old = decode_path(data.old.path)
            journal.drop_place(conn, data.old.root, old)
            new = data.asset.place
            self._following.place(conn, data.asset.digest, data.old.root, old, run, empty=True)
            self._following.place(conn, data.asset.digest, new.root, decode_path(new.path), run)
        elif isinstance(data, MediaGone):
            journal.drop_place(conn, data.place.root, decode_path(data.place.path))
        elif isinstance(data, RootState):
            journal.note(conn, data.root, b"", "root", data.reason)
            jobs.wake(conn, ("media-away",))

    def _forget_former(self, conn: sqlite3.Connection, root: str, seen: Seen, run: str) -> None:
        """Take back the sidecars of what was at this path before its content changed."""
        former = journal.place(conn, root, seen.path)
        if former is not None and former.digest != seen.digest:
            self._following.place(conn, former.digest, root, seen.path, run, empty=True)


def _places(data: Struct) -> list[Place]:
    """Give the places that a message names; from the bus they must be inside a named root."""
    asset = getattr(data, "asset", None)
    found = [asset.place if asset is not None else None, getattr(data, "place", None), getattr(data, "old", None)]
    return [place for place in found if isinstance(place, Place)]


def _ident(body: bytes) -> str:
    return "m-" + hashlib.sha256(body).hexdigest()[:12] + f"-{time.time_ns() // 1_000_000:x}"


__all__ = ["Intake", "Taken"]
