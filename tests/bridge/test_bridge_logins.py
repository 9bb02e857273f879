"""The bridge with a server of one's own: each way to log in, TLS, ten thousand events, and servers that die."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import socket
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import nats
import nkeys
import pytest
from callboard.bus.binary import find_binary
from callboard.testing.ports import reserved_port
from callboard_bridge import Bridge
from nats.js.api import DiscardPolicy

pytestmark = pytest.mark.broker

SOON = 60.0
SEED = bytes(nkeys.encode_seed(b"bridge test seed of 32 bytes len", nkeys.PREFIX_BYTE_USER))
PUBLIC = bytes(nkeys.from_seed(bytearray(SEED)).public_key).decode()
USERS = f"authorization {{ users: [ {{user: u, password: 'p@:'}}, {{nkey: {PUBLIC}}} ] }}"


class Server:
    """A nats-server with settings of ours on one port, which can be killed and started again."""

    def __init__(self, folder: Path, settings: str, port: int) -> None:
        self.port = port
        self.config = folder / "server.conf"
        store = json.dumps(str(folder / "store"))
        self.config.write_text(f"host: 127.0.0.1\nport: {self.port}\njetstream {{store_dir: {store}}}\n{settings}\n")
        self.url = f"nats://127.0.0.1:{self.port}"
        self.process: asyncio.subprocess.Process

    async def start(self) -> None:
        """Start it and wait for its greeting."""
        none = subprocess.DEVNULL
        self.process = await asyncio.create_subprocess_exec(
            find_binary(), "-c", str(self.config), stdout=none, stderr=none
        )
        deadline = time.monotonic() + SOON
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    greeting = await reader.readline()
                finally:
                    writer.close()
                if greeting.startswith(b"INFO"):
                    return
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

    async def kill(self) -> None:
        """Kill it; what it had not stored is lost."""
        self.process.kill()
        await self.process.wait()


@contextlib.asynccontextmanager
async def serving(folder: Path, settings: str) -> AsyncIterator[Server]:
    """Give a server that runs."""
    with reserved_port() as port:
        server = Server(folder, settings, port)
        await server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(ProcessLookupError):
                await server.kill()


async def until(condition: Callable[[], Any], *bridges: Bridge) -> None:
    """Poll the bridges, as an application's timer does, until the condition holds."""
    deadline = time.monotonic() + SOON
    while not condition():
        for bridge in bridges:
            bridge.poll()
        assert time.monotonic() < deadline, [(bridge.state, bridge.problem, bridge.pending) for bridge in bridges]
        await asyncio.sleep(0.001)


def at_most(bridge: Bridge, count: int) -> Callable[[], bool]:
    """Give a condition: that at most *count* events wait."""
    return lambda: bridge.pending <= count


async def make_stream(url: str, **options: Any) -> None:
    """Make the stream that takes events."""
    client = await nats.connect(url, **options)
    await client.jetstream(timeout=SOON).add_stream(name="CB_IN", subjects=["cb.in.>"])
    await client.close()


async def stored(url: str, **options: Any) -> list[str]:
    """Give the id of each event in the stream, in its order."""
    client = await nats.connect(url, **options)
    stream = client.jetstream(timeout=SOON)
    left = (await stream.stream_info("CB_IN")).state.messages
    heard = await stream.subscribe("cb.in.>", ordered_consumer=True)
    ids = [json.loads((await heard.next_msg(SOON)).data)["id"] for _ in range(left)]
    await client.close()
    return ids


async def test_ten_thousand_events_arrive_once_each(tmp_path: Path) -> None:
    """Ten thousand events posted while the server is down are stored once each, in their order, when it is back."""
    async with serving(tmp_path, "authorization {token: secret}") as server:
        await make_stream(server.url, token="secret")
        await server.kill()
        bridge = Bridge(server.url, "Test", "1", token="secret", outbox=str(tmp_path / "outbox"))
        ids = [bridge.post("host.scene.saved", {"project": f"/films/{number}.blend"}) for number in range(10_000)]
        await until(lambda: "nobody listens" in bridge.problem, bridge)
        assert (bridge.pending, bridge.state) == (10_000, "offline")
        await server.start()
        await until(lambda: bridge.pending == 0, bridge)
        bridge.close()
        assert await stored(server.url, token="secret") == ids
    assert list((tmp_path / "outbox").iterdir()) == []


async def test_the_server_may_die_while_events_fly(tmp_path: Path) -> None:
    """A server killed again and again in the middle of it costs no event and doubles none."""
    async with serving(tmp_path, "authorization {token: secret}") as server:
        await make_stream(server.url, token="secret")
        bridge = Bridge(server.url, "Test", "1", token="secret", outbox=str(tmp_path / "outbox"))
        ids = [bridge.post("host.scene.saved", {"project": "x"}) for _ in range(4000)]
        for left in (3000, 2000, 1000):
            await until(at_most(bridge, left), bridge)
            assert bridge.pending > 0
            await server.kill()
            await until(lambda: bridge.state == "offline", bridge)
            await server.start()
        await until(lambda: bridge.pending == 0, bridge)
        bridge.close()
        assert Counter(await stored(server.url, token="secret")) == Counter(ids)


async def test_a_dead_process_takes_its_window_with_it(tmp_path: Path) -> None:
    """Of events that were sent before a crash, and whose taking was not written down, none is stored twice."""
    async with serving(tmp_path, "authorization {token: secret}") as server:
        await make_stream(server.url, token="secret")
        first = Bridge(server.url, "Test", "1", token="secret", outbox=str(tmp_path / "outbox"))
        ids = [first.post("host.scene.saved", {"project": "x"}) for _ in range(500)]
        await until(lambda: first.pending < 300, first)
        files = list((tmp_path / "outbox").iterdir())
        copies = [(path.with_name("copy-" + path.name), path.read_bytes()) for path in files]
        await until(lambda: first.pending == 0, first)
        first.close()
        for path, body in copies:
            path.write_bytes(body)
        second = Bridge(server.url, "Test", "1", token="secret", outbox=str(tmp_path / "outbox"))
        await until(lambda: not list((tmp_path / "outbox").iterdir()), second)
        second.close()
        assert Counter(await stored(server.url, token="secret")) == Counter(ids)


async def test_no_stream_is_no_loss(tmp_path: Path) -> None:
    """With a server but no stream, events stay, the problem says so, and they go once the stream is made."""
    async with serving(tmp_path, "") as server:
        bridge = Bridge(server.url, "Test", "1")
        ids = [bridge.post("host.scene.saved", {"project": "x"})]
        await until(lambda: "stream is not there" in bridge._courier.problem, bridge)
        assert bridge.pending == 1
        await make_stream(server.url)
        await until(lambda: bridge.pending == 0, bridge)
        bridge.close()
        assert await stored(server.url) == ids


async def test_a_full_stream_is_no_loss(tmp_path: Path) -> None:
    """A stream that takes nothing more leaves the events in the outbox, and they go once there is room."""
    async with serving(tmp_path, "") as server:
        client = await nats.connect(server.url)
        stream = client.jetstream(timeout=SOON)
        await stream.add_stream(name="CB_IN", subjects=["cb.in.>"], max_msgs=2, discard=DiscardPolicy.NEW)
        bridge = Bridge(server.url, "Test", "1")
        ids = [bridge.post("host.scene.saved", {"project": "x"}) for _ in range(5)]
        await until(lambda: "maximum messages" in bridge._courier.problem, bridge)
        assert bridge.pending == 3
        await stream.update_stream(name="CB_IN", subjects=["cb.in.>"], discard=DiscardPolicy.NEW)
        await until(lambda: bridge.pending == 0, bridge)
        bridge.close()
        await client.close()
        assert Counter(await stored(server.url)) == Counter(ids)


@pytest.mark.parametrize(
    ("options", "well"),
    [
        ({"user": "u", "password": "p@:"}, True),
        ({"seed": SEED}, True),
        ({"url": "nats://u:p%40%3A@127.0.0.1:{port}"}, True),
        ({"url": "127.0.0.1:{port}", "user": "u", "password": "p@:"}, True),
        ({"url": "nats://localhost:{port}", "seed": SEED}, True),
        ({"user": "u", "password": "wrong"}, False),
        ({"token": "none"}, False),
        ({"seed": SEED.replace(SEED[-8:], b"AAAAAAAA")}, False),
        ({}, False),
    ],
)
async def test_each_login(tmp_path: Path, options: dict[str, Any], well: bool) -> None:
    """User and password, nkey and url log in; what is wrong is told, and tried again."""
    async with serving(tmp_path, USERS) as server:
        settings = {"url": server.url, **options}
        settings["url"] = settings["url"].format(port=server.port)
        bridge = Bridge(application="Test", version="1", **settings)
        if well:
            await until(lambda: bridge._link.ready, bridge)
        else:  # a server may hang up before it has said why: then the next try tells
            await until(lambda: "know us" in bridge.problem or "nkey" in bridge.problem, bridge)
            tries = bridge._link._tries
            await until(lambda: bridge._link._tries > tries + 1, bridge)
        assert bridge._link.ready is well
        assert "p@" not in bridge.problem
        bridge.close()


async def test_it_hears_nothing_that_it_may_not(tmp_path: Path) -> None:
    """A role without the right to hear commands is connected, and the problem names the right."""
    rights = "permissions: {publish: ['cb.>', '$JS.>'], subscribe: ['_INBOX.host.>']}"
    async with serving(tmp_path, f"authorization {{ users: [ {{user: u, password: p, {rights}}} ] }}") as server:
        bridge = Bridge(server.url, "Test", "1", user="u", password="p")
        await until(lambda: bridge._link.denied, bridge)
        assert "forbids" in bridge._link.denied
        assert bridge._link.ready
        bridge.close()


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a certificate for 127.0.0.1 that is its own authority, and one that nobody knows."""
    folder = tmp_path_factory.mktemp("papers")
    for name in ("known", "other"):
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-days", "2", "-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1"]
        command += ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")]
        subprocess.run(command, check=True, capture_output=True, timeout=SOON)
    return folder


async def test_tls_is_kept(tmp_path: Path, papers: Path) -> None:
    """Over TLS events arrive, a stranger's certificate is refused, and a server without TLS hears nothing."""
    certificate, key = json.dumps(str(papers / "known.pem")), json.dumps(str(papers / "known.key"))
    tls = f"tls {{ cert_file: {certificate}, key_file: {key} }}"
    context = ssl.create_default_context(cafile=str(papers / "known.pem"))
    async with serving(tmp_path, f"{USERS}\n{tls}") as server:
        await make_stream(server.url, tls=context, user="u", password="p@:")
        for trusted in (str(papers / "known.pem"), context):
            bridge = Bridge(server.url, "Test", "1", seed=SEED, tls=trusted)
            bridge.post("host.scene.saved", {"project": "x" * 50_000})
            await until(at_most(bridge, 0), bridge)
            bridge.close()
        for stranger, words in (
            (str(papers / "other.pem"), "certificate"),
            (True, "certificate"),
            (None, "demands TLS"),
        ):
            bridge = Bridge(server.url, "Test", "1", seed=SEED, tls=stranger)
            await until(functools.partial(_says, bridge, words), bridge)  # a server that waited too long hangs up first
            bridge.close()


def _says(bridge: Bridge, words: str) -> bool:
    return words in bridge.problem.replace("CERTIFICATE", "certificate")


async def test_a_server_without_tls_hears_nothing() -> None:
    """Who asked for TLS says not one byte to a server that offers none."""
    heard: list[bytes] = []
    done = asyncio.Event()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b'INFO {"nonce":"abc"}\r\n')
            heard.append(await reader.read())
        finally:
            writer.close()
            done.set()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    bridge = Bridge(f"tls://127.0.0.1:{port}", "Test", "1", token="secret")
    await until(done.is_set, bridge)
    server.close()
    await server.wait_closed()
    bridge.close()
    assert heard == [b""]
    assert "offers no TLS" in bridge.problem


async def test_the_round_trip_is_not_slower_than_its_polls(tmp_path: Path) -> None:
    """A question and its answer take two polls, however rare those are: nothing waits for a second timer."""
    async with serving(tmp_path, "") as server:
        client = await nats.connect(server.url)

        async def answer(message: Any) -> None:
            await message.respond(b'{"value": 7}')

        await client.subscribe("cb.ctl.host.*", cb=answer)
        bridge = Bridge(server.url, "Test", "1")
        await until(lambda: bridge.state == "online", bridge)
        got: list[Any] = []
        bridge.ask("ping", {}, lambda value, _problem: got.append(value), timeout=SOON)
        bridge.poll()
        assert got == []
        await until(lambda: b'{"value": 7}' in _unread(bridge))
        bridge.poll()
        bridge.close()
        await client.close()
    assert got == [7]


def _unread(bridge: Bridge) -> bytes:
    """Look at what lies in the socket of a bridge, and leave it there."""
    with contextlib.suppress(BlockingIOError):
        return bytes(bridge._link._socket.recv(65536, socket.MSG_PEEK))
    return b""
