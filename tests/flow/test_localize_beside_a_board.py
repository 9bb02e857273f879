"""'callboard localize' and 'callboard exchange' while a board runs: over the bus, by the board's own hand."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from callboard.catalog import proposals
from callboard.cli.asking import ask_board
from callboard.cli.live import live
from callboard.cli.project import ask
from callboard.config import PluginSettings, Settings, Watch, make_project
from callboard.control import Order
from callboard.daemon import Daemon
from callboard.errors import CallboardError, UsageError
from callboard.exchange import table
from callboard.exchanging import lend
from callboard.localizing import Wanted
from callboard.testing import TmpPlugin
from callboard_schemas import Translation
from rich.console import Console

HERE = Path(__file__).parent


async def until(what: Callable[[], object]) -> None:
    """Wait until *what* holds."""
    async with asyncio.timeout(60):
        while not what():
            await asyncio.sleep(0.02)


async def brought(daemon: Daemon, ident: str, folder: Path) -> None:
    """Let a translator mend the first cue of a translation, and hand the file to the board."""
    board = daemon.board
    lent = board.catalog.read(lambda conn: lend(conn, board.following, ident))
    text = table.write(lent.sheet).decode("utf-8-sig").replace("dooG", "Buenos")
    (folder / "back.csv").write_text(text)
    told = await ask(board.project, "import", Order(path=str(folder / "back.csv"), by="zoe"))
    assert (told["state"], told["taken"]) == ("accepted", ["1"])


@pytest.mark.broker
async def test_a_running_board_translates_and_takes_back(tmp_path: Path, tmp_plugin: TmpPlugin) -> None:
    """A board is asked over its bus, its answer is shown, accepted on request, and a translator's file is merged."""
    speaking, turning = ((HERE / name).read_text() for name in ("speaking.py", "turning.py"))
    tmp_plugin("speak", speaking, events=["media.settled"], results=["captions"], media=["video"])
    tmp_plugin("turn", turning, (HERE / "turning.toml").read_text().replace("LOG", str(tmp_path / "calls")))
    footage = tmp_path / "footage"
    footage.mkdir()
    off = PluginSettings(enabled=False)
    plugins = {"caption": off, "autotag": off, "localize": off}
    watch = (Watch(path="footage", quiet=0.2),)
    settings = Settings(watch=watch, allow_plugins=("speak", "turn"), plugins=plugins, workers=2)
    project = make_project(tmp_path, settings)
    async with live(project, Console(file=io.StringIO())) as (daemon, _):
        film = footage / "film.mov"
        film.write_text("Good morning.")
        with pytest.raises(UsageError):
            await ask_board(project, [tmp_path / "nowhere.mov"], Wanted(languages=("es",)), yes=False)
        await until((footage / "film.en.srt").exists)
        report = await ask_board(project, [film], Wanted(languages=("es",)), yes=True)
        (made,) = report.assets[0].jobs[0].proposals
        assert isinstance(made.body, Translation)
        await until((footage / "film.es.srt").exists)
        await brought(daemon, made.id, tmp_path)
        await until(lambda: "Buenos" in (footage / "film.es.srt").read_text())
        with pytest.raises(CallboardError):
            await ask(project, "import", Order(path=str(tmp_path / "nowhere.csv"), by="zoe"))
        stands = daemon.board.catalog.read(lambda conn: proposals.get(conn, made.id))
        assert stands is not None
        assert (stands.state, stands.reason[:3]) == ("superseded", "by ")
