"""Applications over a real broker: through the bridge that runs inside them, and with their own key."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from callboard.board import watched_folders
from callboard.bus import CONTROL, INTAKE, MAX_MESSAGE
from callboard.bus.server import EmbeddedServer
from callboard.catalog import journal
from callboard.config import PluginSettings, Project, Settings, Watch, make_project
from callboard.testing.applications import SOON, Application, Served, served
from callboard.testing.buses import connected
from callboard_bridge import Bridge
from callboard_schemas import VERBS, Captions, Cue, Decision, HostDecision, HostEvent, HostUses, Presence, Use
from msgspec.structs import replace

pytestmark = pytest.mark.broker

BLENDER = Presence(
    host="blender-1", application="blender", version="4.5", state="online", capabilities=VERBS, project="/p/film.blend"
)


def captions(count: int, text: str = 'He said "no" and … left.') -> Captions:
    """Make captions of so many cues."""
    cues = tuple(
        Cue(id=number, start=float(number), end=number + 0.9, lines=(f"{number} {text}",), confidence=0.9)
        for number in range(count)
    )
    return Captions(language="en", cues=cues, confidence=0.9)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Give a project with one watched folder and no plugin."""
    (tmp_path / "footage").mkdir()
    off = PluginSettings(enabled=False)
    settings = Settings(
        watch=(Watch(path="footage", quiet=0.1),), plugins={"caption": off, "autotag": off, "localize": off}
    )
    return make_project(tmp_path, settings)


@asynccontextmanager
async def on_nats(project: Project) -> AsyncIterator[tuple[Served, EmbeddedServer]]:
    """Serve a project on a broker of its own."""
    async with (
        EmbeddedServer(project.data, watched_folders(project)) as server,
        connected(server.broker()) as bus,
        served(project, bus) as board,
    ):
        yield board, server


async def propose(board: Served, said: Captions, name: str = "a.mp4") -> tuple[Path, str]:
    """Give media in the watched folder, and captions of it that wait."""
    path = board.footage / name
    path.write_text(name)
    await board.until(lambda: board.read(lambda conn: journal.place(conn, "footage", name.encode())))
    seen = board.read(lambda conn: journal.place(conn, "footage", name.encode()))
    assert seen is not None
    asset, desk = seen.asset("footage"), board.daemon.board.desk
    done = await board.daemon.board.catalog.write(lambda conn: desk.write(conn, asset, said, "hand", accept=False))
    return path, done.changed[0]


async def ticks(bridge: Bridge, what: Callable[[], object], seconds: float = SOON) -> None:
    """Poll a bridge, as the application's tick does, until *what* holds."""
    async with asyncio.timeout(seconds):
        while not what():
            bridge.poll()
            await asyncio.sleep(0.002)


async def told(bridge: Bridge, verb: str, data: dict[str, Any]) -> Any:
    """Ask the board, again where the connection was lost meanwhile, and give what it answers."""
    answers: list[Any] = []

    def then(value: Any, problem: str) -> None:
        if problem:
            bridge.ask(verb, data, then, timeout=SOON)
        else:
            answers.append(value)

    bridge.ask(verb, data, then, timeout=SOON)
    await ticks(bridge, lambda: answers)
    return answers[0]


async def test_the_bridge_does_a_whole_round(project: Project) -> None:
    """Hello, uses, inbox, decision, a command too long for one message, receipt and last words, over the broker."""
    async with on_nats(project) as (board, _):
        clip, ident = await propose(board, captions(1500))
        bridge = Bridge.for_project(str(project.folder), "blender", "4.5.3", VERBS)
        got: list[dict[str, Any]] = []
        bridge.on_command(got.append)
        bridge.present("/p/film.blend", "7")
        await ticks(bridge, lambda: bridge.state == "online")
        used = {"ref": "strip-1", "path": str(clip), "revision": "r1", "duration": 4.0}
        where = {"host": bridge.host, "project": "/p/film.blend"}
        known = (await told(bridge, "uses", {**where, "uses": [used]}))["known"]
        assert known["strip-1"].startswith("sha256:")
        assert [item["id"] for item in (await told(bridge, "inbox", where))["items"]] == [ident]
        bridge.post("host.decided", {"decision": {"proposal": ident, "decision": "accept", "by": "zoe"}})
        await ticks(bridge, lambda: got)
        assert (got[0]["verb"], got[0]["proposal"], len(got[0]["content"]["cues"])) == ("subtitles.write", ident, 1500)
        (host,) = board.daemon.hosting.status()
        assert (host["host"], host["project"], host["pending"]) == (bridge.host, "/p/film.blend", 1)
        bridge.receipt(got[0], "applied", landed=("1500 strips",))
        await ticks(bridge, lambda: board.states() == [("subtitles.write", "applied")])
        bridge.close()
        await board.until(lambda: board.daemon.hosting.status() == [])


async def test_every_answer_fits_into_a_message(project: Project) -> None:
    """Long proposals, contents and inboxes come in parts and pages, each under 64 KiB, and are whole again after."""
    async with on_nats(project) as (board, server), connected(server.broker("host"), role="host") as bus:
        clip, ident = await propose(board, captions(3000, 'a "quoted" \\ line … ü' + '"' * 40))
        blender = Application(bus, BLENDER)
        await blender.start()
        await blender.hello()
        await blender.uses(*(Use(ref=f"strip-{n}", path=str(clip), start=5.0 * n, duration=4.0) for n in range(100)))
        (item,) = await blender.inbox()
        assert len(item["refs"]) == 50
        whole = await _parts(blender, "proposal", {"id": ident})
        made = json.loads(whole)
        assert (made["id"], len(made["body"]["cues"])) == (ident, 3000)
        await blender.decide(ident)
        command = await blender.next("subtitles.write")
        assert command.content is None
        content = json.loads(await _parts(blender, "body", {"command": command.id}, command.parts))
        assert len(content["cues"]) == 3000
        answer = await blender.ask("body", {"command": command.id, "part": command.parts})
        assert (answer["code"], answer["message"]) == ("usage", f"there are {command.parts} parts, counted from 0")


async def _parts(blender: Application, verb: str, asked: dict[str, Any], count: int = 0) -> str:
    """Fetch all parts of a text, each in a message that the broker takes."""
    texts: list[str] = []
    while not texts or len(texts) < count:
        body = msgspec.json.encode({**asked, "part": len(texts)})
        raw = await blender.bus.request(f"{CONTROL}.host.{verb}", body, timeout=SOON)
        assert len(raw) <= MAX_MESSAGE
        value = msgspec.json.decode(raw)["value"]
        count = value["parts"]
        texts.append(value["text"])
    return "".join(texts)


async def test_an_inbox_is_gone_through_page_by_page(project: Project) -> None:
    """Pages of the inbox follow each other without a gap, also where long items fill them early."""
    async with on_nats(project) as (board, server), connected(server.broker("host"), role="host") as bus:
        uses = []
        for number in range(7):
            clip, _ = await propose(board, captions(40, "x" * 60), f"clip{number}.mp4")
            uses += [Use(ref=f"{number}-{n}-{'r' * 240}", path=str(clip)) for n in range(45)]
        blender = Application(bus, BLENDER)
        await blender.hello()
        for page in range(7):
            told = HostUses(
                host="blender-1",
                project="/p/film.blend",
                uses=tuple(uses[page * 45 : page * 45 + 45]),
                page=page,
                pages=7,
            )
            await blender.told("uses", told)
        found: list[str] = []
        after, asked = "", 0
        while after or not asked:
            answer = await blender.told(
                "inbox", {"host": "blender-1", "project": "/p/film.blend", "limit": 7, "after": after}
            )
            found += [item["name"] for item in answer["items"]]
            after, asked = answer["after"], asked + 1
        assert found == [f"clip{number}.mp4" for number in range(7)]
        assert asked == 2  # all of it would be one message of 77 kB


async def test_pages_of_uses_take_the_place_of_the_former_together(project: Project) -> None:
    """Uses told in pages count once all pages are there; until then what was told before holds."""
    async with on_nats(project) as (board, server), connected(server.broker("host"), role="host") as bus:
        clip, _ = await propose(board, captions(1))
        blender = Application(bus, BLENDER)
        await blender.hello()
        await blender.uses(Use(ref="old", path=str(clip)))
        page = HostUses(host="blender-1", project="/p/film.blend", pages=2)
        await blender.told("uses", replace(page, uses=(Use(ref="one", path=str(clip)),)))
        assert [item["refs"] for item in await blender.inbox()] == [["old"]]
        await blender.told("uses", replace(page, page=1, uses=(Use(ref="two", path=str(clip)),)))
        assert [item["refs"] for item in await blender.inbox()] == [["one", "two"]]


async def test_an_application_is_heard_with_its_own_key_only_as_what_it_is(project: Project) -> None:
    """Who did not say hello, has another project open or asks nonsense is told so; nothing else happens."""
    async with on_nats(project) as (board, server), connected(server.broker("host"), role="host") as bus:
        blender = Application(bus, BLENDER)
        where = {"host": "blender-1", "project": "/p/film.blend"}
        for verb, asked, said in (
            ("inbox", where, "no application 'blender-1' said hello"),
            ("uses", {**where, "uses": []}, "no application 'blender-1' said hello"),
            ("hello", replace(BLENDER, host="a.b"), "'a.b' is no id of a host"),
            ("hello", {"host": "x"}, "missing required field"),
            ("proposal", {"id": "none"}, "no proposal 'none'"),
            ("body", {"command": "none"}, "no command 'none'"),
            ("thumbnail", {"path": "/etc/passwd"}, "/etc/passwd is in none of the watched folders"),
            ("thumbnail", {"digest": "sha256:0"}, "no media 'sha256:0' in the watched folders"),
            ("thumbnail", {"path": "/x", "width": 100_000}, "`int` <= 1024"),
            ("destroy", {}, "no verb 'destroy' for hosts"),
        ):
            answer = await blender.ask(verb, asked)
            assert said in answer["message"], (verb, answer)
        await blender.hello()
        answer = await blender.ask("inbox", {**where, "project": "/p/other.blend"})
        assert "has /p/film.blend open, not /p/other.blend" in answer["message"]
        assert board.commands() == []


async def test_a_ping_is_answered_while_the_catalog_is_busy(project: Project) -> None:
    """A ping waits for nobody: not for a write that takes long, nor for other questions."""
    async with on_nats(project) as (board, server), connected(server.broker("host"), role="host") as bus:
        blender, over = Application(bus, BLENDER), threading.Event()
        await blender.hello()
        busy = board.daemon.board.catalog.submit(lambda _: over.wait(SOON))
        try:
            hello = asyncio.create_task(blender.hello())
            assert await blender.told("ping") == {}
            assert (busy.done(), hello.done()) == (False, False)
        finally:
            over.set()
        assert (await hello)["commands"] == 0


async def test_what_was_kept_while_the_board_was_away_is_taken_once(project: Project) -> None:
    """Decisions that were posted twice, once before the board was there, are taken once when it comes."""
    async with EmbeddedServer(project.data) as server, connected(server.broker()) as bus:
        async with served(project, bus) as board:
            _, ident = await propose(board, captions(2))
        told = HostDecision(
            host="blender-1", decision=Decision(proposal=ident, decision="accept", by="zoe", without=("1",))
        )
        async with connected(server.broker("host"), role="host") as key:
            blender = Application(key, BLENDER)
            await blender.post("host.decided", told, ident="once")
        async with served(project, bus) as board:
            await board.until(lambda: _accepted(board, ident))
            await bus.publish(f"{INTAKE}.host.decided", _again(board), msg_id="another-id")
            await Application(bus, BLENDER).post("host.scene.saved", HostEvent(host="blender-1"))
            await board.until(lambda: board.read(_saved))  # it came after that, and is taken after it
            assert board.read(lambda conn: conn.execute("SELECT count(*) FROM decisions").fetchone()) == (1,)


def _accepted(board: Served, ident: str) -> bool:
    row = board.read(lambda conn: conn.execute("SELECT state FROM proposals WHERE id = ?", (ident,)).fetchone())
    return bool(row == ("accepted",))


def _again(board: Served) -> bytes:
    ((body,),) = board.read(lambda conn: conn.execute("SELECT body FROM events WHERE type = 'host.decided'").fetchall())
    return bytes(body)


def _saved(conn: Any) -> bool:
    return bool(conn.execute("SELECT 1 FROM events WHERE type = 'host.scene.saved'").fetchone())
