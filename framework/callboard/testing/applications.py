"""An application of a test: it speaks to a board as hosts do, keeps what it is asked for, and applies it once."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

import msgspec
from callboard_schemas import Command, CommandReceipt, Decision, HostDecision, HostUses, Presence, Use
from msgspec import Struct

from callboard import codec
from callboard.bus import CHATTER, COMMANDS, CONTROL, INTAKE, Bus
from callboard.bus.memory import MemoryBus
from callboard.catalog import host_commands
from callboard.catalog.host_commands import Row
from callboard.config import Project
from callboard.daemon import Daemon

T = TypeVar("T")
State = Literal["applied", "partial", "refused", "stale", "failed"]
SOON = 60.0
"""Seconds after which something is broken; a machine that does much else at once comes nowhere near."""


class Application:
    """Speaks the contract of hosts.

    Args:
        bus: Connected as a host, or as the board.
        presence: What it says of itself.
    """

    def __init__(self, bus: Bus, presence: Presence) -> None:
        self.bus, self.presence, self.host = bus, presence, presence.host
        self.commands: asyncio.Queue[Command] = asyncio.Queue()
        """What it was asked for, in order, the same again and again included."""
        self.applied: dict[str, Command] = {}
        """What it did, by the command's id."""
        self._ids = itertools.count(1)

    async def start(self) -> None:
        """Hear commands."""
        await self.bus.listen(f"{COMMANDS}.{self.host}", self._heard)

    async def _heard(self, _subject: str, body: bytes) -> None:
        data = codec.decode(body).data
        assert isinstance(data, Command)
        assert data.host == self.host
        await self.commands.put(data)

    async def ask(self, verb: str, data: object = None) -> Any:
        """Ask the board, and give its whole answer."""
        body = msgspec.json.encode(data if data is not None else {})
        return msgspec.json.decode(await self.bus.request(f"{CONTROL}.host.{verb}", body, timeout=SOON))

    async def told(self, verb: str, data: object = None) -> Any:
        """Ask the board, and give the value of its answer, which must be one."""
        answer = await self.ask(verb, data)
        assert not answer.get("code"), answer
        return answer["value"]

    async def hello(self, **more: Any) -> Any:
        """Say hello, with something else of itself where *more* says so."""
        self.presence = msgspec.structs.replace(self.presence, **more)
        return await self.told("hello", self.presence)

    async def present(self, **more: Any) -> None:
        """Say that it is there, or its last words."""
        data = msgspec.structs.replace(self.presence, **more)
        envelope = codec.make("host.presence", data, source=f"urn:{self.host}")
        await self.bus.post(f"{CHATTER}.host.presence", codec.encode(envelope))

    async def uses(self, *uses: Use) -> dict[str, str]:
        """Tell everything that the project uses, in one page; give what is known of it."""
        told = HostUses(host=self.host, project=self.presence.project, uses=uses)
        known: dict[str, str] = (await self.told("uses", told))["known"]
        return known

    async def inbox(self, **more: Any) -> Any:
        """Give the items of the inbox."""
        return (await self.told("inbox", {"host": self.host, "project": self.presence.project, **more}))["items"]

    async def post(self, kind: str, data: Struct, ident: str = "") -> None:
        """Post an event that is stored."""
        ident = ident or f"{self.host}-{next(self._ids)}"
        envelope = codec.make(kind, data, source=f"urn:{self.host}", id=ident)
        await self.bus.publish(f"{INTAKE}.{kind}", codec.encode(envelope), msg_id=ident)

    async def next(self, verb: str = "") -> Command:
        """Wait for the next command, which must be of *verb* where one is given."""
        async with asyncio.timeout(SOON):
            found = await self.commands.get()
        assert not verb or found.verb == verb, found
        return found

    async def receipt(self, command: Command, state: State = "applied", /, **more: Any) -> None:
        """Say what came of a command."""
        self.applied[command.id] = command
        given = {"command": command.id, "host": self.host, "proposal": command.proposal, "state": state}
        await self.post("host.receipt", CommandReceipt(**{**given, **more}))

    async def decide(
        self, proposal: str, decision: Literal["accept", "reject", "reopen"] = "accept", by: str = "zoe"
    ) -> None:
        """Decide on a proposal, as a person in the application."""
        told = Decision(proposal=proposal, decision=decision, by=by)
        await self.post("host.decided", HostDecision(host=self.host, decision=told))


class Served:
    """A board that serves applications."""

    def __init__(self, daemon: Daemon, bus: Bus) -> None:
        self.daemon, self.bus = daemon, bus
        self.footage = daemon.project.folder / "footage"

    async def until(self, what: Callable[[], object], seconds: float = SOON) -> None:
        """Wait until *what* holds."""
        async with asyncio.timeout(seconds):
            while not what():  # noqa: ASYNC110 - what the catalog says has no event to wait for
                await asyncio.sleep(0.02)

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Read the catalog."""
        return self.daemon.board.catalog.read(work)

    def commands(self) -> list[Row]:
        """Give everything that applications were asked for, oldest first."""
        return self.read(host_commands.every)

    def states(self) -> list[tuple[str, str]]:
        """Give the verb, or else the route, and the state of each command in order."""
        return [(row.verb or row.route, row.state) for row in self.commands()]

    async def proposals(self, count: int = 1) -> list[str]:
        """Wait until there are so many proposals, and give their ids, oldest first."""

        def found() -> list[str]:
            return [row[0] for row in self.read(_idents)]

        await self.until(lambda: len(found()) >= count)
        return found()

    async def application(self, presence: Presence, *uses: Use, bus: Bus | None = None) -> Application:
        """Give an application that listens, said hello, and told what its project uses; over *bus* or the board's."""
        found = Application(bus or self.bus, presence)
        await found.start()
        await found.hello()
        if uses:
            await found.uses(*uses)
        return found


def _idents(conn: sqlite3.Connection) -> list[tuple[str]]:
    return conn.execute("SELECT id FROM proposals ORDER BY created, id").fetchall()


@asynccontextmanager
async def served(project: Project, bus: Bus | None = None) -> AsyncIterator[Served]:
    """Serve a project until the block ends, over *bus* or within this process; silent applications stay there."""
    async with MemoryBus() as memory:
        daemon = Daemon(project, bus or memory)
        serving = asyncio.create_task(daemon.serve())
        ready = asyncio.create_task(daemon.ready.wait())
        await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if serving.done():
            serving.result()
        # Applications of tests do not say every few seconds that they are there, however long a test takes.
        daemon.hosting.sessions.silence = 3600.0
        # And however long the machine takes to write a subtitle file, the command that names it comes after it.
        daemon.hosting.courier.patience = 3600.0
        try:
            yield Served(daemon, bus or memory)
        finally:
            daemon.stopping.set()
            await serving


__all__ = ["Application", "Served", "served"]
