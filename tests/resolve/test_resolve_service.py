"""The part that runs beside Resolve, with a real board, a real broker and the real bridge, on the stand-in."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from callboard.board import watched_folders
from callboard.bus.nats import NatsBus
from callboard.bus.server import EmbeddedServer
from callboard.catalog import hosts, journal
from callboard.config import PluginSettings, Project, Settings, Watch, make_project
from callboard.sources.facts import Seen
from callboard.testing.applications import SOON, Served, served
from callboard_bridge import Bridge
from callboard_resolve.inside import asking, uses
from callboard_resolve.inside.serve import APPLICATION, Service, capabilities
from callboard_resolve.inside.session import Session
from callboard_resolve.rehearsal import Stage
from callboard_schemas import Captions, Cue, Tag, Tags

pytestmark = pytest.mark.broker


class Suite:
    """A board with a clip in its watched folder, and a Resolve that has the clip on a timeline."""

    def __init__(self, board: Served, project: Project) -> None:
        self.board, self.project = board, project
        self.clip = board.footage / "a.mov"
        self.clip.write_bytes(b"a clip")
        self.stage = Stage()
        manager = self.stage.resolve.GetProjectManager()
        manager.CreateProject("Show")
        pool = manager.GetCurrentProject().GetMediaPool()
        self.timeline = pool.CreateEmptyTimeline("Reel 1")
        self.item = pool.ImportMedia([str(self.clip)])[0]
        info = {"mediaPoolItem": self.item, "startFrame": 0, "endFrame": 240, "recordFrame": 86640, "trackIndex": 1}
        pool.AppendToTimeline([info])
        self.lines: list[str] = []
        bridge = Bridge.for_project(str(project.folder), APPLICATION, "20.3 Studio", capabilities())
        self.folder = asking.folder_of(str(project.folder))
        self.service = Service(Session(self.stage.resolve), bridge, self.folder, self.lines.append)

    async def until(self, what: Callable[[], object], seconds: float = SOON) -> None:
        """Run the service until *what* holds; its seconds go by ten times as fast."""
        async with asyncio.timeout(seconds):
            while not what():
                self.service.tick(time.monotonic() * 10)
                await asyncio.sleep(0.005)

    async def known(self) -> Seen:
        """Wait until the board knows the clip and its use; give the clip."""
        await self.board.until(lambda: self.board.read(lambda conn: journal.place(conn, "footage", b"a.mov")))
        seen = self.board.read(lambda conn: journal.place(conn, "footage", b"a.mov"))
        assert seen is not None
        await self.until(lambda: self.board.read(lambda conn: hosts.uses_of(conn, str(seen.digest))))
        return seen

    async def accepted(self, *said: Captions | Tags) -> list[str]:
        """Have results for the clip accepted."""
        seen = await self.known()
        asset, desk = seen.asset("footage"), self.board.daemon.board.desk
        made = []
        for one in said:
            work = partial(desk.write, asset=asset, result=one, by="hand", accept=False)
            done = await self.board.daemon.board.catalog.write(work)
            made.append(done.changed[0])
            self.service.bridge.post(
                "host.decided", {"decision": {"proposal": done.changed[0], "decision": "accept", "by": "zoe"}}
            )
        return made


@asynccontextmanager
async def suite(folder: Path) -> AsyncIterator[Suite]:
    """Serve a project on a broker of its own, and Resolve to it."""
    (folder / "footage").mkdir()
    off = PluginSettings(enabled=False)
    plugins = {"caption": off, "autotag": off, "localize": off}
    project = make_project(folder, Settings(watch=(Watch(path="footage", quiet=0.1),), plugins=plugins))
    async with (
        EmbeddedServer(project.data, watched_folders(project)) as server,
        NatsBus(server.broker()) as bus,
        served(project, bus) as board,
    ):
        found = Suite(board, project)
        try:
            await found.until(lambda: "Callboard: online" in found.lines)
            yield found
        finally:
            found.service.bridge.close()


CAPTIONS = Captions(
    language="en",
    cues=(
        Cue(id=1, start=1.0, end=2.0, lines=("Good evening.",), confidence=0.9),
        Cue(id=2, start=3.0, end=4.0, lines=("Two", "lines."), confidence=0.9),
    ),
    confidence=0.9,
)
TAGS = Tags(items=(Tag(label="tree", score=0.9, method="seen"),), confidence=0.9, description="A tree.")


async def test_what_is_accepted_lands_on_the_timeline(tmp_path: Path) -> None:
    """Captions and tags that a person accepts are in the project a moment later, and the board has read receipts."""
    async with suite(tmp_path) as stage:
        await stage.until(lambda: stage.service._sent)
        await stage.accepted(CAPTIONS, TAGS)
        await stage.until(lambda: stage.timeline.GetItemListInTrack("subtitle", 1))
        found = [(one.GetName(), one.GetStart() - 86400) for one in stage.timeline.GetItemListInTrack("subtitle", 1)]
        assert found == [("Good evening.", 264), ("Two\nlines.", 312)]
        done = {("subtitles.write", "applied"), ("tags.write", "applied"), ("description.write", "applied")}
        await stage.until(lambda: set(stage.board.states()) == done)
        assert stage.item.GetMetadata("Keywords") == "tree"
        assert stage.item.GetMetadata("Description") == "A tree."


async def test_what_was_moved_waits_for_a_person(tmp_path: Path) -> None:
    """A result for a clip that was moved since is held back, until a person says in the menu to apply it anyway."""
    async with suite(tmp_path) as stage:
        await stage.known()
        await stage.until(lambda: stage.service._walk is None)
        stage.service._next_count = time.monotonic() * 10 + 10_000
        project = stage.stage.house.manager.current
        assert project is not None
        item = project.timelines[0].tracks["video"][0][0]
        item.start, item.end = item.start + 24, item.end + 24
        await stage.accepted(CAPTIONS)
        await stage.until(lambda: ("subtitles.write", "stale") in stage.board.states())
        assert stage.timeline.GetTrackCount("subtitle") == 0
        asking.ask(stage.folder, "anyway")
        await stage.until(lambda: stage.timeline.GetItemListInTrack("subtitle", 1))
        assert stage.timeline.GetItemListInTrack("subtitle", 1)[0].GetStart() == 86400 + 288


async def test_a_wish_from_the_menu_becomes_a_request(tmp_path: Path) -> None:
    """What a person asks for in the menu reaches the board, for what is selected or marked."""
    async with suite(tmp_path) as stage:
        await stage.until(lambda: stage.service._sent)
        asking.ask(stage.folder, "captions")
        await stage.until(lambda: "Callboard: nothing is selected" in stage.lines)
        project = stage.stage.house.manager.current
        assert project is not None
        project.pool.selected = list(project.pool.root.clips)
        asking.ask(stage.folder, "captions")
        said = "Callboard: asked for captions of 1 clips: the selected clips of the media pool"
        await stage.until(lambda: said in stage.lines)
        await stage.until(lambda: stage.service.bridge.pending == 0)
        asking.ask(stage.folder, "placeholder")
        await stage.until(lambda: "Callboard: mark the gap with in and out on the timeline first" in stage.lines)
        stage.timeline.SetMarkInOut(24, 71)
        gap = uses.gap(stage.service.session)
        assert gap is not None
        assert (gap["start"], gap["duration"], gap["rate"], gap["width"]) == (1.0, 2.0, 24.0, 1920)
        asking.ask(stage.folder, "placeholder")
        await stage.until(lambda: "Callboard: asked for a stand-in of 2.00 s" in stage.lines)
        await stage.until(lambda: stage.board.read(_requests) == ["captions", "placeholder"])


def _requests(conn: sqlite3.Connection) -> list[str]:
    return [what for (what,) in conn.execute("SELECT what FROM host_requests ORDER BY seq")]


async def test_a_closed_resolve_ends_the_service(tmp_path: Path) -> None:
    """When Resolve does not answer any more the service ends, and says its last words to the board."""
    async with suite(tmp_path) as stage:
        asking.ask(stage.folder, "stop")
        await stage.until(lambda: stage.service.stopped)
        stage.service.stopped = False
        stage.stage.dialog = True
        await stage.until(lambda: stage.service.stopped)
        assert stage.lines[-1] == "Callboard: Resolve is closed"
        stage.service.run()
        assert not asking.running(stage.folder)
        await stage.board.until(lambda: stage.board.daemon.hosting.status() == [])


async def test_a_project_that_changes_is_told(tmp_path: Path) -> None:
    """Another project that a person opens is greeted, and its uses take the place of those before."""
    async with suite(tmp_path) as stage:
        await stage.until(lambda: stage.service._sent)
        before = stage.service.watch.project
        stage.stage.resolve.GetProjectManager().CreateProject("Other")
        await stage.until(lambda: stage.service.watch.project != before)
        await stage.until(lambda: stage.board.daemon.hosting.status()[0]["project"].startswith("Other ["))
