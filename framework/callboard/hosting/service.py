"""The board's side of the applications people work in: who is there, what they ask for, what they are asked."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from callboard_schemas import Presence
from msgspec.structs import replace

from callboard import announce, codec
from callboard.bus import CHATTER, Bus, Unsubscribe
from callboard.catalog import host_commands, hosts
from callboard.errors import MessageRefused, UsageError
from callboard.hosting.courier import Courier
from callboard.hosting.requests import Requests
from callboard.hosting.sessions import Session, Sessions
from callboard.hosting.thumbnails import Thumbnails
from callboard.hosting.verbs import Desk, Verbs

if TYPE_CHECKING:
    from callboard.board import Board

log = logging.getLogger(__name__)


class Hosting:
    """Serves the applications of one project.

    Args:
        board: Which is open.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self.sessions = Sessions()
        roots, deliveries = board.host_roots, board.deliveries
        self.courier = Courier(board.catalog, board.bus, self.sessions, roots, board.project.folder)
        self.requests = Requests(board.catalog, board.intake, roots, deliveries, board.wake)
        self._thumbnails = Thumbnails(board.catalog, board.following, roots)
        desk = Desk(
            board.catalog,
            roots,
            self.sessions,
            self.courier,
            deliveries,
            self._thumbnails,
            arrived=self._arrived,
            folder=board.project.folder,
        )
        self._verbs = Verbs(desk, board.project.folder.name)
        self._wake = asyncio.Event()

    async def serve(self, bus: Bus) -> Unsubscribe:
        """Answer and listen until the returned function is called."""
        board = self._board
        stops: list[Callable[[], Awaitable[None]]] = [
            await bus.listen(f"{CHATTER}.host.presence", self._presence),
            await self._verbs.serve(bus),
        ]
        bus.on_connect(self._connected)
        board.spawn(self.courier.run, "host commands")
        board.spawn(self.requests.run, "host requests")
        board.spawn(self._silences, "host sessions")

        async def stop() -> None:
            for one in reversed(stops):
                await one()
            await asyncio.to_thread(self._thumbnails.close)

        return stop

    def wake(self) -> None:
        """Say that something was committed."""
        self.courier.wake()
        self.requests.wake()

    def status(self) -> list[dict[str, Any]]:
        """Say which applications are there, with what waits for them."""
        read = self._board.catalog.read
        return [
            {
                **msgspec.to_builtins(session.presence),
                "capabilities": list(session.presence.capabilities),
                "project": session.presence.project,
                "since": session.since,
                **read(partial(_counted, session=session)),
            }
            for session in self.sessions.all()
        ]

    async def _connected(self) -> None:
        """Post again what waits: while the connection was away, what was posted was lost."""
        self.sessions.begin_anew()
        self.courier.wake()

    async def _presence(self, _subject: str, body: bytes) -> None:
        """Hear that an application is there, or its last words."""
        try:
            data = codec.decode(body).data
        except (MessageRefused, msgspec.MsgspecError) as error:
            log.debug("presence that is none: %s", error)
            return
        if not isinstance(data, Presence):
            return
        if data.state == "offline":
            self._left(data.host)
            return
        try:
            session = self.sessions.hear(data)
        except UsageError as error:
            log.debug("%s", error.message)
            return
        if session is not None:
            await self._arrived(session)
        self._wake.set()

    async def _arrived(self, session: Session) -> None:
        """Remember an application that came, or changed its project; what waits for it is posted."""
        presence = session.presence
        deliveries = self._board.deliveries

        def work(conn: sqlite3.Connection) -> None:
            hosts.put(conn, presence)
            if presence.project:
                deliveries.replan(conn, session.project)
                deliveries.opened(conn, session.project)

        await self._board.catalog.write(work)
        # after the answer to its hello, so that it knows of itself before commands come
        asyncio.get_running_loop().call_soon(self.wake)
        self._wake.set()

    def _left(self, host: str) -> None:
        self.sessions.leave(host)
        self.courier.forget(host)
        self._verbs.forget(host)
        self.courier.wake()  # another application may have the project open too

    async def _silences(self) -> None:
        """Speak the last words of applications that ended without them."""
        while True:
            self._wake.clear()
            for session in self.sessions.silent():
                log.info("%s said nothing any more", session.presence.host)
                self._left(session.presence.host)
                last = replace(session.presence, state="offline")
                envelope = codec.make("host.presence", last, source=announce.SOURCE, subject=last.host)
                await self._board.bus.post(f"{CHATTER}.host.presence", codec.encode(envelope))
            try:
                await asyncio.wait_for(self._wake.wait(), self.sessions.next_silence())
            except TimeoutError:
                continue


def _counted(conn: sqlite3.Connection, session: Session) -> dict[str, int]:
    return {
        "pending": host_commands.count_pending(conn, *session.project),
        "troubled": host_commands.count_troubled(conn, *session.project),
    }


__all__ = ["Hosting"]
