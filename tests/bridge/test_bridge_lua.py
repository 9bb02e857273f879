"""The LuaJIT twin, driven by real LuaJIT: login, events once each, questions, commands, and servers that mean harm."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Self

import nkeys
import pytest
from callboard.bus import Delivery
from callboard.bus.nats import NatsBus
from callboard.bus.server import EmbeddedServer
from callboard.testing.buses import connected
from callboard_bridge import onefile
from callboard_bridge.guard import VERBS
from callboard_bridge.outbox import Outbox

SOON = 60.0
DRIVER = r"""
package.path = arg[1] .. "/?.lua"
local cb, json = require("callboard_bridge"), require("callboard_json")
local function say(value) io.write(json.encode(value), "\n"); io.flush() end
local bridge = cb.for_project(arg[2], "DaVinci Resolve", "20.3", { "markers.write", "python.run" })
bridge:present("/films/a.drp", "1")
bridge:on_command(function(command)
  if command.id == "boom" then error("no timeline") end
  say({ command = command })
  bridge:receipt(command, "applied", { "marker 1" }, {}, "well")
end)
for n = 1, tonumber(arg[3]) do assert(bridge:post("host.scene.saved", { project = tostring(n) }) ~= "") end
bridge:ask("uses", { uses = json.array() }, function(value, problem) say({ answer = value, problem = problem }) end, 60)
local worst, second, state, left, ends = 0, 0, "", -1, os.time() + 100
while os.time() < ends and not io.open(arg[4]) do
  local began = os.clock()
  bridge:poll()
  local cost = os.clock() - began
  if cost > worst then worst, second = cost, worst elseif cost > second then second = cost end
  if bridge:state() ~= state then state = bridge:state(); say({ state = state, problem = bridge.problem }) end
  if bridge:pending() ~= left then left = bridge:pending(); say({ pending = left }) end
  require("ffi").C.poll(nil, 0, 1)
end
bridge:close()
say({ second = second, allowed = bridge:allowed(arg[2] .. "/footage/x.mov"), outside = bridge:allowed("/etc/passwd") })
"""
HEAD = 'local ffi = require("ffi"); ffi.cdef("int poll(void *, unsigned long, int);")\n'


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the twin as one file, and its JSON beside it for the driver."""
    folder = tmp_path_factory.mktemp("lua")
    subprocess.run([sys.executable, "-m", "callboard_bridge.onefile", str(folder / "callboard_bridge.lua")], check=True)
    (folder / "drive.lua").write_text(HEAD + DRIVER)
    return folder


class Driven:
    """A LuaJIT process with the twin in it, and what it said so far."""

    def __init__(self, library: Path, project: Path, events: int = 0) -> None:
        self.said: list[dict[str, Any]] = []
        self._stop = project / "stop"
        self._command = ["luajit", str(library / "drive.lua"), str(library), str(project), str(events), str(self._stop)]

    async def __aenter__(self) -> Self:
        pipe = asyncio.subprocess.PIPE
        self._stop.unlink(missing_ok=True)
        self.process = await asyncio.create_subprocess_exec(*self._command, stdout=pipe, stderr=pipe, limit=1 << 22)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()

    async def until(self, condition: Callable[[], Any]) -> None:
        """Read what it says until the condition holds."""
        async with asyncio.timeout(SOON):
            while not condition():
                assert self.process.stdout is not None
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        line = await self.process.stdout.readline()
                        assert line, (await self.process.stderr.read()).decode() if self.process.stderr else ""
                        self.said.append(json.loads(line))

    async def stop(self) -> str:
        """Have it close the bridge and end; give what it wrote on stderr."""
        self._stop.write_text("")
        async with asyncio.timeout(SOON):
            rest, errors = await self.process.communicate()
        self.said += [json.loads(line) for line in rest.splitlines()]
        return errors.decode()

    @property
    def left(self) -> int:
        """Events that it had left when it said so last."""
        return next((int(one["pending"]) for one in reversed(self.said) if "pending" in one), -1)

    def has(self, **wanted: Any) -> bool:
        """Say whether it said this."""
        return any(wanted.items() <= one.items() for one in self.said)


class Board:
    """What a board does on the bus, written down."""

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedServer(folder / ".callboard", [str(folder / "footage")])
        self.events: list[dict[str, Any]] = []
        self.chatter: list[dict[str, Any]] = []
        self.asked: list[tuple[str, Any]] = []
        self.parts: list[str] = []
        self.bus: NatsBus
        self._open = contextlib.AsyncExitStack()

    async def open(self) -> None:
        """Start the server and listen."""
        await self.server.start()
        self.bus = await self._open.enter_async_context(connected(self.server.broker("board")))
        await self.bus.serve("cb.ctl.host.*", self._answer)
        await self.bus.listen("cb.now.>", self._heard)
        await self.bus.consume("cb.in.>", self._take, durable="board", window=512)

    async def close(self) -> None:
        """Stop the server."""
        await self._open.aclose()
        await self.server.stop()

    @property
    def host(self) -> str:
        """The host that said hello last."""
        return str([asked for verb, asked in self.asked if verb == "hello"][-1]["host"])

    async def command(self, **fields: Any) -> None:
        """Send a command."""
        data = {"host": self.host, "verb": "markers.write", "proposal": "p1", **fields}
        await self.bus.post(f"cb.do.{self.host}", json.dumps({"type": "host.command", "data": data}).encode())

    async def _take(self, delivery: Delivery) -> None:
        self.events.append(json.loads(delivery.body))
        await delivery.ack()

    async def _heard(self, _subject: str, body: bytes) -> None:
        self.chatter.append(json.loads(body))

    async def _answer(self, subject: str, body: bytes) -> bytes:
        verb, asked = subject.rpartition(".")[2], json.loads(body)
        self.asked.append((verb, asked))
        if verb == "body":
            return json.dumps(
                {"value": {"part": asked["part"], "parts": 9, "text": self.parts[asked["part"]]}}
            ).encode()
        return json.dumps({"value": {"known": {"ä": 'a"\n'}}} if verb == "uses" else {"value": {}}).encode()


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[Board]:
    """Give a board that is not running yet, in a project with footage."""
    (tmp_path / "footage").mkdir()
    board = Board(tmp_path)
    yield board
    if hasattr(board, "bus"):
        await board.close()


@pytest.mark.broker
async def test_lua_does_what_python_does(board: Board, library: Path, tmp_path: Path) -> None:
    """LuaJIT logs in with the nkey, posts events, asks, takes commands inline and in parts, and says good-bye."""
    await board.open()
    text = json.dumps({"markers": [{"start": n, "name": "ä" * 40} for n in range(900)]}, ensure_ascii=False)
    board.parts = [text[start : start + 16_000] for start in range(0, len(text), 16_000)]
    async with Driven(library, tmp_path, 20) as lua:
        await lua.until(lambda: lua.has(state="online") and lua.has(answer={"known": {"ä": 'a"\n'}}))
        for _ in range(2):
            await board.command(id="c1", content={"markers": [{"start": 1, "name": "a"}], "unknown": 1})
            await board.command(id="c2", parts=len(board.parts))
            await lua.until(lambda: len(board.events) >= 22)
        await board.command(id="boom")
        for number, fields in enumerate(WRONG):
            await board.command(id=f"w{number}", **fields)
        await lua.until(lambda: len(board.events) >= 23 + len(WRONG))
        errors = await lua.stop()
        await asyncio.wait_for(_offline(board), SOON)

    commands = [one["command"] for one in lua.said if "command" in one]
    receipts = {event["data"]["command"]: event["data"] for event in board.events if event["type"] == "host.receipt"}
    assert [event["data"]["project"] for event in board.events[:20]] == [str(n) for n in range(1, 21)]
    assert [one["id"] for one in commands] == ["c1", "c2"]
    assert commands[0]["content"] == {"markers": [{"start": 1, "name": "a"}]}
    assert commands[1]["content"] == json.loads(text)
    assert (receipts["c1"]["state"], receipts["c1"]["landed"], receipts["c1"]["missing"]) == (
        "applied",
        ["marker 1"],
        [],
    )
    assert "no timeline" in errors
    assert {name: one["state"] for name, one in receipts.items() if name[0] in "bw"} == {
        "boom": "failed",
        **{f"w{number}": "refused" for number in range(len(WRONG))},
    }
    assert board.asked[0][0] == "hello"
    assert board.asked[0][1]["capabilities"] == ["markers.write"]
    assert lua.has(allowed=True, outside=False)


WRONG: list[dict[str, Any]] = [
    {"verb": "python.run"},
    {"verb": "clear"},
    {"content": {"file": "/etc/passwd"}},
    {"content": {"markers": "all"}},
    {"use": {"ref": "s", "path": "/etc/shadow"}},
    {"arguments": {"to": ["../../x"]}},
    {"expires": 5},
    {"parts": 10_000},
]


async def _offline(board: Board) -> None:
    while not any(event["data"]["state"] == "offline" for event in board.chatter):
        await asyncio.sleep(0.01)


@pytest.mark.broker
async def test_lua_events_wait_for_the_board(board: Board, library: Path, tmp_path: Path) -> None:
    """Events of a script that was killed before the board came are delivered once, by whichever bridge comes."""
    (tmp_path / ".callboard").mkdir(mode=0o700)
    async with Driven(library, tmp_path, 300) as lua:
        await lua.until(lambda: lua.has(state="offline") or "callboard up" in str(lua.said))
        lua.process.kill()
    (left,) = (tmp_path / ".callboard" / "hosts" / "outbox").iterdir()
    with left.open("ab") as file:
        file.write(b'{"id":"torn')
    python = Outbox(str(left.parent), "python")
    for second in (100.0, 200.0, 300.0):
        python.tend(second)
    assert python.count == 300
    python.close()
    await board.open()
    async with Driven(library, tmp_path, 1) as lua:
        await lua.until(lambda: lua.left == 0 and len(board.events) >= 301)
        await lua.stop()
    assert Counter(event["data"]["project"] for event in board.events) == Counter(
        ["1", *(str(n) for n in range(1, 301))]
    )
    assert list(left.parent.iterdir()) == []


@pytest.mark.parametrize(
    "said",
    [
        *(
            b"",
            b"HTTP/1.1 400\r\n\r\n",
            os.urandom(100_000),
            b"INFO " + b"[" * 30_000 + b"\r\n",
            b"INFO {}\r\nEXEC x\r\n",
        ),
        *(b"x" * 200_000, b"INFO {}\r\nPONG\r\nMSG a 1 -5\r\n", b"INFO {}\r\nPONG\r\nMSG a 1 9999999999\r\n"),
        b"INFO {}\r\nPONG\r\n" + b"MSG a 1 3000000\r\n" + bytes(3_000_000) + b"\r\nEXEC\r\n",
        b"INFO {}\r\nPONG\r\n" + b"PING\r\n" * 100_000 + b"EXEC\r\n",
        b'INFO {"nonce":"' + b"x" * 20_000 + b"\"}\r\n-ERR 'Authorization Violation'\r\n",
    ],
    ids=range(11),
)
async def test_lua_survives_servers_that_mean_harm(said: bytes, library: Path, tmp_path: Path) -> None:
    """Whatever a server says, the script goes on, says what is wrong and tries again."""
    came = 0

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        came += 1
        try:
            with contextlib.suppress(OSError):
                writer.write(said)
                await writer.drain()
                while b"nonce" not in said and said and await reader.read(65536):
                    pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for name in ("nats", "keys"):
        (tmp_path / ".callboard" / name).mkdir(parents=True)
    (tmp_path / ".callboard" / "nats" / "board.json").write_text(json.dumps({"url": f"nats://127.0.0.1:{port}"}))
    seed = bytes(nkeys.encode_seed(bytes(32), nkeys.PREFIX_BYTE_USER))
    (tmp_path / ".callboard" / "keys" / "host.nk").write_bytes(seed)
    async with Driven(library, tmp_path, 1) as lua:
        await lua.until(lambda: came >= 3)  # so the first two were heard out
        assert await lua.stop() == ""
    server.close()
    await server.wait_closed()
    # The longest poll but one: each harm is done twice, and a machine that stands still may have one poll pay for it.
    assert lua.said[-1]["second"] < 0.1
    assert not lua.has(state="online")


def test_lua_takes_the_same_verbs(library: Path) -> None:
    """The twin's list of verbs is the bridge's."""
    text = (library / "callboard_bridge.lua").read_text()
    assert " ".join(VERBS) in text
    assert text == onefile.build_lua()


VALUES: list[Any] = [
    *(
        {},
        [],
        "",
        0,
        -1,
        2**50,
        0.5,
        1e-7,
        1e300,
        True,
        False,
        [False, True, 0],
        {"a": False},
        [[], {}],
        {"": {"": []}},
    ),
    *("ä", "😀", "\u2028", "\x7f\x01\t\n\r", '"\\/', "\\u00e9", "a\\", "\\nabc", "é" * 5000, ["x"] * 3000, "\u0000"),
    {"cues": [{"id": n, "start": n / 7, "text": f"{n}\nä"} for n in range(300)]},
]
ECHO = r"""
package.path = arg[1] .. "/?.lua"
require("callboard_bridge")
local json = require("callboard_json")
for line in io.lines() do
  local value = json.decode(line)
  if value == nil then value = "NONE" end
  io.write(json.encode(value) or "FAILED", "\n")
end
"""


@pytest.fixture(scope="module")
def echo(library: Path) -> Callable[[str], str]:
    """Give a function that has LuaJIT read a line of JSON and write it again."""
    (library / "echo.lua").write_text(ECHO)
    command = ["luajit", str(library / "echo.lua"), str(library)]

    def one(line: str) -> str:
        return subprocess.run(command, input=line + "\n", capture_output=True, text=True, timeout=SOON).stdout.strip()

    return one


@pytest.mark.parametrize("ascii_only", [True, False])
def test_lua_reads_and_writes_json(echo: Callable[[str], str], ascii_only: bool) -> None:
    """What Python writes as JSON, LuaJIT reads and writes as the same."""
    lines = echo("\n".join(json.dumps(value, ensure_ascii=ascii_only) for value in VALUES)).split("\n")
    assert [json.loads(line) for line in lines] == VALUES


@pytest.mark.parametrize("line", ["{", "[1,]", '{"a"}', "nul", '"\\x"', "[" * 200 + "]" * 200, "1" * 50, "{} {}", '"a'])
def test_lua_refuses_what_is_no_json(echo: Callable[[str], str], line: str) -> None:
    """What is no JSON, or nested too deep, is nothing."""
    assert echo(line) == '"NONE"'


def test_lua_needs_nothing_but_luajit(library: Path) -> None:
    """The one file loads where no other Lua library can be found."""
    code = (
        f'package.path, package.cpath = "", ""; print(loadfile("{library}/callboard_bridge.lua")().for_project ~= nil)'
    )
    done = subprocess.run(["luajit", "-e", code], capture_output=True, text=True, timeout=SOON, check=True, env={})
    assert done.stdout.strip() == "true"
