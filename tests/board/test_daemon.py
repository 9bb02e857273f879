"""The daemon: folders and the bus in, sidecars and the bus out, through everything that moves meanwhile."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from callboard import codec
from callboard.bus import INTAKE, OUTBOX, Bus
from callboard.bus.memory import MemoryBus
from callboard.bus.nats import NatsBus
from callboard.bus.server import EmbeddedServer
from callboard.catalog import dead, jobs, journal, outbox, proposals
from callboard.config import PluginSettings, Project, Settings, Watch, make_project
from callboard.daemon import Daemon
from callboard.sources import collect, identify
from callboard.testing import TmpPlugin
from callboard.testing.buses import connected
from callboard.testing.frozen import freeze
from callboard_schemas import Asset, Decision, HostEvent, Place, Request, encode_path

# Each call writes a line, and waits on a file named 'hold' while there is one beside the log.
GATED = """
    import os, time
    from callboard import hookimpl, Tag, Tags

    @hookimpl
    def callboard_handle(event, asset, context):
        log = context.parameters["log"]
        text = context.path.read_bytes().decode()
        with open(log, "a") as calls:
            calls.write(text + "\\n")
        while os.path.exists(log + ".hold"):
            time.sleep(0.01)
        return Tags(items=(Tag(label=text, score=0.9, method="gated"),), confidence=0.9)
"""


class Board:
    """A daemon under test, with what the tests ask of it."""

    def __init__(self, daemon: Daemon, folder: Path) -> None:
        self.daemon, self.folder = daemon, folder
        self.footage = folder / "footage"
        self.changed = asyncio.Event()

    async def until(self, what: Callable[[], object], seconds: float = 60.0) -> None:
        """Wait until *what* holds, looking after every commit."""
        async with asyncio.timeout(seconds):
            while not what():
                await asyncio.sleep(0.02)

    def sidecars(self) -> set[str]:
        """Give the names of the sidecars beside the media."""
        return {name for name in os.listdir(self.footage) if name.endswith((".xmp", ".callboard.json"))}

    def calls(self) -> list[str]:
        """Give what the plugin was called on, in order."""
        log = self.folder / "calls"
        return log.read_text().splitlines() if log.exists() else []

    def hold(self) -> None:
        """Let the plugin wait in its next call."""
        (self.folder / "calls.hold").touch()

    def release(self) -> None:
        """Let the plugin go on."""
        (self.folder / "calls.hold").unlink()

    def counts(self) -> dict[str, int]:
        """Count jobs by state."""
        return self.daemon.board.catalog.read(jobs.counts)


@pytest.fixture
def project(tmp_path: Path, tmp_plugin: TmpPlugin) -> Project:
    """Give a project that watches one folder with one plugin."""
    log = {"type": "string", "default": str(tmp_path / "calls"), "help": "Where calls are written."}
    tmp_plugin("gated", GATED, events=["media.settled", "tags.requested"], parameters={"log": log})
    (tmp_path / "footage").mkdir()
    off = PluginSettings(enabled=False)
    settings = Settings(
        watch=(Watch(path="footage", quiet=0.2),),
        allow_plugins=("gated",),
        plugins={"caption": off, "autotag": off},
        workers=2,
    )
    return make_project(tmp_path, settings)


@pytest.fixture
def asked(tmp_path: Path, project: Project, tmp_plugin: TmpPlugin) -> Project:
    """Give a project whose plugin answers requests only."""
    log = {"type": "string", "default": str(tmp_path / "calls"), "help": "Where calls are written."}
    tmp_plugin("asked", GATED, events=["tags.requested"], parameters={"log": log})
    settings = msgspec.structs.replace(project.settings, allow_plugins=("asked",))
    return msgspec.structs.replace(project, settings=settings)


@asynccontextmanager
async def up(project: Project, bus: Bus | None = None) -> AsyncIterator[Board]:
    """Serve a project until the block ends."""
    async with MemoryBus() as memory:
        daemon = Daemon(project, bus or memory)
        serving = asyncio.create_task(daemon.serve())
        ready = asyncio.create_task(daemon.ready.wait())
        await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if serving.done():
            serving.result()
        try:
            yield Board(daemon, project.folder)
        finally:
            daemon.stopping.set()
            await serving


async def test_a_dropped_file_gets_its_sidecars(project: Project) -> None:
    """A file that lands in the watch folder is tagged, and its sidecars stand beside it."""
    async with up(project) as board:
        (board.footage / "a.mp4").write_text("sunset")
        await board.until(lambda: board.sidecars() == {"a.mp4.xmp", "a.mp4.callboard.json"})
        assert board.calls() == ["sunset"]


async def test_what_landed_while_nobody_watched_is_found_once(project: Project) -> None:
    """A file dropped before the start is found; after a restart nothing is done again."""
    (project.folder / "footage" / "a.mp4").write_text("sunset")
    async with up(project) as first:
        await first.until(lambda: len(first.sidecars()) == 2)
    async with up(project) as second:
        assert second.calls() == ["sunset"]
        assert len(second.sidecars()) == 2


async def test_a_slow_copy_is_processed_once_when_whole(project: Project) -> None:
    """A file copied in chunks with stalls longer than the quiet time is processed once, after its last byte."""
    async with up(project) as board:
        with (board.footage / "slow.mp4").open("w") as file:
            for number in range(6):
                file.write(f"part{number} ")
                file.flush()
                await asyncio.sleep(0.5 if number == 2 else 0.15)  # the copier's own pace
        await board.until(lambda: len(board.sidecars()) == 2)
        assert board.calls() == ["part0 part1 part2 part3 part4 part5 "]


async def test_a_file_renamed_while_it_is_processed_keeps_its_result(project: Project) -> None:
    """The result follows the file to its new name, and no work is done twice."""
    async with up(project) as board:
        board.hold()
        (board.footage / "old.mp4").write_text("sunset")
        await board.until(board.calls)
        (board.footage / "old.mp4").rename(board.footage / "new.mp4")
        await board.until(
            lambda: board.daemon.board.catalog.read(lambda conn: journal.place(conn, "footage", b"new.mp4"))
        )
        board.release()
        await board.until(lambda: board.sidecars() == {"new.mp4.xmp", "new.mp4.callboard.json"})
        assert board.calls() == ["sunset"]


async def test_sidecars_follow_a_rename(project: Project) -> None:
    """After a rename the sidecars stand beside the new name only."""
    async with up(project) as board:
        (board.footage / "old.mp4").write_text("sunset")
        await board.until(lambda: len(board.sidecars()) == 2)
        (board.footage / "old.mp4").rename(board.footage / "new.mp4")
        await board.until(lambda: board.sidecars() == {"new.mp4.xmp", "new.mp4.callboard.json"})
        assert board.calls() == ["sunset"]


async def test_a_file_replaced_while_it_is_processed_is_done_again(project: Project) -> None:
    """A result for content that is gone is thrown away; the new content gets its own."""
    async with up(project) as board:
        board.hold()
        path = board.footage / "a.mp4"
        path.write_text("first")
        await board.until(board.calls)
        path.unlink()
        path.write_text("second one")
        board.release()
        await board.until(lambda: board.calls() == ["first", "second one"] and len(board.sidecars()) == 2)
        await board.until(lambda: board.counts() == {"done": 1, "cancelled": 1})  # the first call may end last
        found = board.daemon.board.catalog.read(lambda conn: conn.execute("SELECT body FROM proposals").fetchall())
        assert [b"first" in row[0] for row in found] == [False]


async def test_a_file_that_vanishes_waits_and_goes_on_when_it_is_back(project: Project) -> None:
    """A job whose media is away is blocked, not failed, and goes on when the media returns."""
    async with up(project) as board:
        board.hold()
        (board.footage / "first.mp4").write_text("one")
        (board.footage / "second.mp4").write_text("two")
        (board.footage / "third.mp4").write_text("three")
        await board.until(lambda: len(board.calls()) == 2 and sum(board.counts().values()) == 3)
        last = ({"one": "first", "two": "second", "three": "third"}.keys() - set(board.calls())).pop()
        name = {"one": "first.mp4", "two": "second.mp4", "three": "third.mp4"}[last]
        away = board.folder / name
        shutil.move(board.footage / name, away)
        board.release()
        await board.until(lambda: board.counts().get("blocked") == 1)
        shutil.move(away, board.footage / name)
        await board.until(lambda: board.counts() == {"done": 3})


async def _request(board: Board, name: str, text: str) -> bytes:
    """Write media and give a message that asks for its tags."""
    path = board.footage / name
    path.write_text(text)
    (found,) = collect([path])
    identity = identify(found)
    place = Place(root="footage", path=encode_path(os.fsencode(name)))
    asset = Asset(digest=identity.digest, place=place, kind="video", size=path.stat().st_size)
    return codec.encode(codec.make("tags.requested", Request(asset=asset), source="test:tool"))


@pytest.mark.broker
async def test_a_tool_on_the_bus_asks_and_hears_the_answer(asked: Project) -> None:
    """A request over real NATS is done once however often it is sent, and the proposal goes out on the bus."""
    async with EmbeddedServer(asked.data) as server, connected(server.broker()) as bus, up(asked, bus) as board:
        body = await _request(board, "asked.mp4", "harbour")
        for number in range(3):
            await bus.publish(f"{INTAKE}.tags.requested", body, msg_id=f"try{number}")
        await board.until(lambda: (board.footage / "asked.mp4.xmp").exists())
        await board.daemon.board.postman.drained()
        made = await bus.stored(f"{OUTBOX}.proposal.made")
        assert len(made) == 1
        assert board.calls() == ["harbour"]


@pytest.mark.broker
async def test_a_stream_that_lost_everything_is_filled_again(project: Project) -> None:
    """When the outgoing stream is gone, what was said in the last days is said again at the next connect."""
    async with EmbeddedServer(project.data) as server, connected(server.broker()) as bus, up(project, bus) as board:
        (board.footage / "a.mp4").write_text("sunset")
        await board.until(lambda: board.daemon.board.catalog.read(_receipts) == 2)  # the last to be said
        await board.daemon.board.postman.drained()
        before = await bus.stored(OUTBOX)
        assert before
        pid = server.pid
        freeze(pid)  # it writes its files back when it finds them gone
        shutil.rmtree(server.folder / "store" / "jetstream")
        os.kill(pid, signal.SIGKILL)
        await board.until(lambda: server.pid not in (0, pid) and bus.connected)
        async with asyncio.timeout(60):
            while not before <= await _stored(bus):  # more may have been said since
                await asyncio.sleep(0.2)


def _receipts(conn: sqlite3.Connection) -> int:
    """Count what was said of sidecars."""
    told: int = conn.execute("SELECT count(*) FROM outbox WHERE subject LIKE '%.effect.receipt.%'").fetchone()[0]
    return told


async def _stored(bus: NatsBus) -> set[str]:
    from callboard.errors import BrokerError

    try:
        return await bus.stored(OUTBOX)
    except BrokerError:
        return set()


async def test_bad_messages_become_dead_letters_and_the_rest_goes_on(asked: Project) -> None:
    """What is not a message is kept with its reason, settled, and stops nothing."""
    async with MemoryBus() as bus, up(asked, bus) as board:
        good = await _request(board, "asked.mp4", "harbour")
        for body in (
            good.replace(b'"path":"asked.mp4"', b'"path":"../calls"'),
            b"not json",
            b'{"specversion":"1.0","specversion":"1.0"}',
            good.replace(b'"kind":"video"', b'"kind":"smell"'),
        ):
            await bus.publish(f"{INTAKE}.tags.requested", body)
        await bus.publish(f"{INTAKE}.tags.requested", good)
        await board.until(lambda: (board.footage / "asked.mp4.xmp").exists())
        letters = board.daemon.board.catalog.read(dead.listed)
        assert [letter.what for letter in letters] == ["message"] * 4
        assert await bus.stored(INTAKE) == set()


async def test_a_message_of_a_newer_major_version_waits_for_an_upgrade(project: Project) -> None:
    """A message that this version cannot read is parked, and taken by one that can."""
    event = codec.make("host.scene.saved", HostEvent(host="blender"), source="test:blender")
    body = codec.encode(event)
    newer = body.replace(b"host.scene.saved:1.0", b"host.scene.saved:2.0")
    assert newer != body
    async with MemoryBus() as bus, up(project, bus) as board:
        await bus.publish(f"{INTAKE}.host.scene.saved", newer)
        await board.until(lambda: board.daemon.board.catalog.read(journal.parked))
        catalog = board.daemon.board.catalog
        await catalog.write(lambda conn: conn.execute("UPDATE events SET body = ?", (body,)).rowcount)  # the upgrade
        assert await board.daemon.board.intake.replay_parked() == 1
        assert catalog.read(journal.parked) == []


async def test_a_decision_on_the_bus_counts_as_one_made_here(project: Project) -> None:
    """review.decided over the bus rejects a proposal, and its sidecars go."""
    async with MemoryBus() as bus, up(project, bus) as board:
        (board.footage / "a.mp4").write_text("sunset")
        await board.until(lambda: len(board.sidecars()) == 2)
        ((ident,),) = board.daemon.board.catalog.read(lambda conn: conn.execute("SELECT id FROM proposals").fetchall())
        decision = Decision(proposal=ident, decision="reject", by="zoe", reason="wrong")
        await bus.publish(
            f"{INTAKE}.review.decided", codec.encode(codec.make("review.decided", decision, source="test"))
        )
        await board.until(lambda: board.sidecars() == set())
        kept = board.daemon.board.catalog.read(lambda conn: proposals.get(conn, ident))
        assert kept is not None
        assert (kept.state, kept.decided_by, kept.reason) == ("rejected", "zoe", "wrong")


async def test_folder_work_goes_on_without_a_broker(project: Project) -> None:
    """With the broker away files are done and the outbox keeps what is to be said."""
    settings = msgspec.structs.replace(project.settings.broker, url="nats://127.0.0.1:9")
    async with NatsBus(settings) as bus, up(project, bus) as board:
        (board.footage / "a.mp4").write_text("sunset")
        await board.until(lambda: len(board.sidecars()) == 2)
        assert not bus.connected
        assert board.daemon.board.catalog.read(outbox.unsent)


async def test_a_copy_with_stalls_of_many_quiet_times_is_processed_once(project: Project) -> None:
    """A file whose copy stalls for up to eight times as long as must be quiet is processed once, when it is whole."""
    parts = [f"part{number} " for number in range(8)]
    stalls = (0.4, 1.6, 0.1, 0.8, 0.3, 0.6, 0.2)
    async with up(project) as board:
        with (board.footage / "slow.mp4").open("w") as file:
            for part, stall in zip(parts, (*stalls, 0.0), strict=True):
                file.write(part)
                file.flush()
                await asyncio.sleep(stall)  # the copier's own pace
                assert board.calls() == []
        await board.until(lambda: len(board.sidecars()) == 2)
        assert board.calls() == ["".join(parts)]


async def test_blocked_jobs_are_looked_at_again_at_the_next_start(project: Project) -> None:
    """What waited for its media when the board stopped goes on at once when the next board finds it."""
    async with up(project) as board:
        board.hold()
        names = ("a.mp4", "b.mp4", "c.mp4")
        for name in names:
            (board.footage / name).write_text(name)
        await board.until(lambda: len(board.calls()) == 2 and sum(board.counts().values()) == 3)
        last = (set(names) - set(board.calls())).pop()
        (board.footage / last).rename(board.folder / last)
        board.release()
        await board.until(lambda: board.counts().get("blocked") == 1)
    (board.folder / last).rename(board.footage / last)
    async with up(project) as board:
        await board.until(lambda: board.counts() == {"done": 3})


async def test_the_last_word_on_a_jobs_state_is_its_result(project: Project) -> None:
    """A job that ran long enough to be shown as running is done afterwards."""
    async with up(project) as board:
        board.hold()
        (board.footage / "a.mp4").write_text("sunset")
        await board.until(lambda: board.counts() == {"running": 1})
        board.release()
        await board.until(lambda: board.counts() == {"done": 1})
