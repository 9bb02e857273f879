"""A catalog whose disk is full: nothing is lost, nothing is done twice, and work goes on when there is room."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from callboard.bus.memory import MemoryBus
from callboard.catalog import jobs
from callboard.config import PluginSettings, Project, Settings, Watch, make_project
from callboard.daemon import Daemon
from callboard.errors import Blocked
from callboard.oneshot import OneShot, Watcher
from callboard.testing import TmpPlugin

FILES = 40

COUNTED = """
    from callboard import hookimpl, Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        with open(context.parameters["log"], "a") as log:
            log.write(context.path.name + "\\n")
        return Tags(items=(Tag(label="x" * 190, score=0.9, method="counted"),), confidence=0.9)
"""


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin) -> Project:
    """Give a project that watches one folder with one plugin that counts its calls."""
    log = {"type": "string", "default": str(tmp_path / "calls"), "help": "Where calls are counted."}
    tmp_plugin("counted", COUNTED, parameters={"log": log})
    (tmp_path / "footage").mkdir()
    off = PluginSettings(enabled=False)
    settings = Settings(
        watch=(Watch(path="footage", quiet=0.2),),
        allow_plugins=("counted",),
        plugins={"caption": off, "autotag": off},
    )
    return make_project(tmp_path, settings)


def _limit(pages: int) -> object:
    """Let SQLite take no more than *pages* pages beyond those it has: it then says that the disk is full."""

    def work(conn: sqlite3.Connection) -> int:
        now = conn.execute("PRAGMA page_count").fetchone()[0]
        return int(conn.execute(f"PRAGMA max_page_count = {now + pages}").fetchone()[0])

    return work


def _drop(folder: Path) -> None:
    for number in range(FILES):
        (folder / f"clip{number:02d}.mp4").write_text(f"frame {number} " * 20)


async def test_a_board_waits_for_room_and_goes_on(project: Project) -> None:
    """With the disk full files wait; with room again each is done once and has its sidecars."""
    footage = project.folder / "footage"
    async with MemoryBus() as bus:
        daemon = Daemon(project, bus)
        serving = asyncio.create_task(daemon.serve())
        await daemon.ready.wait()
        catalog = daemon.board.catalog
        await catalog.write(_limit(6))  # type: ignore[arg-type]  # it gives work that returns a number
        _drop(footage)
        async with asyncio.timeout(60):
            while not await _is_full(daemon):
                await asyncio.sleep(0.05)
        assert catalog.read(jobs.counts).get("done", 0) < FILES
        await catalog.write(_limit(1_000_000))  # type: ignore[arg-type]  # as above
        async with asyncio.timeout(90):
            while len(list(footage.glob("*.xmp"))) < FILES or catalog.read(jobs.counts) != {"done": FILES}:
                await asyncio.sleep(0.05)
        daemon.stopping.set()
        await serving
    calls = (project.folder / "calls").read_text().splitlines()
    assert sorted(calls) == [f"clip{number:02d}.mp4" for number in range(FILES)]


async def _is_full(daemon: Daemon) -> bool:
    try:
        await daemon.board.catalog.write(
            lambda conn: conn.execute("CREATE TABLE room AS SELECT randomblob(20000)").rowcount
        )
        # What the board writes at the same moment shares its commit, and may find no room.
        await daemon.board.catalog.write(lambda conn: conn.execute("DROP TABLE room").rowcount)
    except Blocked:
        return True
    return False


async def test_a_run_that_cannot_be_recorded_ends_with_the_reason(project: Project) -> None:
    """One-shot work on a full disk ends with one clear error instead of waiting for ever; later it goes on."""
    footage = project.folder / "footage"
    _drop(footage)
    shots: list[OneShot] = []

    class Fill(Watcher):
        def found(self, count: int) -> None:
            board = shots[0].board
            assert board is not None
            board.catalog.write_sync(_limit(2))  # type: ignore[arg-type]  # as above

    shots.append(OneShot(project, [footage], plugins=("counted",), watcher=Fill()))
    with pytest.raises(Blocked, match="the catalog cannot be written: database or disk is full"):
        await shots[0].execute()
    report = await OneShot(project, [footage], plugins=("counted",)).execute()
    assert report.totals["done"] == FILES
