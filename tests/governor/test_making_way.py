"""A running board makes way for an application, and takes up its work when it is given back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from callboard import codec
from callboard.bus import CHATTER, INTAKE
from callboard.bus.memory import MemoryBus
from callboard.catalog import jobs
from callboard.config import PluginSettings, Project, RuntimeSettings, Settings, Watch, make_project
from callboard.control import Order
from callboard.daemon import Daemon
from callboard.testing import TmpPlugin
from callboard_schemas import HostEvent, Presence, Request

TAGGER = """
    from callboard import hookimpl, Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        return Tags(items=(Tag(label="seen", score=0.9, method="tagger"),), confidence=0.9)
"""


class Board:
    """A daemon under test, and the bus that it is on."""

    def __init__(self, daemon: Daemon, bus: MemoryBus) -> None:
        self.daemon, self.bus = daemon, bus
        self.footage = daemon.project.folder / "footage"

    async def until(self, what: Callable[[], object]) -> None:
        """Wait until *what* holds; there is no event for everything that a board may come to."""
        async with asyncio.timeout(60):
            while not what():
                await asyncio.sleep(0.02)

    async def tell(self, kind: str, host: str = "blender") -> None:
        """Post what an application does."""
        await self.bus.publish(
            f"{INTAKE}.{kind}", codec.encode(codec.make(kind, HostEvent(host=host), source=f"host:{host}"))
        )

    async def ask(self, verb: str, order: Order | None = None) -> dict[str, object]:
        """Ask the board as the command line does."""
        body = msgspec.json.encode(order or Order())
        told = msgspec.json.decode(await self.bus.request(f"cb.ctl.{verb}", body, timeout=60.0))
        assert not told.get("code"), told
        return dict(told["value"] or {})

    def counts(self) -> dict[str, int]:
        """Count jobs by state."""
        return self.daemon.board.catalog.read(jobs.counts)

    @property
    def held(self) -> str:
        """Why jobs are held."""
        return self.daemon.board.dispatcher.held


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin) -> Project:
    """Give a project with one plugin, which answers footage and requests."""
    tmp_plugin("tagger", TAGGER, events=["media.settled", "tags.requested"])
    (tmp_path / "footage").mkdir()
    off = PluginSettings(enabled=False)
    settings = Settings(
        watch=(Watch(path="footage", quiet=0.2),),
        allow_plugins=("tagger",),
        plugins={"caption": off, "autotag": off},
        workers=1,
        runtime=RuntimeSettings(threads=1),
    )
    return make_project(tmp_path, settings)


@asynccontextmanager
async def up(project: Project) -> AsyncIterator[Board]:
    """Serve a project until the block ends."""
    async with MemoryBus() as bus:
        daemon = Daemon(project, bus)
        serving = asyncio.create_task(daemon.serve())
        ready = asyncio.create_task(daemon.ready.wait())
        await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        try:
            yield Board(daemon, bus)
        finally:
            daemon.stopping.set()
            await serving


async def test_footage_waits_while_a_render_runs(project: Project) -> None:
    """What lands during a render is journalled and held with the reason shown, and done when the render ends."""
    async with up(project) as board:
        await board.tell("host.render.started")
        await board.until(lambda: board.held == "blender renders")
        (board.footage / "a.mp4").write_text("a")
        await board.until(lambda: board.counts() == {"queued": 1})
        told = await board.ask("runtime")
        assert (told["busy"], told["held_jobs"]) == ("blender renders", 1)
        await board.tell("host.render.ended")
        await board.until(lambda: board.counts() == {"done": 1})
        told = await board.ask("runtime")
        assert (told["busy"], told["held_jobs"]) == ("", 0)


async def test_who_asks_is_answered_in_spite_of_a_render(project: Project) -> None:
    """A request by a person is done at once, though footage that nobody waits for is held."""
    async with up(project) as board:
        (board.footage / "a.mp4").write_text("a")
        await board.until(lambda: board.counts() == {"done": 1})
        row = board.daemon.board.catalog.read(lambda conn: jobs.ready(conn, 10))
        assert row == []
        await board.tell("host.render.started")
        await board.until(lambda: board.held)
        (board.footage / "b.mp4").write_text("b")
        await board.until(lambda: board.counts().get("queued") == 1)
        held = board.daemon.board.catalog.read(lambda conn: jobs.ready(conn, 10))
        asset = held[0].subject
        assert asset is not None
        wanted = codec.make("tags.requested", Request(asset=asset), source="host:blender")
        await board.bus.publish(f"{INTAKE}.tags.requested", codec.encode(wanted))
        await board.until(lambda: board.counts() == {"done": 2})
        assert board.held == "blender renders"


async def test_a_hold_survives_a_restart_of_the_board(project: Project) -> None:
    """A board that starts while a render runs knows of it from its journal."""
    async with up(project) as board:
        await board.tell("host.render.started")
        await board.until(lambda: board.held)
    async with up(project) as again:
        await again.until(lambda: again.held == "blender renders")


async def test_an_application_that_dies_gives_the_machine_back(project: Project) -> None:
    """Its last word on the bus ends what it had begun."""
    async with up(project) as board:
        await board.tell("host.playback.started", "resolve")
        await board.until(lambda: board.held == "resolve plays")
        gone = Presence(host="resolve", application="DaVinci Resolve", version="20", state="offline")
        await board.bus.post(
            f"{CHATTER}.host.presence", codec.encode(codec.make("host.presence", gone, source="host:resolve"))
        )
        await board.until(lambda: not board.held)


async def test_pause_and_resume_by_hand(project: Project) -> None:
    """A pause holds what lands; resuming lets it go on."""
    async with up(project) as board:
        await board.ask("pause", Order(seconds=3600))
        await board.until(lambda: board.held == "paused by hand")
        (board.footage / "a.mp4").write_text("a")
        await board.until(lambda: board.counts() == {"queued": 1})
        await board.ask("resume")
        await board.until(lambda: board.counts() == {"done": 1})
