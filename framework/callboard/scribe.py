"""The scribe: brings sidecars in line with what is accepted, and keeps the receipts.

Level-driven: accept, reject, undo and rename only say that an asset's sidecars must be looked at again.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from callboard_schemas import Asset, Place, Proposal, Receipt, encode_path

from callboard import announce
from callboard.catalog import Catalog, journal, outbox
from callboard.catalog import proposals as proposal_rows
from callboard.catalog.ledger import CatalogLedger, unfinished_folders
from callboard.catalog.outbox import Sync
from callboard.config import Sidecars
from callboard.effects import Subject, sweep, sync
from callboard.failpoints import failpoint
from callboard.following import LOCAL_ROOT

log = logging.getLogger(__name__)

_RETRY = 30.0
"""Seconds before a sidecar that could not be written (read-only folder, full disk, share away) is tried again."""
_AT_ONCE = 8
"""Sidecars written at once, so that their commits share one fsync."""


class Scribe:
    """Writes what the catalog asks for until it is stopped."""

    def __init__(
        self,
        catalog: Catalog,
        settings: Sidecars,
        *,
        committed: Callable[[], None] = lambda: None,
        bases: Sequence[bytes] = (),
    ) -> None:
        self._catalog, self._settings = catalog, settings
        self._bases = sorted(bases, key=len, reverse=True)
        self._ledger = CatalogLedger(catalog)
        self._committed = committed
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()

    def wake(self) -> None:
        """Say that there may be sidecars to write."""
        self._wake.set()

    async def run(self) -> None:
        """Write until cancelled; first sweep what a killed process left half written."""
        await asyncio.to_thread(self._sweep)
        while True:
            self._wake.clear()
            if not await self.drain():
                await self._until_wake()

    def _sweep(self) -> None:
        for folder in self._catalog.read(unfinished_folders):
            sweep(folder)

    async def drain(self) -> int:
        """Write what is wanted now. Returns how many assets were looked at."""
        async with self._turn:
            wanted = self._catalog.read(lambda conn: outbox.syncs(conn, _AT_ONCE))
            await asyncio.gather(*(self._write(one) for one in wanted))
        return len(wanted)

    async def _until_wake(self) -> None:
        when = self._catalog.read(outbox.next_sync)
        try:
            await asyncio.wait_for(self._wake.wait(), None if when is None else max(when - time.time(), 0.0))
        except TimeoutError:
            return

    async def _write(self, wanted: Sync) -> None:
        subject = self._subject(wanted)
        receipts: list[Receipt] = []
        if subject is not None:
            folder = Path(wanted.folder.decode("utf-8", "surrogateescape")) if wanted.folder else None
            if folder is not None:
                subject = msgspec.structs.replace(subject, asset=self._mirrored(subject.asset, wanted.media))
            receipts = await asyncio.to_thread(sync, subject, self._settings, self._ledger, out=folder)
        failpoint("sidecar.before_receipt")
        await self._catalog.write(lambda conn: self._settle(conn, wanted, receipts))
        self._committed()

    def _mirrored(self, asset: Asset, media: bytes) -> Asset:
        """Place an asset as it stands below the folder that was asked for, which the output folder mirrors."""
        base = next((base for base in self._bases if media.startswith(base.rstrip(b"/") + b"/")), b"")
        path = media[len(base.rstrip(b"/")) + 1 :] if base else media.rpartition(b"/")[2]
        return msgspec.structs.replace(asset, place=Place(root=asset.place.root, path=encode_path(path)))

    def _subject(self, wanted: Sync) -> Subject | None:
        def work(conn: sqlite3.Connection) -> tuple[Asset | None, list[Proposal]]:
            seen = journal.place(conn, wanted.root, wanted.path)
            known = seen is not None and seen.digest == wanted.digest
            asset = seen.asset(wanted.root) if known and seen else _vanished(wanted)
            return asset, [] if wanted.empty or not known else proposal_rows.of_digest(conn, wanted.digest)

        asset, found = self._catalog.read(work)
        return None if asset is None else Subject(media=wanted.media, asset=asset, proposals=tuple(found))

    def _settle(self, conn: sqlite3.Connection, wanted: Sync, receipts: list[Receipt]) -> None:
        waits = any(receipt.state == "failed" for receipt in receipts)
        outbox.synced(conn, wanted, receipts, _RETRY if waits else 0.0)
        for receipt in receipts:
            if receipt.state != "unchanged":
                announce.receipt(conn, receipt)
                target = f"/{receipt.target}" if wanted.root == LOCAL_ROOT and not wanted.folder else receipt.target
                journal.note(
                    conn,
                    wanted.root,
                    wanted.path,
                    f"sidecar {receipt.state}",
                    f"{target} {receipt.note}".strip(),
                )


def _vanished(wanted: Sync) -> Asset:
    """Describe an asset that is no longer at its place, so that its sidecars there can be taken back."""
    return Asset(
        digest=wanted.digest, place=Place(root=wanted.root, path=encode_path(wanted.path)), kind="other", size=0
    )
