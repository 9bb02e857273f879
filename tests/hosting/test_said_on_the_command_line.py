"""What the command line says of applications: who is connected, where a result would go, and where it went."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from callboard.bus.server import EmbeddedServer
from callboard.catalog import journal
from callboard.cli.app import run
from callboard.config import FILE_NAME, require_project
from callboard.testing.applications import Served, served
from callboard.testing.buses import connected
from callboard_schemas import VERBS, Captions, Cue, Presence, Use
from msgspec.structs import replace

SETTINGS = """
plugins.caption.enabled = false
plugins.autotag.enabled = false
plugins.localize.enabled = false
[[watch]]
path = "footage"
quiet = 0.1
"""

BLENDER = Presence(
    host="blender-1", application="blender", version="4.5", state="online", capabilities=VERBS, project="/p/film.blend"
)
AVID = Presence(host="avid-1", application="avid", version="1", state="online", project="/p/film.avp")


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command and give what it prints."""
    capsys.readouterr()
    assert run(list(words)) == 0
    return capsys.readouterr().out


async def _proposed(board: Served) -> tuple[Path, str]:
    path = board.footage / "a.mp4"
    path.write_text("a clip")
    await board.until(lambda: board.read(lambda conn: journal.place(conn, "footage", b"a.mp4")))
    seen = board.read(lambda conn: journal.place(conn, "footage", b"a.mp4"))
    assert seen is not None
    asset, desk = seen.asset("footage"), board.daemon.board.desk
    cue = Cue(id=1, start=0, end=1, lines=("hello",), confidence=1)
    body = Captions(language="en", cues=(cue,), confidence=1)
    done = await board.daemon.board.catalog.write(lambda conn: desk.write(conn, asset, body, "hand", accept=False))
    return path, done.changed[0]


@pytest.mark.broker
async def test_the_command_line_names_applications_and_routes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status shows who is connected, inbox where a result would go, explain where it went and where it did not."""
    (tmp_path / "footage").mkdir()
    (tmp_path / FILE_NAME).write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    project = require_project(tmp_path)

    async def on_line(*words: str) -> str:
        return await asyncio.to_thread(said, capsys, *words)

    async with (
        EmbeddedServer(project.data) as server,
        connected(server.broker()) as bus,
        connected(server.broker("host"), role="host") as key,
        served(project, bus) as board,
    ):
        clip, ident = await _proposed(board)
        assert "goes into" not in await on_line("inbox")
        await on_line("accept", ident)
        assert "into no application" not in await on_line("explain", str(clip))
        early = await board.application(replace(BLENDER, host="blender-0"), bus=key)
        assert "into no application: no project" in await on_line("explain", str(clip))
        await early.uses(Use(ref="strip-1", path=str(clip), duration=4.0))
        assert "not into blender film.blend, which began to use the file later" in await on_line("explain", str(clip))
        await early.decide(ident, "reopen")
        await board.until(lambda: "hello" in said(capsys, "inbox"))
        await early.present(state="offline")
        blender = await board.application(BLENDER, Use(ref="strip-1", path=str(clip), duration=4.0), bus=key)
        await board.application(AVID, Use(ref="clip-1", path=str(clip)), bus=key)
        listed = await on_line("inbox")
        assert "avid film.avp: sidecar, blender film.blend: subtitles" in listed
        assert json.loads(await on_line("inbox", "--json"))["routes"] == {
            ident: ["avid film.avp: sidecar", "blender film.blend: subtitles"]
        }
        await on_line("accept", ident)
        command = await blender.next("subtitles.write")
        shown = await on_line("status")
        assert "in       blender 4.5 in /p/film.blend: takes tags.write" in shown
        assert "1 command not answered" in shown
        assert "in       avid 1 in /p/film.avp: takes nothing\n" in shown
        assert (
            "to blender /p/film.blend (strip-1) as subtitles, for blender takes subtitles: not answered yet"
            in await on_line("explain", str(clip))
        )
        await blender.receipt(command, "partial", missing=("cue 1: the channel is locked",), landed=("none",))
        await board.until(lambda: ("subtitles.write", "partial") in board.states())
        told = await on_line("explain", str(clip))
        assert "as subtitles, for blender takes subtitles: partly there (cue 1: the channel is locked)" in told
        assert "not into avid /p/film.avp: avid takes neither subtitles nor markers here" in told
        assert "blender partial subtitles.write in blender:/p/film.blend#strip-1: 1 landed, missing: cue 1" in told
        await on_line("reject", ident)
        await blender.receipt(await blender.next("clear"))
        await board.until(lambda: ("clear", "applied") in board.states())
    assert "later    " not in said(capsys, "status")
    went = _went(capsys, clip)
    assert [(one["verb"] or one["route"], one["state"]) for one in went] == [
        ("sidecar", "withdrawn"),
        ("subtitles.write", "withdrawn"),
        ("clear", "applied"),
    ]


def _went(capsys: pytest.CaptureFixture[str], clip: Path) -> Any:
    told = json.loads(said(capsys, "explain", str(clip), "--json"))
    return told["jobs"][0]["proposals"][0]["went"]
