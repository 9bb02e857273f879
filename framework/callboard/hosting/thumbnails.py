"""Small pictures of media for panels: decoded in processes that may die, kept for as long as somebody looks."""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from pathlib import Path

from callboard_schemas import Asset

from callboard.catalog import Catalog, journal
from callboard.errors import UsageError
from callboard.following import Following
from callboard.hosting.mapping import PLACEHOLDERS, Roots, digest_at
from callboard.media.client import open_media
from callboard.media.pool import Pool
from callboard.whereabouts import stamp

IDLE = 60.0
"""Seconds without a question after which the decoding process is let go of: it holds about 60 MB."""
_KEPT = 128
"""Pictures kept, of at most 40 kB each."""
_MOST = 40_000
"""Bytes of a picture: two thirds of a message, written in base 64."""

_Key = tuple[str, int, float]


class Thumbnails:
    """Gives pictures.

    Args:
        catalog: Knows where assets are.
        following: Knows the folders of the roots.
        roots: The watched folders; nothing outside them is opened.
    """

    def __init__(self, catalog: Catalog, following: Following, roots: Roots) -> None:
        self._catalog, self._following, self._roots = catalog, following, roots
        self._pool = Pool(idle=1)
        self.idle = IDLE
        """Seconds without a question after which the decoding process ends."""
        self._turn = asyncio.Lock()
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()
        self._rest: asyncio.TimerHandle | None = None

    async def of(self, digest: str, path: str, side: int, seconds: float) -> bytes:
        """Give a picture as a JPEG file.

        Args:
            digest: Of which asset; or
            path: which absolute path, inside a watched folder.
            side: Pixels of its longest side.
            seconds: Where in the media.

        Raises:
            UsageError: it is nowhere in the watched folders.
            CallboardError: there is no picture in it, or it cannot be decoded.
        """
        asset, file = await asyncio.to_thread(self._find, digest, path)
        key = (asset.digest if asset else f"{os.fsdecode(file)} {stamp(file)}", side, round(seconds, 2))
        if key not in self._kept:
            async with self._turn:  # one after the other: a panel asks for many at once
                if key not in self._kept:
                    self._stay()  # letting go of the process ends it in the middle of a picture
                    try:
                        self._kept[key] = await asyncio.to_thread(self._draw, asset, file, side, seconds)
                    finally:
                        self._let_go_later()
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    def close(self) -> None:
        """End the decoding process."""
        self._stay()
        self._pool.close()

    def _stay(self) -> None:
        if self._rest is not None:
            self._rest.cancel()

    def _let_go_later(self) -> None:
        self._stay()
        self._rest = asyncio.get_running_loop().call_later(self.idle, self._pool.close)

    def _find(self, digest: str, path: str) -> tuple[Asset | None, bytes]:
        if path:
            spot = self._roots.locate(path)
            if not spot.root:
                raise UsageError(f"{path} is in none of the watched folders: {self._roots.named()}")
            digest = self._catalog.read(lambda conn: digest_at(conn, spot))
            if not digest or spot.root == PLACEHOLDERS:
                return None, self._roots.folders[spot.root] + b"/" + spot.path
        for root, seen in self._catalog.read(lambda conn: journal.places_of(conn, digest)):
            file = self._following.media(root, seen.path)
            if file is not None and root in self._roots.folders:
                return seen.asset(root), file
        raise UsageError(f"no media {digest or path!r} in the watched folders", "Is its drive there?")

    def _draw(self, asset: Asset | None, file: bytes, side: int, seconds: float) -> bytes:
        where = Path(os.fsdecode(file))
        with open_media(where, asset, shm_folder=where.parent, pool=self._pool) as media:
            return media.thumbnail(side, seconds, _MOST)


__all__ = ["IDLE", "Thumbnails"]
