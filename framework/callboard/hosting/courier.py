"""The courier: posts commands to the applications that are there, again at each hello, until their receipts come."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path

from callboard_schemas import Command
from msgspec.structs import replace

from callboard import announce, codec
from callboard.bus import COMMANDS, MAX_MESSAGE, Bus
from callboard.catalog import Catalog, host_commands, outbox
from callboard.catalog.host_commands import Row
from callboard.errors import MessageRefused
from callboard.failpoints import failpoint
from callboard.hosting.contents import Brought, Contents
from callboard.hosting.mapping import Roots
from callboard.hosting.sessions import Session, Sessions

log = logging.getLogger(__name__)

_FOR_SIDECARS = 0.2
"""Seconds between looks whether the subtitle files that a command names are written."""
_PATIENCE = 10.0
"""Seconds after which a command goes without its subtitle file: the share that it is written to may hang."""


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
        self.contents = Contents(roots, folder)
        self.patience = _PATIENCE
        """Seconds for which a command waits for its subtitle file."""
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
                await asyncio.wait_for(self._wake.wait(), min(filter(None, held), default=None))
            except TimeoutError:
                continue

    async def _serve(self, session: Session) -> float:
        """Post what a project waits for, in order. Returns in how many seconds to look again; 0 for when woken."""
        application, project = session.project
        if not project or self._sessions.serving(application, project) != session:
            return 0.0
        if (wait := self._sessions.to_wait(session)) > 0:
            return wait + 0.01
        turn = session.presence.host, session.turn
        idents = self._catalog.read(lambda conn: host_commands.pending_ids(conn, application, project))
        if all(self._posted.get(ident) == turn for ident in idents):  # asked after each commit: mostly there is nothing
            return 0.0
        waiting = self._catalog.read(lambda conn: host_commands.pending(conn, application, project))
        if any(row.is_over for row in waiting):
            await self._catalog.write(host_commands.expire)
        todo = [row for row in waiting if self._posted.get(row.id) != turn and not row.is_over]
        ready = list(
            takewhile(lambda row: not self._catalog.read(partial(_unwritten, row=row, patience=self.patience)), todo)
        )
        if ready and self._bus.connected:
            await self._post_all(ready, session)
        return _FOR_SIDECARS if len(ready) < len(todo) else 0.0

    async def _post_all(self, rows: Sequence[Row], session: Session) -> None:
        """Post commands in order, unless they are not wanted any more."""
        host = session.presence.host
        # said before they are posted: what may have arrived must be taken back later, what cannot have need not be
        wanted = await self._catalog.write(lambda conn: host_commands.posted(conn, [row.id for row in rows], host))
        for row in rows:
            if row.id in wanted:
                brought = await asyncio.to_thread(self._catalog.read, partial(self.contents.of, row=row))
                await self._post(row, host, brought)
            self._posted[row.id] = host, session.turn
        failpoint("host.posted")

    async def _post(self, row: Row, host: str, brought: Brought) -> None:
        whole = replace(row.command, host=host, content=brought.content)
        short = replace(whole, content=None, parts=len(brought.parts))
        body = _message(whole if brought.content is not None else short, row.run)
        if len(body) > MAX_MESSAGE:  # its use has a very long path
            body = _message(short, row.run)
        try:
            await self._bus.post(f"{COMMANDS}.{host}", body)
        except MessageRefused as error:
            log.warning("command %s to %s was not sent: %s", row.id, host, error)

    def forget(self, host: str) -> None:
        """Forget what was posted to a host that is gone."""
        self._posted = {ident: turn for ident, turn in self._posted.items() if turn[0] != host}


def _unwritten(conn: sqlite3.Connection, row: Row, patience: float) -> bool:
    """Say whether the subtitle file that a command names is still to be written, and soon."""
    soon = time.time() - row.created < patience
    return row.verb == "subtitles.write" and soon and outbox.is_writing(conn, row.digest)


def _message(command: Command, run: str) -> bytes:
    envelope = codec.make("host.command", command, source=announce.SOURCE, subject=command.id)
    return codec.encode(replace(envelope, correlationid=run or None))


__all__ = ["Courier"]
