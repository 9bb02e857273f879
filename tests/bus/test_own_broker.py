"""A broker of one's own: TLS, credentials, several urls, and what is said when one of them is wrong."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nkeys
import pytest
from callboard.bus import Delivery
from callboard.bus.binary import find_binary
from callboard.bus.nats import NatsBus
from callboard.config import Broker, Project, Settings
from callboard.doctor import examine
from callboard.errors import BrokerError
from callboard.testing.buses import connected, stored_at_last

pytestmark = pytest.mark.broker

SOON = 60.0

EXTENSIONS = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = IP:127.0.0.1
authorityKeyIdentifier = keyid
[client]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
"""


def make_certificate(folder: Path, name: str, kind: str, issuer: str = "") -> Path:
    """Make *name*.pem and *name*.key in *folder* with the openssl command, signed by *issuer* or by itself."""
    settings = folder / "openssl.cnf"
    settings.write_text(EXTENSIONS)
    command = ["openssl", "req", "-x509", "-config", str(settings), "-extensions", kind, "-days", "2", "-nodes"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", f"/CN={name}"]
    command += ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")]
    if issuer:
        command += ["-CA", str(folder / f"{issuer}.pem"), "-CAkey", str(folder / f"{issuer}.key")]
    subprocess.run(command, check=True, capture_output=True, timeout=SOON)
    return folder / f"{name}.pem"


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a CA, a server's and a client's certificate, and a CA that signed neither."""
    folder = tmp_path_factory.mktemp("papers")
    make_certificate(folder, "ca", "ca")
    make_certificate(folder, "other", "ca")
    make_certificate(folder, "server", "server", "ca")
    make_certificate(folder, "client", "client", "ca")
    return folder


@contextlib.asynccontextmanager
async def serving(folder: Path, settings: str) -> AsyncIterator[tuple[int, asyncio.subprocess.Process]]:
    """Run a nats-server with JetStream and *settings*; give its port and its process."""
    folder.mkdir(parents=True, exist_ok=True)
    # The server picks a free port itself, and writes it down: one that is picked here could be taken meanwhile.
    text = f'host: 127.0.0.1\nport: -1\nports_file_dir: "{folder}"\njetstream {{ store_dir: "{folder}/store" }}\n'
    text += f"{settings}\n"
    (folder / "server.conf").write_text(text)
    with open(folder / "out", "wb") as out:
        server = await asyncio.create_subprocess_exec(
            find_binary(), "-c", str(folder / "server.conf"), stdout=out, stderr=out
        )
    try:
        yield await _listening(server, folder), server
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()


async def _listening(server: asyncio.subprocess.Process, folder: Path) -> int:
    """Wait until the server says where it listens."""
    said = folder / f"nats-server_{server.pid}.ports"
    async with asyncio.timeout(SOON):
        while True:
            try:
                return int(json.loads(said.read_text())["nats"][0].rpartition(":")[2])
            except (OSError, ValueError):  # not there yet, or not whole
                assert server.returncode is None, (folder / "out").read_text()
                await asyncio.sleep(0.02)  # it tells in no other way


def tls_settings(papers: Path) -> str:
    """Say that only who has a certificate of the CA gets in."""
    files = "\n".join(
        f'  {key}: "{papers / name}"'
        for key, name in (("cert_file", "server.pem"), ("key_file", "server.key"), ("ca_file", "ca.pem"))
    )
    return f"tls {{\n{files}\n  verify: true\n}}"


async def carries(bus: NatsBus) -> bytes:
    """Publish a message and consume it again."""
    got: asyncio.Queue[Delivery] = asyncio.Queue()
    await bus.consume("cb.in.>", got.put, durable="journal")
    await stored_at_last(bus, "cb.in.test.x", b"over the wire", msg_id="x")
    async with asyncio.timeout(SOON):
        delivery = await got.get()
        await delivery.ack()
    assert await bus.stored("cb.in") == set()
    return delivery.body


async def check_refused(broker: Broker, log: pytest.LogCaptureFixture, says: str) -> None:
    """Connect in vain until the bus names the problem that *says* matches, and check that nothing else is said."""
    bus = NatsBus(broker)
    try:
        with log.at_level(logging.WARNING):
            assert await bus.connect(patience=0.5) is False
            async with asyncio.timeout(SOON):
                while not re.search(says, bus.problem):
                    assert await bus.ready(0.5) is False
        with pytest.raises(BrokerError, match="no connection to the broker"):
            await bus.publish("cb.in.test.x", b"x")
        assert [record.exc_info for record in log.records if record.exc_info] == []
        assert {record.name for record in log.records} == {"callboard.bus"}
    finally:
        await bus.close()


@pytest.mark.parametrize("scheme", ["tls", "nats"])
async def test_messages_go_over_tls(tmp_path: Path, papers: Path, scheme: str) -> None:
    """With a CA, a certificate and its key, messages are stored and come back, whatever the url's scheme."""
    async with serving(tmp_path, tls_settings(papers)) as (port, _):
        broker = Broker(
            url=f"{scheme}://127.0.0.1:{port}",
            tls_ca=str(papers / "ca.pem"),
            tls_cert=str(papers / "client.pem"),
            tls_key=str(papers / "client.key"),
        )
        async with connected(broker) as bus:
            assert await carries(bus) == b"over the wire"


@pytest.mark.parametrize(
    ("ca", "cert", "says"),
    [
        ("other.pem", "client", "certificate verify failed"),
        ("", "client", "certificate verify failed"),
        ("ca.pem", "", "certificate required|bad certificate|client certificate"),
    ],
)
async def test_wrong_tls_files_are_said_plainly(
    tmp_path: Path, papers: Path, caplog: pytest.LogCaptureFixture, ca: str, cert: str, says: str
) -> None:
    """A CA that did not sign the server, and a client without a certificate, are each named as the problem."""
    async with serving(tmp_path, tls_settings(papers)) as (port, _):
        broker = Broker(
            url=f"tls://127.0.0.1:{port}",
            tls_ca=ca and str(papers / ca),
            tls_cert=cert and str(papers / f"{cert}.pem"),
            tls_key=cert and str(papers / f"{cert}.key"),
        )
        await check_refused(broker, caplog, says)


async def test_nothing_is_said_to_a_server_without_tls(
    tmp_path: Path, papers: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where TLS is asked for, a server that offers none is refused before it hears a password."""
    heard = asyncio.Queue[bytes]()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b'INFO {"server_id":"x","version":"2.14.0","max_payload":1048576}\r\n')
            await heard.put(await reader.read(4096))
        except ConnectionError:  # it hung up before it had read all that
            await heard.put(b"")
        finally:
            writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        broker = Broker(url=f"tls://me:secret@127.0.0.1:{port}", tls_ca=str(papers / "ca.pem"))
        await check_refused(broker, caplog, "secure connection")
        async with asyncio.timeout(SOON):
            assert await heard.get() == b""
    assert "secret" not in caplog.text


async def test_unusable_tls_files_are_refused_at_once(papers: Path) -> None:
    """A key that does not belong to its certificate is refused before anything connects."""
    broker = Broker(url="tls://127.0.0.1:1", tls_cert=str(papers / "client.pem"), tls_key=str(papers / "server.key"))
    with pytest.raises(BrokerError, match="TLS files cannot be used"):
        await NatsBus(broker).connect()


def make_key(prefix: int) -> nkeys.KeyPair:
    """Make a key of the kind that *prefix* says."""
    return nkeys.from_seed(bytearray(nkeys.encode_seed(os.urandom(32), prefix)))


def public(key: nkeys.KeyPair) -> str:
    """Give the public half of *key*."""
    return bytes(key.public_key or b"").decode()


def secret(key: nkeys.KeyPair) -> str:
    """Give the seed of *key*."""
    return bytes(key.seed or b"").decode()


def token(issuer: nkeys.KeyPair, subject: nkeys.KeyPair, name: str, claims: dict[str, Any]) -> str:
    """Sign what *issuer* says of *subject*, as NATS writes its tokens."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    body = {"jti": name, "iat": int(time.time()), "iss": public(issuer), "name": name, "sub": public(subject)}
    head = part(b'{"typ":"JWT","alg":"ed25519-nkey"}')
    text = f"{head}.{part(json.dumps(body | {'nats': claims | {'version': 2}}).encode())}"
    return f"{text}.{part(issuer.sign(text.encode()))}"


NO_LIMIT = dict.fromkeys(("subs", "conn", "leaf", "data", "payload", "imports", "exports"), -1)
ROOM = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)


async def test_creds_file_of_an_operator_lets_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A user whose operator and account are known to the server gets in with a creds file; a stranger's does not."""
    operator, user = make_key(nkeys.PREFIX_BYTE_OPERATOR), make_key(nkeys.PREFIX_BYTE_USER)
    system, account = make_key(nkeys.PREFIX_BYTE_ACCOUNT), make_key(nkeys.PREFIX_BYTE_ACCOUNT)
    limits = NO_LIMIT | {"wildcards": True}
    accounts = {
        public(system): token(operator, system, "SYS", {"type": "account", "limits": limits}),
        public(account): token(operator, account, "show", {"type": "account", "limits": limits | ROOM}),
    }
    settings = (
        f"operator: {token(operator, operator, 'studio', {'type': 'operator'})}\nresolver: MEMORY\n"
        f"system_account: {public(system)}\nresolver_preload: {json.dumps(accounts)}"
    )

    def creds(issuer: nkeys.KeyPair) -> str:
        path = tmp_path / "user.creds"
        claims = {"type": "user", "subs": -1, "data": -1, "payload": -1}
        path.write_text(
            f"-----BEGIN NATS USER JWT-----\n{token(issuer, user, 'board', claims)}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{secret(user)}\n------END USER NKEY SEED------\n"
        )
        return str(path)

    async with serving(tmp_path / "server", settings) as (port, _):
        async with connected(Broker(url=f"nats://127.0.0.1:{port}", creds=creds(account))) as bus:
            assert await carries(bus) == b"over the wire"
        stranger = creds(make_key(nkeys.PREFIX_BYTE_ACCOUNT))
        await check_refused(Broker(url=f"nats://127.0.0.1:{port}", creds=stranger), caplog, "uthorization")


async def test_nkey_seed_lets_in_at_a_server_of_ones_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A server that knows the public key lets its seed in, and no other."""
    key, stranger = make_key(nkeys.PREFIX_BYTE_USER), make_key(nkeys.PREFIX_BYTE_USER)
    for name, pair in (("ours.nk", key), ("other.nk", stranger)):
        (tmp_path / name).write_text(secret(pair))
    settings = f"authorization {{ users: [ {{ nkey: {public(key)} }} ] }}"
    async with serving(tmp_path / "server", settings) as (port, _):
        url = f"nats://127.0.0.1:{port}"
        async with connected(Broker(url=url, nkey_seed=str(tmp_path / "ours.nk"))) as bus:
            assert await carries(bus) == b"over the wire"
        await check_refused(Broker(url=url, nkey_seed=str(tmp_path / "other.nk")), caplog, "uthorization")


async def test_bus_goes_on_with_the_other_server(tmp_path: Path) -> None:
    """With two urls, the bus goes on with the other server when the one it uses is killed, and says that it came."""
    came = asyncio.Queue[int]()
    async with (
        serving(tmp_path / "a", "") as (first, one),
        serving(tmp_path / "b", "") as (second, two),
        connected(Broker(url=f"nats://127.0.0.1:{first}, nats://127.0.0.1:{second}")) as bus,
    ):

        async def came_up() -> None:
            url = bus._link._require().connected_url
            assert url is not None
            await came.put(url.port or 0)

        bus.on_connect(came_up)
        async with asyncio.timeout(SOON):
            used = await came.get()
            (one if used == first else two).kill()
            while (now := await came.get()) == used:
                pass  # the first connect may be announced twice: at once, and with all others
        assert now == (second if used == first else first)
        assert await carries(bus) == b"over the wire"


@pytest.mark.parametrize(
    ("broker", "named"),
    [
        (Broker(url="nats://me:secret@192.0.2.1:4222, 198.51.100.7"), ["192.0.2.1:4222", "198.51.100.7"]),
        (Broker(url="nats://127.0.0.1:1,localhost:1,nats://[::1]:1"), []),
        (Broker(url="tls://192.0.2.1:4222"), []),
    ],
)
async def test_broker_elsewhere_without_tls_is_warned_about(
    caplog: pytest.LogCaptureFixture, broker: Broker, named: list[str]
) -> None:
    """Another machine without TLS is named once in the log, without the password; loopback and TLS are not."""
    bus = NatsBus(broker)
    try:
        with caplog.at_level(logging.WARNING):
            await bus.connect(patience=0.0)
        warned = [record.getMessage() for record in caplog.records if "without TLS" in record.getMessage()]
        assert len(warned) == len(named)
        assert all(place in line for place, line in zip(named, warned, strict=True))
        assert "secret" not in caplog.text
    finally:
        await bus.close()


def test_doctor_notes_a_broker_elsewhere_without_tls(tmp_path: Path) -> None:
    """The doctor names a broker on another machine that is spoken to in the clear, and how to mend it, no password."""
    own = Broker(url="nats://me:secret@192.0.2.1:4222")
    project = Project(folder=tmp_path, data=tmp_path / ".callboard", settings=Settings(broker=own))
    about = [finding for finding in examine(project) if finding.what == "broker"]

    assert [finding.level for finding in about] == ["note", "note"]
    assert "192.0.2.1:4222 is spoken to without TLS" in about[1].found
    assert "tls://" in about[1].mend
    assert "secret" not in str(about)
