"""What applications ask a running board for, over the bus: ``cb.ctl.host.VERB``, JSON in and JSON out."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
from callboard_schemas import HostUses, Presence, Use
from msgspec import Meta, Struct

from callboard import __version__
from callboard.bus import CONTROL, Bus, Unsubscribe
from callboard.catalog import Catalog, host_commands, hosts
from callboard.catalog.hosts import Used
from callboard.control import Answer
from callboard.errors import CallboardError, UsageError
from callboard.hosting.courier import Courier
from callboard.hosting.deliveries import Deliveries
from callboard.hosting.inbox import inbox
from callboard.hosting.mapping import Roots, Spot, digest_at
from callboard.hosting.sessions import Session, Sessions
from callboard.hosting.thumbnails import Thumbnails

_PONG = b'{"value":{}}'
ROOM = 60 * 1024
"""Bytes of an answer, of the 64 KiB that a message may have."""
MOST_USES = 50_000
"""Uses of one project that are kept."""
Count = Annotated[int, Meta(ge=0)]


class Ask(Struct, frozen=True, kw_only=True):
    """What is asked; each verb reads the fields that it needs."""

    host: str = ""
    project: str = ""
    after: str = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    id: str = ""
    command: str = ""
    part: Count = 0
    digest: str = ""
    path: str = ""
    width: Annotated[int, Meta(ge=16, le=1024)] = 256
    seconds: Annotated[float, Meta(ge=0, le=1_000_000)] = 0.0


class Desk(NamedTuple):
    """What the verbs work with."""

    catalog: Catalog
    roots: Roots
    sessions: Sessions
    courier: Courier
    deliveries: Deliveries
    thumbnails: Thumbnails
    arrived: Callable[[Session], Awaitable[None]]
    """Told of a session that began, or said hello again."""
    folder: Path = Path()
    """The project's; paths of placeholders count from it."""


class Verbs:
    """Answers hosts.

    Args:
        desk: What the verbs work with.
        name: Of the Callboard project.
    """

    def __init__(self, desk: Desk, name: str) -> None:
        self._desk, self._name = desk, name
        self._pages: dict[tuple[str, str], dict[int, list[tuple[Use, Spot]]]] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._verbs: dict[str, Callable[[bytes], Awaitable[Any]]] = {
            "hello": self._hello,
            "uses": self._uses,
            "inbox": self._inbox,
            "proposal": self._proposal,
            "thumbnail": self._thumbnail,
            "commands": self._commands,
            "body": self._body,
        }

    async def serve(self, bus: Bus) -> Unsubscribe:
        """Answer until the returned function is called."""
        return await bus.serve(f"{CONTROL}.host.*", self._answer)

    async def _answer(self, subject: str, body: bytes) -> bytes:
        name = subject.rpartition(".")[2]
        if name == "ping":
            return _PONG
        verb = self._verbs.get(name)
        try:
            if verb is None:
                return msgspec.json.encode(Answer(code="usage", message=f"no verb {name!r} for hosts"))
            return msgspec.json.encode(Answer(value=await verb(body or b"{}")))
        except CallboardError as error:
            return msgspec.json.encode(Answer(code=error.code, message=error.message, hint=error.hint))
        except (msgspec.MsgspecError, UnicodeError) as error:
            return msgspec.json.encode(Answer(code="usage", message=str(error)))

    async def _hello(self, body: bytes) -> Any:
        presence = msgspec.json.decode(body, type=Presence)
        session = self._desk.sessions.hear(presence, hello=True)
        if session is None:
            return {"board": __version__, "project": self._name, "commands": 0}
        await self._desk.arrived(session)
        waiting = self._desk.catalog.read(lambda conn: host_commands.count_pending(conn, *session.project))
        return {"board": __version__, "project": self._name, "commands": waiting}

    async def _commands(self, body: bytes) -> Any:
        asked = msgspec.json.decode(body, type=Ask)
        session = self._session(asked.host, asked.project)
        again = self._desk.sessions.hear(session.presence, hello=True)
        if again is not None:
            await self._desk.arrived(again)
        waiting = self._desk.catalog.read(lambda conn: host_commands.count_pending(conn, *session.project))
        return {"commands": waiting}

    def _session(self, host: str, project: str) -> Session:
        session = self._desk.sessions.get(host)
        if session is None:
            raise UsageError(f"no application {host!r} said hello", "Say hello first: cb.ctl.host.hello.")
        if project != session.presence.project:
            raise UsageError(
                f"{host} has {session.presence.project or 'no project'} open, not {project or 'none'}",
                "Say hello again with the project that is open.",
            )
        return session

    async def _uses(self, body: bytes) -> Any:
        told = msgspec.json.decode(body, type=HostUses)
        session = self._session(told.host, told.project)
        if not told.project or told.page >= told.pages:
            raise UsageError("uses need a project, and a page below the number of pages")
        async with self._turns.setdefault(told.host, asyncio.Lock()):  # in the order in which they were told
            spots = await asyncio.to_thread(lambda: [self._desk.roots.locate(use.path) for use in told.uses])
            whole = self._gather(told, spots)
            if whole is not None:
                await self._keep(*session.project, whole)
        digests = await asyncio.to_thread(self._desk.catalog.read, partial(_digests, spots=spots))
        return known_of(told.uses, digests)

    def _gather(self, told: HostUses, spots: Sequence[Spot]) -> list[tuple[Use, Spot]] | None:
        """Put a page to those before it; give all of them once the last is there."""
        pages = self._pages.setdefault((told.host, told.project), {})
        if told.page == 0 or any(page >= told.pages for page in pages):
            pages.clear()
        pages[told.page] = list(zip(told.uses, spots, strict=True))
        if sum(map(len, pages.values())) > MOST_USES:
            pages.clear()
            raise UsageError(f"a project may have {MOST_USES} uses", "Tell those of one timeline.")
        if len(pages) < told.pages:
            return None
        del self._pages[told.host, told.project]
        return [one for page in sorted(pages) for one in pages[page]]

    async def _keep(self, application: str, project: str, uses: Sequence[tuple[Use, Spot]]) -> None:
        """Put all uses of a project in the place of what was told before, and bring what was accepted of new media."""

        def work(conn: sqlite3.Connection) -> None:
            before = hosts.digests(conn, application, project)
            hosts.drop_uses(conn, application, project)
            rows = [Used(application, project, *spot, digest_at(conn, spot), use) for use, spot in uses]
            hosts.put_uses(conn, rows)
            begun = {row.digest for row in rows if row.digest} - before
            self._desk.deliveries.began(conn, (application, project), begun)

        await self._desk.catalog.write(work)
        self._desk.courier.wake()

    async def _inbox(self, body: bytes) -> Any:
        asked = msgspec.json.decode(body, type=Ask)
        application, project = self._session(asked.host, asked.project).project
        folder = self._desk.courier.contents.folder
        work = partial(
            inbox, application=application, project=project, after=asked.after, limit=asked.limit, folder=folder
        )
        page = await asyncio.to_thread(self._desk.catalog.read, work)
        for item in page["items"]:
            item["path"] = str(self._desk.folder / item["path"]) if item["path"] else ""
        return page

    async def _proposal(self, body: bytes) -> Any:
        asked = msgspec.json.decode(body, type=Ask)
        contents = self._desk.courier.contents
        cut = await asyncio.to_thread(self._desk.catalog.read, partial(contents.of_proposal, ident=asked.id))
        if cut is None:
            raise UsageError(f"no proposal {asked.id!r}", "Ask for the inbox again.")
        return _part(cut, asked.part)

    async def _body(self, body: bytes) -> Any:
        asked = msgspec.json.decode(body, type=Ask)
        contents = self._desk.courier.contents
        cut = await asyncio.to_thread(self._desk.catalog.read, partial(contents.of_command, ident=asked.command))
        if cut is None:
            raise UsageError(f"no command {asked.command!r}")
        return _part(cut, asked.part)

    async def _thumbnail(self, body: bytes) -> Any:
        asked = msgspec.json.decode(body, type=Ask)
        picture = await self._desk.thumbnails.of(asked.digest, asked.path, asked.width, asked.seconds)
        return {"jpeg": base64.b64encode(picture).decode("ascii")}

    def forget(self, host: str) -> None:
        """Forget the pages that an application which is gone did not finish."""
        for key in [key for key in self._pages if key[0] == host]:
            del self._pages[key]
        self._turns.pop(host, None)


def known_of(uses: Sequence[Use], digests: Sequence[str]) -> dict[str, Any]:
    """Say what is known of uses, as far as an answer holds it; how many it does not hold is said, too."""
    known: dict[str, str] = {}
    room = ROOM
    for use, digest in zip(uses, digests, strict=True):
        room -= len(msgspec.json.encode({use.ref: digest}))
        if room < 0:
            break
        known[use.ref] = digest
    left = len({use.ref for use in uses}) - len(known)
    return {"known": known, "left_out": left} if left else {"known": known}


def _digests(conn: sqlite3.Connection, spots: Sequence[Spot]) -> list[str]:
    return [digest_at(conn, spot) for spot in spots]


def _part(cut: Sequence[str], part: int) -> dict[str, Any]:
    if part >= len(cut):
        raise UsageError(f"there are {len(cut)} parts, counted from 0")
    return {"part": part, "parts": len(cut), "text": cut[part]}


__all__ = ["ROOM", "Ask", "Desk", "Verbs", "known_of"]
