"""Whereabouts: where an asset is on this machine now, and whether what is there still is that asset."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import NamedTuple

from callboard_schemas import Asset, Failure, decode_path

from callboard.catalog import Catalog, journal
from callboard.catalog.jobs import Row
from callboard.following import Following
from callboard.sources.digest import identify
from callboard.sources.facts import Seen
from callboard.sources.oneshot import collect


class Spot(NamedTuple):
    """Where an asset is."""

    path: bytes
    """Absolute."""
    known: bool
    """False where only a message said so: see ``introduce``."""


class Whereabouts:
    """Finds assets.

    Args:
        catalog: Knows where they were seen.
        following: Knows the folders of the roots.
    """

    def __init__(self, catalog: Catalog, following: Following) -> None:
        self._catalog, self._following = catalog, following

    def locate(self, row: Row) -> Spot | None:
        """Find the asset on this machine: any place whose size and time still are those of its content."""
        asset = row.subject
        if asset is None:
            return None
        found = self._catalog.read(lambda conn: journal.places_of(conn, asset.digest))
        for root, seen in found:
            path = self._following.media(root, seen.path)
            if path and (seen.sequence or stamp(path) == (seen.size, seen.mtime_ns)):
                return Spot(path, known=True)
        path = self._following.media(asset.place.root, decode_path(asset.place.path))
        if path and not found and (asset.sequence or os.path.exists(path)):
            return Spot(path, known=False)
        return None

    async def introduce(self, asset: Asset, path: bytes) -> Failure | None:
        """Make the acquaintance of media that only a message told of: it must be the content that was named."""
        (found,) = await asyncio.to_thread(collect, [Path(os.fsdecode(path))], subtitles=lambda _path: True)
        if found.failure is not None:
            return found.failure
        identity = await asyncio.to_thread(identify, found)
        if identity.digest != asset.digest:
            return Failure(
                code="digest-mismatch",
                message=f"{asset.place.path} is {identity.digest}, not the {asset.digest} that was asked for",
                cause="deterministic",
                hint="Ask again with the digest of what is there now.",
            )
        place = decode_path(asset.place.path)
        seen = Seen(
            path=place, kind=found.kind, digest=identity.digest, sequence=found.sequence, **identity.stat._asdict()
        )
        await self._catalog.write(lambda conn: journal.put_place(conn, asset.place.root, seen))
        return None


def stamp(path: bytes | None) -> tuple[int, int] | None:
    """Say what a path holds now, by size and modification time; a rename changes neither."""
    if path is None:
        return None
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
