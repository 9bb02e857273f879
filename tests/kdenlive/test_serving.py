"""Projects served to a real board over its broker: told of, changed after a decision, and watched."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from callboard.board import watched_folders
from callboard.bus import CONTROL
from callboard.bus.nats import NatsBus
from callboard.bus.server import EmbeddedServer
from callboard.catalog import journal
from callboard.config import require_project
from callboard.errors import HostError
from callboard.testing.applications import SOON, Served, served
from callboard_kdenlive import saving
from callboard_kdenlive.package import package
from callboard_kdenlive.uses import open_gaps
from callboard_kdenlive.watch import ProjectFiles
from callboard_schemas import Captions, Cue, Tag, Tags

SETTINGS = """
[[watch]]
path = "footage"
quiet = 0.1
[plugins.caption]
enabled = false
[plugins.autotag]
enabled = false
[plugins.localize]
enabled = false
[hosts]
gap_placeholders = true
"""


@pytest.fixture
def show(pytestconfig: pytest.Config, tmp_path: Path) -> Path:
    """Give a project folder with an edit of two clips, in which people's captions and tags are to land."""
    footage, edits = tmp_path / "footage", tmp_path / "edits"
    footage.mkdir()
    edits.mkdir()
    for name in ("red", "blue"):
        (footage / f"{name}.mp4").write_text(f"a {name} clip")
    text = (pytestconfig.rootpath / "tests" / "kdenlive" / "edit.kdenlive").read_text("utf-8")
    (edits / "edit.kdenlive").write_text(text.replace("@FOLDER@", str(footage)), "utf-8")
    (tmp_path / "callboard.toml").write_text(SETTINGS, "utf-8")
    return tmp_path


@asynccontextmanager
async def adapter(show: Path) -> AsyncIterator[Served]:
    """Serve a board on a broker of its own, and the edits to it, as ``callboard hosts run kdenlive edits`` does."""
    project, stop = require_project(show), threading.Event()
    async with (
        EmbeddedServer(project.data, watched_folders(project)) as server,
        NatsBus(server.broker()) as bus,
        served(project, bus) as board,
    ):
        running = asyncio.create_task(asyncio.to_thread(package().run, show, [show / "edits"], stop=stop.is_set))
        try:
            yield board
        finally:
            stop.set()
            assert await running == 0


async def propose(board: Served, name: str, said: Any) -> str:
    """Wait until the board knows a clip, and propose something for it that waits for a person."""
    await board.until(lambda: board.read(lambda conn: journal.place(conn, "footage", name.encode())))
    seen = board.read(lambda conn: journal.place(conn, "footage", name.encode()))
    assert seen is not None
    asset, desk = seen.asset("footage"), board.daemon.board.desk
    done = await board.daemon.board.catalog.write(lambda conn: desk.write(conn, asset, said, "hand", accept=False))
    return str(done.changed[0])


async def decide(board: Served, ident: str, decision: Literal["accept", "reject"]) -> None:
    """Decide on a proposal, as ``callboard accept`` and ``reject`` do."""
    order = json.dumps({"ids": [ident], "by": "zoe"}).encode()
    answer = json.loads(await board.bus.request(f"{CONTROL}.{decision}", order, timeout=SOON))
    assert not answer.get("code"), answer


def _asked(conn: sqlite3.Connection) -> list[str]:
    return [what for (what,) in conn.execute("SELECT what FROM host_requests")]


def _uses(conn: sqlite3.Connection) -> int:
    return int(conn.execute("SELECT count(*) FROM host_uses WHERE digest != ''").fetchone()[0])


@pytest.mark.broker
async def test_what_a_person_accepts_lands_in_the_edit_and_goes_again(show: Path) -> None:
    """Captions and tags land in the closed edit, the receipts say so, and a change of mind takes them out."""
    edit, side = show / "edits" / "edit.kdenlive", show / "edits" / "edit.kdenlive.srt"
    cue = Cue(id=1, start=0.2, end=1.0, lines=("Over here.",), confidence=0.9)
    said = Captions(language="en", cues=(cue,), confidence=0.9)
    tags = Tags(items=(Tag(label="wall", score=0.9, method="hand"),), confidence=0.9)
    async with adapter(show) as board:
        captions, seen = await propose(board, "red.mp4", said), await propose(board, "blue.mp4", tags)
        await board.until(lambda: board.read(_uses) == 5)
        await board.until(lambda: board.read(_asked) == ["placeholder"])
        await decide(board, captions, "accept")
        await decide(board, seen, "accept")
        landed = [("subtitles.write", "applied"), ("subtitles.write", "applied"), ("tags.write", "partial")]
        await board.until(lambda: sorted(board.states()) == landed)
        assert "Over here." in side.read_text("utf-8")
        assert 'name="kdenlive:callboard.tags">wall<' in edit.read_text("utf-8")
        await decide(board, captions, "reject")
        await board.until(lambda: not side.exists())
        assert "wall" in edit.read_text("utf-8")


def test_only_what_is_a_project_can_be_served(tmp_path: Path) -> None:
    """A file of another kind, and nothing at all, are refused with what to give instead."""
    other = tmp_path / "notes.txt"
    other.write_text("x")
    for paths in ([], [other], [tmp_path / "gone.kdenlive"]):
        with pytest.raises(HostError) as caught:
            package().run(tmp_path, paths, stop=lambda: True)
        assert "kdenlive" in caught.value.hint or "served" in caught.value.hint


def test_a_save_is_seen_once_it_is_quiet(tmp_path: Path) -> None:
    """A project counts as saved a moment after its last change, once; other files count never."""
    path = tmp_path / "deep" / "a.kdenlive"
    path.parent.mkdir()
    with ProjectFiles([tmp_path]) as files:
        path.write_text("one")
        (tmp_path / "deep" / "a.kdenlive.callboard-backup").write_text("x")
        assert files.saved(now=100.0) == []
        assert files.saved(now=100.1) == []
        path.write_text("two, longer")
        assert files.saved(now=100.4) == []
        assert files.saved(now=100.8) == [str(path)]
        assert files.saved(now=101.0) == []
        path.write_text("ours, and longer still")
        files.ours(str(path))
        assert files.saved(now=170.0) == []  # so long after the last look it looks whatever it was told
        path.unlink()
        assert files.saved(now=240.0) == []


def test_a_save_wakes_who_waits(tmp_path: Path) -> None:
    """The wait for something to happen ends with a save, long before its time is over."""
    with ProjectFiles([tmp_path]) as files:
        files.saved()
        waiting = threading.Thread(target=files.wait, args=(600.0,), daemon=True)
        waiting.start()
        (tmp_path / "a.kdenlive").write_text("x")
        waiting.join(SOON)
        assert not waiting.is_alive()


def test_a_gap_is_told_with_the_projects_rate_and_size(show: Path) -> None:
    """What a placeholder has to be like stands in the gap."""
    project, _ = saving.read(os.fspath(show / "edits" / "edit.kdenlive"))
    (gap,) = open_gaps(project)
    assert (gap.rate, gap.width, gap.height, gap.duration) == (25.0, 1280, 720, 1.6)
    assert (gap.counted, gap.frames) == ("25", 40)
