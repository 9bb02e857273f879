"""A running board follows its vocabulary file: a change counts from the next event on, a broken one changes nothing."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from callboard.board import Board
from callboard.bus.memory import MemoryBus
from callboard.catalog import proposals
from callboard.config import PluginSettings, Project, Settings, Watch, make_project
from callboard.daemon import Daemon
from callboard.doctor import examine
from callboard.testing import TmpPlugin
from callboard_schemas import Tags

SAY = """
    from callboard import hookimpl, Tag, Tags
    from callboard.vocabulary import resolve

    @hookimpl
    def callboard_handle(event, asset, context):
        word = context.path.read_text().split()[0]
        tags = resolve((Tag(label=word, score=0.9, method="say"),), context.vocabulary)
        return Tags(items=tags, confidence=0.9)
"""
WORDS = '[[concepts]]\nid = "beach"\nlabel = "Beach"\nsynonyms = ["seaside"]\n'


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin) -> Project:
    """Give a project that watches one folder with a plugin that asks for the vocabulary."""
    tmp_plugin("say", SAY, vocabulary=True)
    (tmp_path / "footage").mkdir()
    off = PluginSettings(enabled=False)
    settings = Settings(
        watch=(Watch(path="footage", quiet=0.2),),
        allow_plugins=("say",),
        plugins={"caption": off, "autotag": off},
        workers=2,
    )
    return make_project(tmp_path, settings)


def put(project: Project, name: str, text: str) -> None:
    """Put a file in place as a whole."""
    temp = project.folder / f"{name.replace('/', '-')}.temp"
    temp.write_text(text)
    os.replace(temp, project.folder / name)


async def drop(project: Project, board: Board, number: int) -> list[str]:
    """Drop a file and wait for its tags."""
    put(project, f"footage/{number}.mp4", f"seaside {number}")
    async with asyncio.timeout(60):
        while True:
            made = board.catalog.read(
                lambda conn: [row[0] for row in conn.execute("SELECT id FROM proposals ORDER BY created")]
            )
            if len(made) > number:
                break
            await asyncio.sleep(0.02)
    body = board.catalog.read(lambda conn: proposals.get(conn, made[number]))
    assert body is not None
    assert isinstance(body.body, Tags)
    return [tag.label for tag in body.body.items]


async def test_a_running_board_follows_its_vocabulary(project: Project) -> None:
    """New words count for the next file without a restart; while the file is broken the last whole ones do."""
    async with MemoryBus() as bus:
        daemon = Daemon(project, bus)
        serving = asyncio.create_task(daemon.serve())
        await daemon.ready.wait()
        try:
            board = daemon.board
            assert await drop(project, board, 0) == ["seaside"]
            put(project, "vocabulary.toml", WORDS)
            assert await drop(project, board, 1) == ["Beach"]
            put(project, "vocabulary.toml", WORDS.replace("Beach", "Strand"))
            assert await drop(project, board, 2) == ["Strand"]
            put(project, "vocabulary.toml", WORDS + "id = 5\n")
            assert await drop(project, board, 3) == ["Strand"]
            standing = board.vocabulary.standing()
            assert "Cannot overwrite a value" in standing.problem
            assert (standing.concepts, len(standing.digest)) == (1, 64)
            (found,) = [one for one in await asyncio.to_thread(examine, project) if one.what == "vocabulary"]
            assert found.level == "problem"
            put(project, "vocabulary.toml", WORDS)
            assert await drop(project, board, 4) == ["Beach"]
        finally:
            daemon.stopping.set()
            await serving
    async with MemoryBus() as bus:
        put(project, "vocabulary.toml", "never = 5\n")
        daemon = Daemon(project, bus)
        serving = asyncio.create_task(daemon.serve())
        await daemon.ready.wait()
        assert await drop(project, daemon.board, 5) == ["Beach"]  # the last whole one, also after a restart
        daemon.stopping.set()
        await serving
