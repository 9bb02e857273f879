"""Which sidecars must follow: every change of state asks for them through here, inside its own transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from callboard.catalog import journal, outbox, proposals

LOCAL_ROOT = "local"
"""The root of paths given on a command line: the whole file system of this machine. No message may name it."""


class Following:
    """Asks that sidecars follow proposals.

    Args:
        roots: Root names to absolute folders.
        folder: Where sidecars go instead of beside the media; empty for beside.
    """

    def __init__(self, roots: Mapping[str, bytes], folder: bytes = b"") -> None:
        self.roots, self._folder = roots, folder

    def asset(self, conn: sqlite3.Connection, digest: str, run: str) -> None:
        """Ask for the sidecars of an asset wherever it is now."""
        for root, seen in journal.places_of(conn, digest):
            self.place(conn, digest, root, seen.path, run)

    def place(
        self, conn: sqlite3.Connection, digest: str, root: str, path: bytes, run: str, *, empty: bool = False
    ) -> None:
        """Ask for the sidecars of an asset at one place; *empty* takes ours away from there."""
        media = self.media(root, path)
        if media is not None and (empty or proposals.any_for(conn, digest)):
            outbox.want_sync(conn, digest, media, root, path, folder=self._folder, run=run, empty=empty)

    def media(self, root: str, path: bytes) -> bytes | None:
        """Give the absolute path of media; ``None`` when the root is not known here, or the path leads out of it."""
        folder = self.roots.get(root)
        if folder is None or b"\0" in path or not all(part not in (b"", b".", b"..") for part in path.split(b"/")):
            return None
        return folder.rstrip(b"/") + b"/" + path
