"""A store that could not be written once stays dead; the bus notices and has the broker started again."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from unittest.mock import patch

import psutil
import pytest
from callboard.bus import link, wedge
from callboard.bus import server as server_module
from callboard.bus.nats import NatsBus
from callboard.bus.server import EmbeddedServer
from callboard.cli.live import live
from callboard.config import Project
from callboard.errors import BrokerError
from callboard.testing.buses import connected, stored_at_last
from callboard.testing.frozen import freeze
from callboard.testing.ports import reserved_port
from rich.console import Console

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(sys.platform != "linux", reason="prlimit(2) is how a write is made to fail, on Linux only"),
]

SOON = 60.0
"""Seconds that only guard against hanging."""
ROOM = 20_000
"""Bytes to which a file of the broker may grow while its disk is 'full'."""


@contextlib.contextmanager
def full_disk(pid: int) -> Iterator[None]:
    """Let each write of the broker beyond ``ROOM`` bytes of a file fail, as on a full disk (RLIMIT_FSIZE: EFBIG)."""
    process = psutil.Process(pid)
    soft, hard = process.rlimit(psutil.RLIMIT_FSIZE) or (-1, -1)
    process.rlimit(psutil.RLIMIT_FSIZE, (ROOM, hard))
    try:
        yield
    finally:
        process.rlimit(psutil.RLIMIT_FSIZE, (soft, hard))


async def fill(bus: NatsBus, folder: Path) -> set[str]:
    """Store messages of 8 KiB until the broker in *folder* says that one cannot be; give the subjects of the others."""
    stored: set[str] = set()
    # No alarm before the store is dead: a new broker would find room.
    with patch.object(wedge, "UNANSWERED", 10**6):
        async with asyncio.timeout(SOON):
            await _fill(bus, folder, stored)
    return stored


async def _fill(bus: NatsBus, folder: Path, stored: set[str]) -> None:
    while True:
        subject = f"cb.out.test.n{len(stored)}"
        try:
            await bus.publish(subject, b"x" * 8192, msg_id=subject)
            stored.add(subject)
        except BrokerError:  # the answer may be no more than slow
            if "[CB_OUT] Critical write error" in (folder / "server.log").read_text():
                return


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    """Give a running broker, on a port that nobody takes while it is started again."""
    with reserved_port() as port:
        made = EmbeddedServer(tmp_path)
        made.port = port
        async with made as running:
            yield running


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wedge, "WEDGED_SECONDS", 2.0)


async def test_wedged_stream_has_its_broker_started_again(
    server: EmbeddedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A stream that went dead on a full disk takes messages again without anybody's help, and none is lost."""
    async with connected(server.broker(), publish_seconds=0.5, on_wedged=server.restart) as bus:
        with full_disk(server.pid):
            stored = await fill(bus, server.folder)
        with patch.object(wedge, "UNANSWERED", 10**6):
            await stored_at_last(bus, "cb.in.test.x", b"other streams go on")
        assert server.restarts == 0
        async with asyncio.timeout(SOON):
            await stored_at_last(bus, "cb.out.test.again", b"x", msg_id="again", once=True)

        assert server.restarts == 1
        assert await bus.stored("cb.out") == stored | {"cb.out.test.again"}
    assert "stream CB_OUT took none of" in caplog.text


async def unanswered(bus: NatsBus, count: int) -> None:
    """Publish until *count* messages found no answer."""
    while count > 0:
        answers = await asyncio.gather(
            *(bus.publish(f"cb.out.test.m{number}", b"x") for number in range(4)), return_exceptions=True
        )
        count -= sum(isinstance(answer, BrokerError) for answer in answers)


async def test_alarm_comes_once_a_minute_at_most(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that stays dead raises one alarm, however many messages find no answer."""
    monkeypatch.setattr(wedge, "WEDGED_SECONDS", 0.5)
    alarms: list[int] = []
    raised = asyncio.Event()

    async def alarm() -> None:
        alarms.append(len(alarms))
        raised.set()

    async with connected(server.broker(), publish_seconds=0.2, on_wedged=alarm) as bus:
        with full_disk(server.pid):
            await fill(bus, server.folder)
        async with asyncio.timeout(SOON):
            while not raised.is_set():
                await unanswered(bus, 1)
            await unanswered(bus, 6 * wedge.UNANSWERED)
        assert alarms == [0]


async def test_own_broker_is_named_in_the_log(server: EmbeddedServer, caplog: pytest.LogCaptureFixture) -> None:
    """Where nobody here can start the broker again, the log says what to do."""
    caplog.set_level(logging.ERROR)
    async with connected(server.broker(), publish_seconds=0.5) as bus:
        with full_disk(server.pid):
            await fill(bus, server.folder)
        async with asyncio.timeout(SOON):
            while "free its disk and start it again" not in caplog.text:
                await unanswered(bus, 1)
        assert server.restarts == 0


async def test_frozen_broker_is_not_taken_for_a_wedged_one(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages that a stopped server does not answer raise no alarm: pings go unanswered too."""
    monkeypatch.setattr(wedge, "WEDGED_SECONDS", 0.5)
    monkeypatch.setattr(link, "PING_SECONDS", 1.0)
    monkeypatch.setattr(server_module, "PROBES_MISSED", 1000)  # it is frozen for as long as this takes
    monkeypatch.setattr(link, "PINGS_MISSED", 1000)  # or the connection would be made again, and nothing be counted
    alarms: list[str] = []

    async def alarm() -> None:
        alarms.append("wedged")

    async with connected(server.broker(), publish_seconds=0.2, on_wedged=alarm) as bus:
        freeze(server.pid)
        try:
            for number in range(2 * wedge.UNANSWERED):
                with pytest.raises(BrokerError):
                    await bus.publish(f"cb.out.test.n{number}", b"x")
            assert bus.connected
            async with asyncio.timeout(SOON):
                await asyncio.gather(*bus._tasks)  # the ping has had its time
        finally:
            psutil.Process(server.pid).resume()
        assert alarms == []


async def test_a_ping_that_found_no_answer_is_sent_again(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that stood still when it was asked, and whose store is dead, raises the alarm when it goes on."""
    monkeypatch.setattr(wedge, "WEDGED_SECONDS", 0.1)
    monkeypatch.setattr(link, "PING_SECONDS", 1.0)
    monkeypatch.setattr(server_module, "PROBES_MISSED", 1000)  # as above
    monkeypatch.setattr(link, "PINGS_MISSED", 1000)
    raised = asyncio.Event()

    async def alarm() -> None:
        raised.set()

    async with connected(server.broker(), publish_seconds=0.2, on_wedged=alarm) as bus:
        with full_disk(server.pid):
            monkeypatch.setattr(wedge, "UNANSWERED", 10**6)  # no ping yet
            await fill(bus, server.folder)
            monkeypatch.setattr(wedge, "UNANSWERED", 5)
        freeze(server.pid)
        try:
            await unanswered(bus, 2 * wedge.UNANSWERED)
            async with asyncio.timeout(SOON):
                await asyncio.gather(*bus._tasks)  # the ping has had its time
            assert not raised.is_set()
        finally:
            psutil.Process(server.pid).resume()
        async with asyncio.timeout(SOON):
            while not raised.is_set():
                await unanswered(bus, 1)


async def test_board_starts_its_wedged_broker_again(tmp_path: Path) -> None:
    """A board that is up gets its own broker started again: the bus and the broker are tied to each other."""
    project = Project(folder=tmp_path, data=tmp_path / ".callboard")
    found = project.data / "nats" / "board.json"
    async with live(project, Console(file=io.StringIO())) as (daemon, serving):
        assert isinstance(daemon.bus, NatsBus)
        daemon.bus._publish_seconds = 0.5
        first = json.loads(found.read_text())["server_pid"]
        with full_disk(first):
            await fill(daemon.bus, found.parent)
        async with asyncio.timeout(SOON):
            await stored_at_last(daemon.bus, "cb.out.test.again", b"x", msg_id="again", once=True)
            while json.loads(found.read_text())["server_pid"] == first:
                await asyncio.sleep(0.02)  # the bus may find the new broker before its supervisor does
        daemon.stopping.set()
        await serving
