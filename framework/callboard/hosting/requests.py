"""What people in applications ask for becomes events: identified, journalled with their cause, once, or refused.

A request is open until all of it is asked for. Whoever dies meanwhile begins anew: the events have fixed ids.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence

from callboard_schemas import (
    Asset,
    Envelope,
    HostRequest,
    Request,
    TranslationRequested,
    Use,
)
from msgspec import Struct
from msgspec.structs import replace

from callboard import codec
from callboard.catalog import Catalog, host_requests, hosts, journal
from callboard.catalog.host_requests import Asked
from callboard.catalog.hosts import Used
from callboard.errors import CallboardError, MessageRefused, UsageError
from callboard.hosting.deliveries import Deliveries
from callboard.hosting.gaps import wanted
from callboard.hosting.identify import Waits, identified
from callboard.hosting.mapping import PLACEHOLDERS, Roots, Spot, digest_at
from callboard.intake import Intake
from callboard.sources.facts import Seen

_AGAIN = 1.0
"""Seconds until a file that is being written is looked at again."""
_NAMED = 3
"""Refused files that are named one by one."""


class Requests:
    """Turns requests of hosts into events until it is stopped.

    Args:
        catalog: Keeps the requests.
        intake: Journals the events.
        roots: The watched folders.
        deliveries: Brings what was accepted before.
        woken: Called when something was brought.
    """

    def __init__(
        self, catalog: Catalog, intake: Intake, roots: Roots, deliveries: Deliveries, woken: Callable[[], None]
    ) -> None:
        self._catalog, self._intake, self._roots = catalog, intake, roots
        self._deliveries, self._woken = deliveries, woken
        self._wake = asyncio.Event()
        self._busy: set[int] = set()

    def wake(self) -> None:
        """Say that there may be a request, or that what one waits for may be there."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; a file that takes long to read keeps nobody else waiting."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                for asked in self._catalog.read(host_requests.open_ones):
                    if asked.seq not in self._busy:
                        self._busy.add(asked.seq)
                        group.create_task(self._one(asked))
                await self._wake.wait()

    async def _one(self, asked: Asked) -> None:
        try:
            while await self._serve(asked):  # noqa: ASYNC110 - nobody says when a file that others write is whole
                await asyncio.sleep(_AGAIN)
        finally:
            self._busy.discard(asked.seq)

    async def _serve(self, asked: Asked) -> bool:
        """Do one request. Returns whether it waits for a file."""
        known = self._catalog.read(lambda conn: hosts.find(conn, asked.host))
        application = asked.application or (known.application if known else "")
        if not application:
            return False  # until its host says hello
        if not asked.application:
            await self._catalog.write(lambda conn: host_requests.belongs_to(conn, asked.seq, application))
            asked = asked._replace(application=application)
        try:
            if asked.what == "placeholder":
                await self._placeholder(asked)
            else:
                await self._of_media(asked)
        except Waits:
            return True
        except CallboardError as error:
            reason = f"{error.message} {error.hint}".strip()
            await self._catalog.write(lambda conn: host_requests.settle(conn, asked.seq, "refused", reason))
        return False

    async def _placeholder(self, asked: Asked) -> None:
        gap = asked.request.gap
        assert gap is not None, "reception refuses it without one"
        data = self._catalog.read(lambda conn: wanted(conn, gap, asked.request, asked.application, asked.project))
        caused = await self._ask(asked, "placeholder.requested", data, "gap")
        await self._catalog.write(lambda conn: host_requests.settle(conn, asked.seq, "done", caused=caused))

    async def _of_media(self, asked: Asked) -> None:
        """Ask for every file that is known or can be; say which cannot."""
        request = asked.request
        assets: dict[str, Asset] = {}
        refused: list[str] = []
        for use in request.uses:
            try:
                asset = await self._asset(asked, use)
            except Waits:
                raise
            except CallboardError as error:
                refused.append(error.message)
            else:
                assets.setdefault(asset.digest, asset)
        for digest, asset in assets.items():
            try:
                await self._ask(asked, f"{request.what}.requested", _wanted(request, asset, asked), digest[-16:])
            except MessageRefused as error:
                refused.append(error.problem)
        project = asked.application, asked.project
        kinds = (request.what,)

        def settle(conn: sqlite3.Connection) -> None:
            self._deliveries.asked(conn, project, tuple(assets), kinds, asked.run, again=True)
            host_requests.settle(conn, asked.seq, "refused" if refused else "done", _listed(refused))

        await self._catalog.write(settle)
        self._woken()

    async def _asset(self, asked: Asked, use: Use) -> Asset:
        """Find the asset of a use; one that nobody saw yet is identified, and remembered as used there."""
        spot = await asyncio.to_thread(self._roots.locate, use.path)
        if not spot.root:
            raise _Outside(use, self._roots.named())
        if spot.root == PLACEHOLDERS:
            raise UsageError(f"{use.name or use.path} stands in for a shot: there is nothing in it to work on")
        known = self._catalog.read(lambda conn: digest_at(conn, spot))
        seen: Seen | None = None
        if not known:
            seen = await asyncio.to_thread(identified, self._roots.folders[spot.root], spot.path)
        digest = seen.digest if seen else known
        used = Used(asked.application, asked.project, spot.root, spot.path, digest, use)
        return await self._catalog.write(lambda conn: _remember(conn, spot, seen, used))

    async def _ask(self, asked: Asked, kind: str, data: Struct, about: str) -> int:
        """Journal one event that a request causes. Returns its number in the journal.

        Raises:
            MessageRefused: nobody answers it, or it cannot be asked for.
        """
        cause = self._catalog.read(lambda conn: journal.envelope(conn, asked.seq))
        source, ident = f"callboard:host/{asked.application}"[:1024], f"{asked.id[:200]}-{about}"
        made = codec.make(kind, data, source=source, subject=_subject(data), id=ident, cause=cause)
        envelope: Envelope = replace(made, correlationid=asked.run)
        taken = await self._intake.take(envelope, data)
        if taken.new and not taken.jobs:
            raise MessageRefused("nobody-answers", f"no plugin here answers {kind}")
        return self._catalog.read(lambda conn: journal.number(conn, source, ident))


class _Outside(CallboardError):
    """Media that a host asks for is in none of the watched folders."""

    code = "host"

    def __init__(self, use: Use, folders: str) -> None:
        what = f"{use.path} is in none of the watched folders: {folders}"
        super().__init__(what if use.path else f"{use.name or use.ref} has no file of its own")


def _remember(conn: sqlite3.Connection, spot: Spot, seen: Seen | None, used: Used) -> Asset:
    if seen is not None:
        journal.put_place(conn, spot.root, seen)
    hosts.put_uses(conn, [used], first=int(time.time()))  # behind those that were told before
    asset = journal.asset_now(conn, used.digest, seen.asset(spot.root) if seen else None)
    assert asset is not None, "it is at the place where it was looked up"
    return asset


def _wanted(request: HostRequest, asset: Asset, asked: Asked) -> Request:
    kind = TranslationRequested if request.what == "translation" else Request
    by = asked.application[:256]
    return kind(asset=asset, by=by, languages=request.languages, parameters=request.parameters)


def _subject(data: Struct) -> str:
    asset = getattr(data, "asset", None)
    return str(asset.place.path if asset is not None else getattr(data, "shot", ""))[:4096]


def _listed(problems: Sequence[str]) -> str:
    more = f"; and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
    return "; ".join(problems[:_NAMED]) + more


__all__ = ["Requests"]
