"""What pending commands bring, as JSON: made once for a proposal, however many uses and parts it is asked for."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

import msgspec
from callboard_schemas import Content
from msgspec.structs import replace

from callboard.catalog import decisions, host_commands, ledger, proposals
from callboard.catalog.host_commands import Row
from callboard.hosting.content import INLINE, content_of, parts
from callboard.hosting.mapping import Roots

_KEPT = 4
"""Contents kept: those of captions of two hours are about 400 kB."""


class Brought(NamedTuple):
    """What a command brings."""

    content: Content | None
    """Nothing where it is too long to go with the command."""
    parts: tuple[str, ...]
    """Its JSON in parts."""


class Contents:
    """Makes contents of proposals; every method blocks and may be called from any thread.

    Args:
        roots: The watched folders: no file outside them is named to an application.
        folder: The Callboard project's.
    """

    def __init__(self, roots: Roots, folder: Path) -> None:
        self._roots, self.folder = roots, folder
        self._kept: OrderedDict[tuple[str, str, int, str], Brought] = OrderedDict()
        self._door = threading.Lock()
        self._whole: tuple[str, object, tuple[str, ...]] = ("", None, ())

    def of(self, conn: sqlite3.Connection, row: Row) -> Brought:
        """Give what a command brings."""
        if (own := row.brings) is not None:
            return _brought(own)
        file = self._subtitles(conn, row) if row.verb == "subtitles.write" else ""
        key = row.proposal, row.verb, decisions.last_decision(conn, row.proposal), file
        with self._door:
            found = self._kept.pop(key, None)
            if found is None:
                made = proposals.get(conn, row.proposal) if row.verb != "clear" else None
                content = Content() if made is None else content_of(made, row.verb, folder=self.folder)
                found = _brought(replace(content, file=content.file or file))
            self._kept[key] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    def of_proposal(self, conn: sqlite3.Connection, ident: str) -> tuple[str, ...] | None:
        """Give the parts of a whole proposal; ``None`` where there is none."""
        stands, found = proposals.standing(conn, ident), self._whole
        if stands is None:
            return None
        if found[:2] != (ident, stands):  # every part is asked for by itself
            found = ident, stands, tuple(parts(msgspec.json.encode(proposals.get(conn, ident))))
            self._whole = found
        return found[2]

    def of_command(self, conn: sqlite3.Connection, ident: str) -> tuple[str, ...] | None:
        """Give the parts of what a command brings; ``None`` where there is no such command."""
        row = host_commands.get(conn, ident)
        return None if row is None or not row.verb else self.of(conn, row).parts

    def _subtitles(self, conn: sqlite3.Connection, row: Row) -> str:
        """Give the subtitle file that was written with these cues, for applications that import one."""
        made = proposals.language_of(conn, row.proposal)
        for path in ledger.subtitles_of(conn, row.digest, made) if made else ():
            if self._roots.locate(os.fsdecode(path)).root:
                return os.fsdecode(path)
        return ""


def _brought(content: Content) -> Brought:
    whole = msgspec.json.encode(content)
    return Brought(content if len(whole) <= INLINE else None, tuple(parts(whole)))


__all__ = ["Brought", "Contents"]
