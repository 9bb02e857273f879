"""The courier: posts commands to the applications that are there, again at each hello, until their receipts come."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from functools import partial
from pathlib import Path

import msgspec
from callboard_schemas import Command, Content
from msgspec.structs import replace

from callboard import announce, codec
from callboard.bus import COMMANDS, MAX_MESSAGE, Bus
from callboard.catalog import Catalog, host_commands, ledger, outbox, proposals
from callboard.catalog.host_commands import Row
from callboard.errors import MessageRefused
from callboard.failpoints import failpoint
from callboard.hosting.content import INLINE, content_of, parts
from callboard.hosting.mapping import Roots
from callboard.hosting.sessions import Session, Sessions

log = logging.getLogger(__name__)

_FOR_SIDECARS = 0.2
"""Seconds between looks whether the subtitle files that a command names are written."""


class Courier:
    """Posts commands until it is stopped.

    Args:
        catalog: Keeps them.
        bus: Where to.
        sessions: Who is there.
        roots: The watched folders: no file outside them is named to an application.
        folder: The Callboard project's.
    """

    def __init__(self, catalog: Catalog, bus: Bus, sessions: Sessions, roots: Roots, folder: Path) -> None:
        self._catalog, self._bus, self._sessions = catalog, bus, sessions
        self._roots, self._folder = roots, folder
        self._wake = asyncio.Event()
        self._posted: dict[str, tuple[str, int]] = {}

    def wake(self) -> None:
        """Say that there may be commands to post."""
        self._wake.set()

    async def run(self) -> None:
        """Post until cancelled."""
        while True:
            self._wake.clear()
            held = [await self._serve(session) for session in self._sessions.all()]
            try:
                await asyncio.wait_for(self._wake.wait(), _FOR_SIDECARS if any(held) else None)
            except TimeoutError:
                continue

    async def _serve(self, session: Session) -> bool:
        """Post what a project waits for, in order. Returns whether something waits for a file."""
        application, project = session.project
        if not project or self._sessions.serving(application, project) != session:
            return False
        await self._catalog.write(host_commands.expire)
        for row in self._catalog.read(lambda conn: host_commands.pending(conn, application, project)):
            turn = session.presence.host, session.turn
            if self._posted.get(row.id) == turn:
                continue
            if self._catalog.read(partial(_unwritten, row=row)):
                return True
            if self._bus.connected and await self._post(row, session):
                self._posted[row.id] = turn
        return False

    async def _post(self, row: Row, session: Session) -> bool:
        host = session.presence.host
        content = self._catalog.read(lambda conn: self._content(conn, row))
        whole = msgspec.json.encode(content)
        command = replace(row.command, host=host, content=content)
        if len(whole) > INLINE:
            command = replace(command, content=None, parts=len(parts(whole)))
        body = _message(command, row.run)
        if len(body) > MAX_MESSAGE:  # its use names a very long path
            body = _message(replace(command, content=None, parts=len(parts(whole))), row.run)
        # said before it is posted: what may have arrived must be taken back later, what cannot have need not be
        if not await self._catalog.write(lambda conn: host_commands.posted(conn, row.id, host)):
            return True
        try:
            await self._bus.post(f"{COMMANDS}.{host}", body)
        except MessageRefused as error:
            log.warning("command %s to %s was not sent: %s", row.id, host, error)
        failpoint("host.posted")
        return True

    def body(self, conn: sqlite3.Connection, ident: str) -> bytes | None:
        """Give what a command brings, as JSON; ``None`` where there is no such command."""
        row = host_commands.get(conn, ident)
        return None if row is None or not row.verb else msgspec.json.encode(self._content(conn, row))

    def forget(self, host: str) -> None:
        """Forget what was posted to a host that is gone."""
        self._posted = {ident: turn for ident, turn in self._posted.items() if turn[0] != host}

    def _content(self, conn: sqlite3.Connection, row: Row) -> Content:
        if (content := row.brings) is not None:
            return content
        made = proposals.get(conn, row.proposal) if row.verb != "clear" else None
        if made is None:
            return Content()
        content = content_of(made, row.verb, folder=self._folder)
        if row.verb == "subtitles.write":
            return replace(content, file=self._subtitles(conn, row.digest, content.language))
        return content

    def _subtitles(self, conn: sqlite3.Connection, digest: str, language: str) -> str:
        """Give the subtitle file that was written with these cues, for applications that import one."""
        for path in ledger.subtitles_of(conn, digest, language):
            if self._roots.locate(os.fsdecode(path)).root:
                return os.fsdecode(path)
        return ""


def _unwritten(conn: sqlite3.Connection, row: Row) -> bool:
    """Say whether the subtitle file that a command names is still to be written."""
    return row.verb == "subtitles.write" and outbox.is_writing(conn, row.digest)


def _message(command: Command, run: str) -> bytes:
    envelope = codec.make("host.command", command, source=announce.SOURCE, subject=command.id)
    return codec.encode(replace(envelope, correlationid=run or None))


__all__ = ["Courier"]
