"""The Lua adapter, run by a real LuaJIT on a strict stand-in; it writes what the Python adapter writes."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import callboard_bridge
import callboard_resolve
import pytest
from callboard.board import watched_folders
from callboard.bus.nats import NatsBus
from callboard.bus.server import EmbeddedServer
from callboard.catalog import hosts, journal
from callboard.config import PluginSettings, Project, Settings, Watch, make_project
from callboard.hosting import Installation
from callboard.testing.applications import SOON, Application, Served, served
from callboard_resolve.contract import contract
from callboard_resolve.inside import uses
from callboard_resolve.inside.session import Session
from callboard_resolve.inside.studio import Studio
from callboard_resolve.package import ResolvePackage
from callboard_resolve.rehearsal import Stage
from callboard_schemas import Presence, Tag, Tags

LUA = [Path(callboard_bridge.__file__).parent, Path(callboard_resolve.__file__).parent / "scripts"]
ELSEWHERE = Presence(host="elsewhere-1", application="elsewhere", version="1", state="online")
PLAY = """
local shot = stage.clip(PATH)
local other = stage.item(shot, 120, 86400, 120)
local item = stage.item(shot, 0, 86880, 120)
local resolve, timeline, fields = stage.play({ shot }, { other, item })
"""
SHOW = """
local function marks(target)
  local found = {}
  for frame, mark in pairs(target.it.marks) do found[tostring(frame)] = mark end
  return found
end
local function show(value) print(json.encode(value)) end
"""
COMMANDS: list[dict[str, Any]] = [
    {"verb": "tags.write", "use": 0, "content": {"tags": ["Tree", "river", "a, b"]}},
    {"verb": "tags.write", "proposal": "p2", "use": 0, "content": {"tags": ["river", "sky"]}},
    {"verb": "description.write", "use": 1, "content": {"description": "Gr\u00fcn."}},
    {"verb": "markers.write", "use": 0, "content": {"markers": [{"start": 1.0, "name": "Pool", "duration": 0.5}]}},
    {"verb": "markers.write", "use": 2, "content": {"markers": [
        {"start": 0.5, "name": "One", "colour": "orange", "note": "n"},
        {"start": 0.5, "name": "Two"},
        {"start": 9.0, "name": "Outside"},
    ]}},
]  # fmt: skip


def prelude(path: str) -> str:
    """Write what each Lua program begins with."""
    table = ",".join(
        f"{kind}={{" + ",".join(f"{name}={{{one.least},{one.most}}}" for name, one in methods.items()) + "}"
        for kind, methods in contract().objects.items()
    )
    strict = Path(__file__).with_name("strict.lua").read_text("utf-8")
    return (
        "package.path = " + json.dumps(";".join(f"{folder}/?.lua" for folder in LUA)) + " .. ';' .. package.path\n"
        f"CONTRACT = {{{table}}}\nlocal PATH = {json.dumps(path)}\n"
        f"local stage = (function()\n{strict}\nend)()\n"
        "local json = require('callboard_json')\npackage.preload.callboard_adapter = function() return dofile("
        + json.dumps(str(LUA[1] / "adapter.lua"))
        + ") end\nlocal adapter = require('callboard_adapter')\n"
        + SHOW
        + PLAY
    )


def lua(code: str, path: str = "/footage/shot.mov") -> list[Any]:
    """Run a program; gives what it showed."""
    done = subprocess.run(
        ["luajit", "-"], input=prelude(path) + code, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


APPLY = """
local session = adapter.session(resolve)
for _, command in ipairs(json.decode(COMMANDS)) do
  command.use = command.use and session:uses()[command.use + 1]
  command.proposal = command.proposal or "p1"
  local state, landed, missing, note = adapter.apply(session, command)
  show({ state = state, landed = json.array(landed), missing = json.array(missing), note = note })
end
local clip = { clip = marks(shot), metadata = shot.it.metadata, third = shot.it.third }
clip.uses, clip.marks = session:uses(), marks(timeline)
show(clip)
"""


def in_python(folder: Path, commands: list[dict[str, Any]]) -> tuple[list[Any], dict[str, Any]]:
    """Do the same with the Python adapter on its stand-in."""
    stage = Stage()
    manager = stage.resolve.GetProjectManager()
    manager.CreateProject("Show")
    pool = manager.GetCurrentProject().GetMediaPool()
    reel = pool.CreateEmptyTimeline("Reel")
    (folder / "shot.mov").write_bytes(b"x")
    stage.lengths["shot.mov"] = ("24", 240)
    clip = pool.ImportMedia([str(folder / "shot.mov")])[0]
    for first, start in ((120, 86400), (0, 86880)):
        info = {"mediaPoolItem": clip, "startFrame": first, "endFrame": first + 120, "trackIndex": 1}
        pool.AppendToTimeline([{**info, "recordFrame": start}])
    session = Session(stage.resolve)
    studio, done = Studio(session, str(folder)), []
    for given in commands:
        use = list(uses.scan(session))[given["use"]] if "use" in given else None
        state, landed, missing, note = studio.apply({"proposal": "p1", **given, "use": use})
        done.append({"state": state, "landed": landed, "missing": missing, "note": note})
    return done, {
        "metadata": clip.GetMetadata(),
        "third": clip.GetThirdPartyMetadata(),
        "clip": clip.GetMarkers(),
        "marks": reel.GetMarkers(),
        "uses": list(uses.scan(session)),
    }


def without_ids(marks: dict[Any, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Leave out of markers the checksum of the use, whose id is another one on each stand-in."""
    plain = {}
    for frame, mark in marks.items():
        callboard, proposal, _, number, edited = mark["customData"].split(":")
        plain[int(float(frame))] = {**mark, "customData": [callboard, proposal, number, edited]}
    return plain


@pytest.mark.parametrize("clear", [False, True])
def test_lua_writes_what_python_writes(tmp_path: Path, clear: bool) -> None:
    """The same commands give the same keywords, notes of ours, markers and receipts in both languages."""
    commands = [*COMMANDS, *([{"verb": "clear"}] if clear else [])]
    done, there = in_python(tmp_path, commands)
    code = f"local COMMANDS = {json.dumps(json.dumps(commands, ensure_ascii=False), ensure_ascii=False)}\n{APPLY}"
    *did, here = lua(code, str(tmp_path / "shot.mov"))
    assert did == done
    assert (here["metadata"], here["third"]) == (there["metadata"], there["third"])
    assert without_ids(here["clip"] or {}) == without_ids(there["clip"])
    assert without_ids(here["marks"] or {}) == without_ids(there["marks"])
    for mine, theirs in zip(here["uses"], there["uses"], strict=True):
        for key in ("path", "start", "source_in", "duration", "speed"):
            assert mine.get(key) == theirs.get(key)


def test_lua_keeps_what_a_person_changed() -> None:
    """A marker that a person edited stays, a person's marker is never taken, and a description of theirs is kept."""
    told = lua("""
    local session = adapter.session(resolve)
    timeline:AddMarker(480, "Red", "mine", "", 1, "")
    local function write(name)
      local command = { verb = "markers.write", proposal = "p1", use = session:uses()[3] }
      command.content = { markers = { { start = 0, name = name } } }
      return adapter.apply(session, command)
    end
    local state, landed = write("First")
    show(landed[1])
    write("Second")
    show(timeline.it.marks[481].name)
    timeline.it.marks[481].note = "a person's words"
    local state, landed, missing, note = write("Third")
    show({ state, #landed, note })
    shot:SetMetadata("Description", "Mine.")
    local command = { verb = "description.write", proposal = "p1", use = session:uses()[1] }
    command.content = { description = "Ours." }
    local state, landed, missing = adapter.apply(session, command)
    show({ state, missing[1] })
    stage.deaf = "Timeline.AddMarker"
    show({ adapter.apply(session, { verb = "clear", proposal = "p9" }) }, 1)
    """)
    assert told[:2] == ["First (1 frame later: its frame was taken)", "Second"]
    assert told[2] == ["applied", 0, "markers that a person changed were kept"]
    assert told[3] == ["failed", "Description: kept, because a person wrote one"]


def test_lua_refuses_what_it_does_not_do() -> None:
    """Another verb, another project, a use that is gone or moved, and a setter that keeps nothing are all told."""
    told = lua("""
    local session = adapter.session(resolve)
    local use = session:uses()[3]
    local function try(command)
      command.proposal = "p1"
      local state, landed, missing, note = adapter.apply(session, command)
      show({ state, note, missing[1] or "" })
    end
    try({ verb = "python.run" })
    try({ verb = "tags.write", project = "Other [0]" })
    try({ verb = "tags.write", use = { ref = "item/none" } })
    try({ verb = "tags.write", use = use, revision = "old" })
    try({ verb = "tags.write", use = use, content = 7 })
    stage.deaf = "Timeline.AddMarker"
    try({ verb = "markers.write", use = use, content = { markers = { { start = 1, name = "Cut" } } } })
    show(fields.product and stage.calls[1])
    """)
    assert [state for state, *_ in told[:6]] == ["refused", "refused", "refused", "stale", "failed", "failed"]
    assert told[5][2] == "Cut: Resolve put no marker at frame 504"
    assert told[6] == "Resolve.GetProductName"


def test_rates_and_checksums_are_pythons() -> None:
    """Both languages read rates and sum texts alike."""
    from callboard_resolve.inside.frames import rate_of
    from callboard_resolve.inside.ledger import checksum

    texts = ["24", "23.976", "29.97 DF", "59.94", "x", "", "Gr\u00fcn \u6620\n\ttabs" * 50]
    code = f"for _, text in ipairs(json.decode({json.dumps(json.dumps(texts))})) do "
    code += "show({ adapter.rate_of(text) or 0, adapter.checksum(text) }) end"
    assert lua(code) == [[pytest.approx(rate_of(text), abs=1e-12), checksum(text)] for text in texts]


@asynccontextmanager
async def board_of(folder: Path) -> AsyncIterator[tuple[Served, Project]]:
    """Serve a project with a clip on a broker of its own."""
    (folder / "footage").mkdir()
    (folder / "footage" / "a.mov").write_bytes(b"a clip")
    off = PluginSettings(enabled=False)
    plugins = {"caption": off, "autotag": off, "localize": off}
    project = make_project(folder, Settings(watch=(Watch(path="footage", quiet=0.1),), plugins=plugins))
    async with (
        EmbeddedServer(project.data, watched_folders(project)) as server,
        NatsBus(server.broker()) as bus,
        served(project, bus) as board,
    ):
        yield board, project


RUN = """
resolve, bmd = resolve, { wait = function() os.execute("sleep 0.01") end }
_G.resolve, _G.bmd = resolve, bmd
local show_all = print
print = function(line)
  io.stdout:write(line, "\\n")
  io.stdout:flush()
end
local ok, problem = pcall(dofile, SCRIPT)
show({ keywords = shot.it.metadata.Keywords or "", problem = tostring(problem) })
"""


@pytest.mark.broker
async def test_the_installed_script_serves_a_board(tmp_path: Path) -> None:
    """The installed file alone, in LuaJIT, brings an accepted tag into the project, and ends when it is asked to."""
    async with board_of(tmp_path) as (board, project):
        place = Installation(application="DaVinci Resolve", version="", folder=str(tmp_path / "Utility"))
        ResolvePackage().install(place, project.folder, dry_run=False)
        script = json.dumps(str(tmp_path / "Utility" / "Callboard (Lua).lua"))
        clip = str(project.folder / "footage" / "a.mov")
        running = await asyncio.create_subprocess_exec(
            "luajit", "-", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        assert running.stdin is not None
        running.stdin.write(f"{prelude(clip)}\nlocal SCRIPT = {script}\n{RUN}".encode())
        running.stdin.close()
        try:
            await board.until(lambda: board.read(lambda conn: journal.place(conn, "footage", b"a.mov")))
            seen = board.read(lambda conn: journal.place(conn, "footage", b"a.mov"))
            assert seen is not None
            await board.until(lambda: board.read(lambda conn: hosts.uses_of(conn, str(seen.digest))))
            tags = Tags(items=(Tag(label="tree", score=0.9, method="seen"),), confidence=0.9)
            desk, asset = board.daemon.board.desk, seen.asset("footage")
            work = partial(desk.write, asset=asset, result=tags, by="hand", accept=False)
            done = await board.daemon.board.catalog.write(work)
            await Application(board.bus, ELSEWHERE).decide(done.changed[0])
            await board.until(lambda: board.states() == [("tags.write", "applied")])
            (project.folder / ".callboard" / "resolve" / "stop-lua").write_text("stop")
            out, error = await asyncio.wait_for(running.communicate(), SOON)
        finally:
            if running.returncode is None:
                running.kill()
                await running.communicate()
        lines = out.decode().splitlines()
        assert json.loads(lines[-1])["keywords"] == "tree", error.decode()
        assert "Callboard: online" in lines
        assert "Callboard: disconnected" in lines
        await board.until(lambda: board.daemon.hosting.status() == [])
