"""The bridge with a real nats-server: events once each, questions, commands, and coming back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import callboard_bridge
import pytest
from callboard.bus import Delivery
from callboard.bus.nats import NatsBus
from callboard.bus.server import EmbeddedServer
from callboard.testing.buses import connected
from callboard_bridge import Bridge

pytestmark = pytest.mark.broker

SOON = 60.0
TAGS = ["tags.write", "subtitles.write"]


class Board:
    """What a board does on the bus, written down: it takes events, answers questions and sends commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = EmbeddedServer(folder / ".callboard", [str(folder / "footage")])
        self.events: list[dict[str, Any]] = []
        self.chatter: list[dict[str, Any]] = []
        self.asked: list[tuple[str, Any]] = []
        self.answers: dict[str, Any] = {}
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

    async def command(self, host: str, **fields: Any) -> None:
        """Send a command."""
        data = {"host": host, "verb": "tags.write", "proposal": "p1", **fields}
        await self.bus.post(f"cb.do.{host}", json.dumps({"type": "host.command", "data": data}).encode())

    async def _take(self, delivery: Delivery) -> None:
        self.events.append(json.loads(delivery.body))
        await delivery.ack()

    async def _heard(self, _subject: str, body: bytes) -> None:
        self.chatter.append(json.loads(body))

    async def _answer(self, subject: str, body: bytes) -> bytes:
        verb, asked = subject.rpartition(".")[2], json.loads(body)
        self.asked.append((verb, asked))
        answer = self.answers.get(verb, {"value": {}})
        return json.dumps(answer(asked) if callable(answer) else answer).encode()


async def until(condition: Callable[[], Any], *bridges: Bridge) -> None:
    """Poll the bridges, as an application's timer does, until the condition holds."""
    deadline = time.monotonic() + SOON
    while not condition():
        for bridge in bridges:
            bridge.poll()
        assert time.monotonic() < deadline, [(bridge.state, bridge.problem, bridge.pending) for bridge in bridges]
        await asyncio.sleep(0.001)


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[Board]:
    """Give a board that runs in a project."""
    (tmp_path / "film" / "footage").mkdir(parents=True)
    board = Board(tmp_path / "film")
    await board.open()
    yield board
    await board.close()


@contextlib.contextmanager
def bridging(folder: Path, **options: Any) -> Any:
    """Give a bridge to the project in *folder*, closed at the end."""
    bridge = Bridge.for_project(str(folder), "Test App", "1.0", options.pop("capabilities", TAGS), **options)
    try:
        yield bridge
    finally:
        bridge.close()


async def test_it_says_hello_with_what_it_can_do(board: Board) -> None:
    """Online means that the board answered a hello, which carries the presence; the same goes out as chatter."""
    with bridging(board.folder) as bridge:
        bridge.present("/films/a.blend", "7")
        await until(lambda: bridge.state == "online" and board.chatter, bridge)

        expected = {
            "host": bridge.host,
            "application": "Test App",
            "version": "1.0",
            "state": "online",
            "capabilities": TAGS,
            "project": "/films/a.blend",
            "revision": "7",
        }
        assert board.asked[0] == ("hello", expected)
        assert board.chatter[0]["type"] == "host.presence"
        assert board.chatter[0]["data"] == expected
        assert bridge.problem == ""
        assert bridge.allowed(str(board.folder / "footage" / "a.mov"))


async def test_another_project_is_another_hello(board: Board) -> None:
    """A new project is greeted for; a new revision is only told."""
    with bridging(board.folder) as bridge:
        bridge.present("/films/a.blend")
        await until(lambda: bridge.state == "online", bridge)
        bridge.present("/films/a.blend", "8")
        await until(lambda: any(event["data"].get("revision") == "8" for event in board.chatter), bridge)
        assert "8" not in {asked.get("revision") for verb, asked in board.asked if verb == "hello"}
        bridge.present("/films/b.blend")
        await until(lambda: board.asked[-1][1].get("project") == "/films/b.blend", bridge)
        await until(lambda: bridge.state == "online", bridge)
        assert {verb for verb, asked in board.asked if asked.get("project") == "/films/b.blend"} == {"hello"}


async def test_last_words_are_heard(board: Board) -> None:
    """A bridge that closes, and one that its interpreter's end closes, both say that they are offline."""
    with bridging(board.folder) as bridge:
        await until(lambda: bridge.state == "online", bridge)
    await until(lambda: any(event["data"]["state"] == "offline" for event in board.chatter))
    code = (
        "import sys, time; from callboard_bridge import Bridge; b = Bridge.for_project(sys.argv[1], 'Left', '1')\n"
        "while b.state != 'online': b.poll(); time.sleep(0.002)\n"
    )
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(board.folder))
    assert await asyncio.wait_for(child.wait(), SOON) == 0
    await until(
        lambda: {"Left"} <= {e["data"]["application"] for e in board.chatter if e["data"]["state"] == "offline"}
    )


async def test_last_words_need_no_time(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine so busy that the time for them is over before they are said, they are said all the same."""
    monkeypatch.setattr("callboard_bridge.bridge.GOODBYE_SECONDS", -1.0)
    with bridging(board.folder) as bridge:
        await until(lambda: bridge.state == "online", bridge)
    await until(lambda: any(event["data"]["state"] == "offline" for event in board.chatter))


async def test_questions_are_answered_or_not(board: Board) -> None:
    """An answer, a refusal and silence each call back once, in words."""
    board.answers["uses"] = {"value": {"known": {"s1": "sha256:1"}}}
    board.answers["inbox"] = {"code": "usage", "message": "no such project", "hint": "Open it."}
    got: list[Any] = []
    with bridging(board.folder) as bridge:
        for verb in ("uses", "inbox", "nul\r\n"):
            bridge.ask(verb, {"uses": []}, lambda value, problem: got.append((value, problem)), timeout=SOON)
        bridge.ask("ping", {"x": object()}, lambda value, problem: got.append((value, problem)))
        bridge.ask("ping", {"x": "y" * 100_000}, lambda value, problem: got.append((value, problem)))
        await until(lambda: len(got) == 5, bridge)

    assert board.asked[0][0] == "hello", "the board answers those it knows"
    values = [value for value, _ in got if value is not None]
    problems = " / ".join(sorted(problem for _, problem in got))
    assert values == [{"known": {"s1": "sha256:1"}}]
    for words in ("no such project Open it.", "there is no verb", "not JSON serializable", "bytes, at most"):
        assert words in problems


async def test_a_board_that_is_gone_is_told(board: Board) -> None:
    """With a server but no board, questions fail at once and the state says that the board does not answer."""
    got: list[str] = []
    await board.bus.close()
    with bridging(board.folder) as bridge:
        bridge.ask("ping", {}, lambda _value, problem: got.append(problem), timeout=SOON)
        await until(lambda: got, bridge)
        await until(lambda: bridge.problem, bridge)

        assert bridge.state == "connecting"
        assert "callboard up" in got[0]
        assert "callboard up" in bridge.problem


async def test_commands_come_whole_and_once(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands come inline or in parts, once each; a receipt goes back."""
    monkeypatch.setattr("callboard_bridge.orders.ASK_AGAIN_SECONDS", SOON)  # this board posts each command as it likes
    text = json.dumps({"cues": [{"id": n, "start": n, "end": n + 1, "text": "ä" * 50} for n in range(2000)]})
    parts = [text[start : start + 16_000] for start in range(0, len(text), 16_000)]
    board.answers["body"] = lambda asked: {"value": {"part": asked["part"], "parts": 9, "text": parts[asked["part"]]}}
    got: list[dict[str, Any]] = []
    with bridging(board.folder) as bridge:

        def apply(command: dict[str, Any]) -> None:
            got.append(command)
            bridge.receipt(command, "applied", ["x"], note="well")

        bridge.on_command(apply)
        bridge.present("/films/a.blend")
        await until(lambda: bridge.state == "online", bridge)
        for _ in range(2):
            await board.command(bridge.host, id="c1", content={"tags": ["a"], "unknown": 1})
            await board.command(
                bridge.host, id="c2", verb="subtitles.write", parts=len(parts), project="/films/a.blend"
            )
            await board.command(bridge.host, id="c3", project="/films/other.blend", content={"tags": []})
            await until(lambda: len(got) == 2 and len(board.events) == 2, bridge)
        await board.command(bridge.host, id="c4", content={"tags": []})
        await until(lambda: len(got) == 3 and len(board.events) == 3, bridge)

    assert [command["id"] for command in got] == ["c1", "c2", "c4"]
    assert got[0]["content"] == {"tags": ["a"]}
    assert got[1]["content"] == json.loads(text)
    receipt = board.events[0]
    assert (receipt["type"], receipt["subject"], receipt["source"]) == (
        *("host.receipt", "p1"),
        f"urn:callboard:host:{bridge.host}",
    )
    assert receipt["data"] == {
        "command": "c1",
        "host": bridge.host,
        "state": "applied",
        "landed": ["x"],
        "missing": [],
        "note": "well",
        "proposal": "p1",
        "project": "/films/a.blend",
    }


async def test_what_no_host_does_is_refused(board: Board) -> None:
    """Verbs outside the list, paths outside the roots and broken contents get a receipt and reach nobody."""
    inside = str(board.folder / "footage" / "a.png")
    got: list[dict[str, Any]] = []
    wrong: list[dict[str, Any]] = [
        {"verb": "python.run"},
        {"verb": "clear"},
        {"content": {"file": "/etc/passwd"}},
        {"content": {"tags": "all"}},
        {"content": {"file": str(board.folder / ".callboard" / "keys" / "host.nk")}},
        {"use": {"ref": "s", "path": "/etc/shadow"}},
        {"arguments": {"to": "../../x"}},
        {"expires": 5.0},
        {"proposal": ""},
        {"parts": 10_000},
    ]
    with bridging(board.folder) as bridge:
        bridge.on_command(got.append)
        await until(lambda: bridge.state == "online", bridge)
        for number, fields in enumerate(wrong):
            await board.command(bridge.host, id=f"w{number}", **fields)
        await board.command(bridge.host, id="good", content={"file": inside})
        await until(lambda: got and len(board.events) == len(wrong), bridge)

    assert [command["id"] for command in got] == ["good"]
    assert {event["data"]["state"] for event in board.events} == {"refused"}
    assert {event["data"]["command"] for event in board.events} == {f"w{number}" for number in range(len(wrong))}
    assert all(event["data"]["note"] for event in board.events)


async def test_a_callback_that_raises_is_a_failed_command(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    """An adapter's own error ends in a receipt and on stderr, never in the application."""
    answered: list[str] = []

    def broken(_command: dict[str, Any]) -> None:
        raise RuntimeError("no active scene")

    def stumble(_value: Any, problem: str) -> None:
        answered.append(problem)
        raise ZeroDivisionError

    with bridging(board.folder) as bridge:
        bridge.on_command(broken)
        bridge.ask("ping", {}, stumble)
        await until(lambda: bridge.state == "online", bridge)
        await board.command(bridge.host, id="c1")
        await until(lambda: board.events and answered, bridge)

    assert board.events[0]["data"]["state"] == "failed"
    assert "no active scene" in board.events[0]["data"]["note"]
    assert "ZeroDivisionError" in capsys.readouterr().err


async def test_a_dead_process_leaves_its_events_to_the_next(board: Board) -> None:
    """What a killed process posted is sent by another process of the same project."""
    await board.close()
    code = (
        "import sys, os, signal; from callboard_bridge import Bridge\n"
        "b = Bridge.for_project(sys.argv[1], 'Died', '1')\n"
        "for n in range(300): b.post('host.scene.saved', {'project': str(n)})\n"
        "b.poll(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(board.folder))
    assert await asyncio.wait_for(child.wait(), SOON) == -signal.SIGKILL
    await board.open()
    with bridging(board.folder) as first, bridging(board.folder) as second:
        await until(lambda: len(board.events) >= 300, first, second)
        await until(lambda: not first.pending and not second.pending, first, second)
    assert sorted(int(event["data"]["project"]) for event in board.events) == list(range(300))


async def test_the_key_may_change(board: Board) -> None:
    """A wrong key is told, and the right one is taken as soon as it is there."""
    path = board.server.seed_path("host")
    right = path.read_bytes()
    path.write_bytes(board.server.seed_path("cli").read_bytes()[:-8] + b"AAAAAAAA")
    with bridging(board.folder) as bridge:
        await until(lambda: "nkey" in bridge.problem, bridge)
        path.write_bytes(right)
        await until(lambda: bridge.state == "online", bridge)


async def test_the_example_does_what_it_says(board: Board) -> None:
    """The example posts its event, takes tags, and answers with a receipt."""
    example = Path(callboard_bridge.__file__).with_name("example.py")
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(example), str(board.folder), "/films/s.ma", stderr=subprocess.DEVNULL
    )
    try:
        await until(lambda: board.events and any(verb == "hello" for verb, _ in board.asked))
        await board.command(board.events[0]["data"]["host"], id="c1", content={"tags": ["night"]})
        await until(lambda: len(board.events) == 2)
    finally:
        child.terminate()
        await child.wait()
    assert board.events[0]["type"] == "host.scene.saved"
    assert board.events[1]["data"]["landed"] == ["night"]
