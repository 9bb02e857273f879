"""A board that is killed in the middle of asking an application asks again, and what was done is not done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from callboard.catalog import host_commands, journal, view
from callboard.config import FILE_NAME, Project, require_project
from callboard.failpoints import ENVIRONMENT
from callboard.testing.applications import SOON, served
from callboard_bridge import Bridge
from callboard_schemas import VERBS, Captions, Cue

SETTINGS = """
plugins.caption.enabled = false
plugins.autotag.enabled = false
plugins.localize.enabled = false
[[watch]]
path = "footage"
quiet = 0.1
"""


async def proposed(project: Project) -> str:
    """Leave captions of a clip that wait for a decision."""
    async with served(project) as board:
        (board.footage / "a.mp4").write_text("a clip")
        await board.until(lambda: board.read(lambda conn: journal.place(conn, "footage", b"a.mp4")))
        seen = board.read(lambda conn: journal.place(conn, "footage", b"a.mp4"))
        assert seen is not None
        asset, desk = seen.asset("footage"), board.daemon.board.desk
        cue = Cue(id=1, start=0, end=1, lines=("hello",), confidence=1)
        body = Captions(language="en", cues=(cue,), confidence=1)
        done = await board.daemon.board.catalog.write(lambda conn: desk.write(conn, asset, body, "hand", accept=False))
        return done.changed[0]


def up(folder: Path, failpoint: str = "") -> subprocess.Popen[bytes]:
    """Start the board as people do."""
    command = [sys.executable, "-m", "callboard", "up"]
    environment = {**os.environ, ENVIRONMENT: failpoint}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)


def ticks(bridge: Bridge, what: Callable[[], object], seconds: float = SOON) -> None:
    """Poll a bridge, as the application's tick does, until *what* holds."""
    late = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < late, (bridge.state, bridge.problem)
        bridge.poll()
        time.sleep(0.002)


@pytest.mark.broker
async def test_a_board_killed_before_the_receipt_asks_again(tmp_path: Path) -> None:
    """Killed right after it posted a command, the next board posts the same one, and the receipt for it counts."""
    (tmp_path / "footage").mkdir()
    (tmp_path / FILE_NAME).write_text(SETTINGS)
    project = require_project(tmp_path)
    ident = await proposed(project)
    got: list[dict[str, Any]] = []
    used = {"ref": "strip-1", "path": str(tmp_path / "footage" / "a.mp4"), "duration": 4.0}
    bridge = Bridge.for_project(str(tmp_path), "blender", "4.5.3", VERBS)
    bridge.on_command(got.append)
    bridge.present("/p/film.blend")
    first = up(tmp_path, "host.posted:kill")
    try:
        ticks(bridge, lambda: bridge.state == "online")
        uses = {"host": bridge.host, "project": "/p/film.blend", "uses": [used]}
        told: list[object] = []

        def heard(value: object, problem: str) -> None:
            if problem:  # this process, or the board, stood still for so long that it was taken for gone
                bridge.ask("uses", uses, heard, timeout=SOON)
            else:
                told.append(value)

        bridge.ask("uses", uses, heard, timeout=SOON)
        ticks(bridge, lambda: told)
        bridge.post("host.decided", {"decision": {"proposal": ident, "decision": "accept", "by": "zoe"}})
        ticks(bridge, lambda: first.poll() is not None)
        assert first.returncode == -signal.SIGKILL
        second = up(tmp_path)
    finally:
        first.kill()
        first.wait()
    try:
        ticks(bridge, lambda: bridge.state == "online" and got)
        done = {command["id"]: command for command in got}
        assert len(done) == 1
        for command in done.values():
            bridge.receipt(command, "applied", landed=("hello",))
        with view(project.data) as catalog:
            ticks(bridge, lambda: [row.state for row in catalog.read(host_commands.every)] == ["applied"])
    finally:
        bridge.close()
        second.send_signal(signal.SIGTERM)
        try:
            second.wait(SOON)
        finally:
            second.kill()
            second.wait()
