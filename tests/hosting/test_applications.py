"""Applications and the board: hello, uses, inbox, commands and receipts, through a whole daemon."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from callboard import codec
from callboard.bus import COMMANDS, CONTROL, INTAKE, Bus
from callboard.bus.memory import MemoryBus
from callboard.catalog import host_commands, proposals
from callboard.catalog.host_commands import Row
from callboard.config import Hosts, PluginSettings, Policy, Project, Settings, Watch, make_project
from callboard.daemon import Daemon
from callboard.testing import TmpPlugin
from callboard_schemas import (
    VERBS,
    Command,
    CommandReceipt,
    Decision,
    HostDecision,
    HostUses,
    Presence,
    Use,
)

# Says what stands in the file: captions of its lines, or tags of its words where it is asked for those.
SAYS = """
    from callboard import Captions, Cue, Tag, Tags, Translation, hookimpl

    @hookimpl
    def callboard_handle(event, asset, context):
        words = context.path.read_text().split()
        if event.type == "tags.requested":
            tags = tuple(Tag(label=word, score=0.9, method="says") for word in dict.fromkeys(words))
            return Tags(items=tags, confidence=0.9, description=f"It shows {words[0]}.")
        cues = tuple(
            Cue(id=number, start=number, end=number + 0.5, lines=(f"<i>{word}</i>",), confidence=0.9, styled=True)
            for number, word in enumerate(words)
        )
        return Captions(language="en", cues=cues, confidence=0.9)
"""

STANDS_IN = """
    from pathlib import Path
    from callboard import Placeholder, hookimpl

    @hookimpl
    def callboard_handle(event, asset, context):
        import json
        asked = json.loads(bytes(event.data))
        path = Path(context.parameters["folder"]) / (asked["shot"] + "_slate.png")
        path.write_bytes(b"slate")
        return Placeholder(
            shot=asked["shot"], generator="slate", file=str(path), confidence=1.0, digest="sha256:" + "0" * 64
        )
"""

BLENDER = Presence(
    host="blender-1", application="blender", version="4.5", state="online", capabilities=VERBS, project="/p/film.blend"
)


class Application:
    """What runs inside an application: it speaks the contract and keeps what it is asked for."""

    def __init__(self, bus: Bus, presence: Presence = BLENDER) -> None:
        self.bus, self.presence, self.host = bus, presence, presence.host
        self.commands: asyncio.Queue[Command] = asyncio.Queue()
        self.applied: dict[str, Command] = {}
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
        return msgspec.json.decode(await self.bus.request(f"{CONTROL}.host.{verb}", body))

    async def hello(self) -> Any:
        """Say hello."""
        return (await self.ask("hello", self.presence))["value"]

    async def uses(self, *uses: Use) -> Any:
        """Tell everything that the project uses, in one page."""
        told = HostUses(host=self.host, project=self.presence.project, uses=uses)
        return (await self.ask("uses", told))["value"]["known"]

    async def inbox(self, **more: object) -> Any:
        """Give the items of the inbox."""
        answer = await self.ask("inbox", {"host": self.host, "project": self.presence.project, **more})
        return answer["value"]["items"]

    async def post(self, kind: str, data: msgspec.Struct, ident: str = "") -> None:
        """Post an event that is stored."""
        ident = ident or f"{self.host}-{next(self._ids)}"
        envelope = codec.make(kind, data, source=f"urn:{self.host}", id=ident)
        await self.bus.publish(f"{INTAKE}.{kind}", codec.encode(envelope), msg_id=ident)

    async def next(self, verb: str = "") -> Command:
        """Wait for the next command."""
        async with asyncio.timeout(10):
            found = await self.commands.get()
        assert not verb or found.verb == verb
        return found

    async def receipt(self, command: Command, state: Any = "applied", **more: Any) -> None:
        """Say what came of a command."""
        told = CommandReceipt(command=command.id, host=self.host, state=state, proposal=command.proposal, **more)
        await self.post("host.receipt", told)

    async def decide(self, proposal: str, decision: Any = "accept", by: str = "zoe") -> None:
        """Decide on a proposal."""
        await self.post(
            "host.decided",
            HostDecision(host=self.host, decision=Decision(proposal=proposal, decision=decision, by=by)),
        )


class Board:
    """A daemon under test."""

    def __init__(self, daemon: Daemon, bus: Bus) -> None:
        self.daemon, self.bus = daemon, bus
        self.footage = daemon.project.folder / "footage"

    async def until(self, what: Callable[[], object], seconds: float = 20.0) -> None:
        """Wait until *what* holds."""
        async with asyncio.timeout(seconds):
            while not what():
                await asyncio.sleep(0.02)

    def read(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Read the catalog."""
        return self.daemon.board.catalog.read(work)

    def commands(self) -> list[Row]:
        """Give every command."""
        found: list[Row] = self.read(lambda conn: host_commands._rows(conn, "1", ()))
        return found

    def states(self) -> list[tuple[str, str]]:
        """Give verb and state of every command in order."""
        return [(row.verb or row.route, row.state) for row in self.commands()]

    async def proposal(self) -> str:
        """Wait for the one proposal and give its id."""
        await self.until(lambda: self.read(lambda conn: conn.execute("SELECT 1 FROM proposals").fetchone()))
        ((ident,),) = self.read(lambda conn: conn.execute("SELECT id FROM proposals").fetchall())
        return str(ident)

    async def application(self, presence: Presence = BLENDER) -> Application:
        """Give an application that is listening."""
        found = Application(self.bus, presence)
        await found.start()
        return found


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin) -> Project:
    """Give a project with one watched folder and a plugin that writes captions of what settles."""
    tmp_plugin(
        "says", SAYS, events=["media.settled", "captions.requested", "tags.requested"], results=["captions", "tags"]
    )
    return make(tmp_path, "says")


def make(folder: Path, *plugins: str, hosts: Hosts | None = None) -> Project:
    """Make a project with these plugins, none of which decides without a person."""
    (folder / "footage").mkdir(exist_ok=True)
    off = PluginSettings(enabled=False)
    settings = Settings(
        watch=(Watch(path="footage", quiet=0.2),),
        allow_plugins=plugins,
        plugins={"caption": off, "autotag": off, "localize": off},
        policy=Policy(analyse="ask"),
        workers=1,
        hosts=hosts or Hosts(),
    )
    return make_project(folder, settings)


@asynccontextmanager
async def up(project: Project, bus: Bus | None = None) -> AsyncIterator[Board]:
    """Serve a project until the block ends."""
    async with MemoryBus() as memory:
        daemon = Daemon(project, bus or memory)
        serving = asyncio.create_task(daemon.serve())
        ready = asyncio.create_task(daemon.ready.wait())
        await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if serving.done():
            serving.result()
        try:
            yield Board(daemon, bus or memory)
        finally:
            daemon.stopping.set()
            await serving


def use(path: Path | str, ref: str = "strip-1", **more: Any) -> Use:
    """Describe a strip of four seconds."""
    return Use(**{"ref": ref, "path": str(path), "revision": "r1", "duration": 4.0, **more})


async def test_a_result_goes_into_the_project_that_uses_it(project: Project) -> None:
    """What a person in the application accepts comes back as a command, and its receipt ends it."""
    async with up(project) as board:
        clip = board.footage / "a.mp4"
        clip.write_text("hello there")
        ident = await board.proposal()
        blender = await board.application()
        assert await blender.hello() == {"board": "0.1.0", "project": project.folder.name, "commands": 0}
        known = await blender.uses(use(clip), use("/elsewhere/b.mp4", "strip-2"))
        assert known["strip-1"].startswith("sha256:")
        assert known["strip-2"] == ""
        (item,) = await blender.inbox()
        assert (item["id"], item["result"], item["refs"], item["name"]) == (ident, "captions", ["strip-1"], "a.mp4")
        assert item["text"] == "hello / there"
        await blender.decide(ident)
        command = await blender.next("subtitles.write")
        assert command.use is not None
        assert (command.proposal, command.use.ref, command.revision) == (ident, "strip-1", "r1")
        assert command.content is not None
        assert [(cue.start, cue.text, cue.italic) for cue in command.content.cues] == [
            (0, "hello", True),
            (1, "there", True),
        ]
        assert Path(command.content.file).read_text().startswith("1\n")
        await blender.receipt(command, landed=("hello", "there"))
        await board.until(lambda: board.states() == [("subtitles.write", "applied")])
        made = board.read(lambda conn: proposals.get(conn, ident))
        assert made.decided_by == "zoe in blender"
        assert await blender.inbox() == []
