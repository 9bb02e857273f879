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

import psutil
import pytest
from callboard.bus import wedge
from callboard.bus.nats import NatsBus
from callboard.bus.server import EmbeddedServer
from callboard.cli.live import live
from callboard.config import Project
from callboard.errors import BrokerError
from rich.console import Console

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(sys.platform != "linux", reason="prlimit(2) is how a write is made to fail, on Linux only"),
]

SOON = 20.0
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


async def fill(bus: NatsBus) -> int:
    """Store messages of 8 KiB until one is not; give how many were."""
    for number in range(10):
        try:
            await bus.publish(f"cb.out.test.n{number}", b"x" * 8192)
        except BrokerError:
            return number
    raise AssertionError("the disk was never full")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    """Give a running broker."""
    async with EmbeddedServer(tmp_path) as running:
        yield running


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wedge, "WEDGED_SECONDS", 2.0)


async def test_wedged_stream_has_its_broker_started_again(
    server: EmbeddedServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A stream that went dead on a full disk takes messages again without anybody's help, and none is lost."""
    async with NatsBus(server.broker(), publish_seconds=0.5, on_wedged=server.restart) as bus:
        with full_disk(server.pid):
            stored = await fill(bus)
        assert (await bus.publish("cb.in.test.x", b"other streams go on")).duplicate is False
        dead = 0
        async with asyncio.timeout(SOON):
            while True:
                try:
                    await bus.publish("cb.out.test.again", b"x", msg_id="again", once=True)
                    break
                except BrokerError:
                    dead += bus.connected
                    await bus.ready(SOON)

        assert server.restarts == 1
        assert dead >= wedge.UNANSWERED - 1
        assert await bus.stored("cb.out") == {f"cb.out.test.n{number}" for number in range(stored)} | {
            "cb.out.test.again"
        }
    assert "stream CB_OUT took none of" in caplog.text


async def test_alarm_comes_once_a_minute_at_most(server: EmbeddedServer) -> None:
    """A store that stays dead raises one alarm, however many messages find no answer."""
    alarms: list[int] = []

    async def alarm() -> None:
        alarms.append(len(alarms))

    async with NatsBus(server.broker(), publish_seconds=0.3, on_wedged=alarm) as bus:
        with full_disk(server.pid):
            await fill(bus)
        failed = 0
        while failed < 40:
            answers = await asyncio.gather(
                *(bus.publish(f"cb.out.test.m{number}", b"x") for number in range(2)), return_exceptions=True
            )
            failed += sum(isinstance(answer, BrokerError) for answer in answers)
        assert alarms == [0]


async def test_own_broker_is_named_in_the_log(server: EmbeddedServer, caplog: pytest.LogCaptureFixture) -> None:
    """Where nobody here can start the broker again, the log says what to do."""
    caplog.set_level(logging.ERROR)
    async with NatsBus(server.broker(), publish_seconds=0.5) as bus:
        with full_disk(server.pid):
            await fill(bus)
        async with asyncio.timeout(SOON):
            while "free its disk and start it again" not in caplog.text:
                with pytest.raises(BrokerError, match="no answer"):
                    await bus.publish("cb.out.test.m", b"x")
        assert server.restarts == 0


async def test_frozen_broker_is_not_taken_for_a_wedged_one(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages that a stopped server does not answer raise no alarm: pings go unanswered too."""
    monkeypatch.setattr(wedge, "WEDGED_SECONDS", 0.5)
    alarms: list[str] = []

    async def alarm() -> None:
        alarms.append("wedged")

    async with NatsBus(server.broker(), publish_seconds=0.2, on_wedged=alarm) as bus:
        assert bus.connected
        process = psutil.Process(server.pid)
        process.suspend()
        try:
            for number in range(2 * wedge.UNANSWERED):
                with pytest.raises(BrokerError):
                    await bus.publish(f"cb.out.test.n{number}", b"x")
            assert bus.connected
            await asyncio.wait(set(bus._tasks), timeout=SOON)  # the ping has had its time
        finally:
            process.resume()
        assert alarms == []


async def test_board_starts_its_wedged_broker_again(tmp_path: Path) -> None:
    """A board that is up gets its own broker started again: the bus and the broker are tied to each other."""
    project = Project(folder=tmp_path, data=tmp_path / ".callboard")
    found = project.data / "nats" / "board.json"
    async with live(project, Console(file=io.StringIO())) as (daemon, serving):
        assert isinstance(daemon.bus, NatsBus)
        first = json.loads(found.read_text())["server_pid"]
        with full_disk(first):
            await fill(daemon.bus)
        messages = (daemon.bus.publish(f"cb.out.test.m{number}", b"x") for number in range(wedge.UNANSWERED))
        assert all(
            isinstance(answer, BrokerError) for answer in await asyncio.gather(*messages, return_exceptions=True)
        )
        async with asyncio.timeout(SOON):
            while True:
                try:
                    await daemon.bus.publish("cb.out.test.again", b"x", msg_id="again", once=True)
                    break
                except BrokerError:
                    await daemon.bus.ready(SOON)
        assert json.loads(found.read_text())["server_pid"] != first
        daemon.stopping.set()
        await serving
