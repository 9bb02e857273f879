"""Servers and boards that mean harm or are broken: no poll takes long, none raises, and the bridge tries again."""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nkeys
import pytest
from callboard_bridge import Bridge, link

SOON = 60.0
CPU_SECONDS = 0.05
"""Ten times what a poll may take, for a machine that is busy; ``bench/bridge.py`` has the strict bound."""
INFO = b'INFO {"server_id":"x","version":"2.14.0","headers":true,"max_payload":1048576,"nonce":"abc"}\r\n'
IN = INFO + b"PONG\r\n"
"""Lets anybody in."""
MiB = 1 << 20
SEED = bytes(nkeys.encode_seed(bytes(range(32)), nkeys.PREFIX_BYTE_USER))

Served = Callable[[socket.socket], None]


class Peer:
    """A server that does with each connection, one after another, what *served* does; in a thread of its own."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"nats://127.0.0.1:{self._listener.getsockname()[1]}"
        self.came = 0
        self._open: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open = connection
            self.came += 1
            with connection, contextlib.suppress(OSError):
                self._served(connection)

    def close(self) -> None:
        """End the thread, whatever it waits for."""
        for one in (self._listener, self._open):
            with contextlib.suppress(OSError, AttributeError):
                one.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]  # there may be no connection
        self._listener.close()
        self._thread.join(SOON)
        assert not self._thread.is_alive()


@contextlib.contextmanager
def serving(served: Served) -> Iterator[Peer]:
    """Give a server that runs."""
    peer = Peer(served)
    try:
        yield peer
    finally:
        peer.close()


def eat(connection: socket.socket) -> None:
    """Read until the other side closes."""
    while connection.recv(1 << 16):
        pass


def hear(connection: socket.socket, words: bytes) -> bytes:
    """Read until the other side has said *words*, to the end of their line.

    Raises:
        OSError: it closed before.
    """
    heard = b""
    while b"\r\n" not in heard.partition(words)[2]:
        more = connection.recv(1 << 16)
        if not more:
            raise ConnectionResetError
        heard += more
    return heard


class Watched:
    """Polls a bridge and remembers what the two longest polls cost this thread."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge, self.worst, self.second = bridge, 0.0, 0.0

    def until(self, condition: Callable[[], Any]) -> None:
        """Poll until the condition holds."""
        deadline = time.monotonic() + SOON
        while not condition():
            self.poll()
            assert time.monotonic() < deadline, (self.bridge.state, self.bridge.problem)
            time.sleep(0.0002)

    def poll(self) -> None:
        """Poll once."""
        before = time.thread_time()
        self.bridge.poll()
        *_, self.second, self.worst = sorted((self.second, self.worst, time.thread_time() - before))


@contextlib.contextmanager
def watching(url: str, **options: Any) -> Iterator[Watched]:
    """Give a bridge that is watched, with a command's callback and an event that waits."""
    bridge = Bridge(url, "Test", "1", ["tags.write"], host="test-1", **options)
    bridge.on_command(lambda command: bridge.receipt(command, "applied"))
    bridge.post("host.scene.saved", {"project": "x"})
    watched = Watched(bridge)
    gc.disable()  # else a poll may be charged with going through all that every test before this one left
    try:
        yield watched
    finally:
        gc.enable()
        bridge.close()
    # The longest poll but one: each harm is done twice, and a machine that stands still may have one poll pay for it.
    assert watched.second < CPU_SECONDS


def command(**fields: Any) -> bytes:
    """Make the frame of a command."""
    data = {"id": "c", "host": "test-1", "verb": "tags.write", "proposal": "p", **fields}
    body = json.dumps({"type": "host.command", "data": data}).encode()
    return b"MSG cb.do.test-1 2 %d\r\n%s\r\n" % (len(body), body)


def message(body: bytes) -> bytes:
    """Make the frame of a message to the host."""
    return b"MSG cb.do.test-1 2 %d\r\n%s\r\n" % (len(body), body)


BROKEN = {
    "nothing, then the end": b"",
    "noise": os.urandom(300_000),
    "http": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "a greeting without an end": b"INFO {" + b" " * MiB,
    "a greeting that is a list": b"INFO []\r\n",
    "a greeting that is deep": b"INFO " + b"[" * 30_000 + b"\r\n",
    "a greeting that is no text": b"INFO \xff\xfe\r\n",
    "a nonce without end": b'INFO {"nonce":"' + b"x" * 30_000 + b"\"}\r\n-ERR 'Authorization Violation'\r\n",
    "a nonce that is a number": b"INFO {\"nonce\":7}\r\n-ERR 'Authorization Violation'\r\n",
    "TLS demanded": b'INFO {"tls_required":true}\r\n',
    "too small": b'INFO {"max_payload":10}\r\nPONG\r\n',
    "a size that is no number": IN + b"MSG a 1 xyz\r\n",
    "a size that is negative": IN + b"MSG a 1 -1\r\n",
    "a size without end": IN + b"MSG a 1 " + b"9" * 2000 + b"\r\n",
    "a body that is longer": IN + b"MSG a 1 1\r\nabc\r\n",
    "headers longer than all": IN + b"HMSG a 1 10 2\r\nab\r\n",
    "an unknown word": IN + b"EXEC rm\r\n",
    "a line without an end": IN + b"x" * MiB,
    "an error": IN + b"-ERR 'Stale Connection'\r\n",
    "an error that is no text": IN + b"-ERR \xff\xff\r\n",
}


@pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN.keys())
def test_a_server_that_is_none_is_left_and_tried_again(said: bytes) -> None:
    """Whatever a server says, the bridge says what is wrong, and comes back."""

    def served(connection: socket.socket) -> None:
        connection.sendall(said)
        if said and b"nonce" not in said:
            eat(connection)

    with serving(served) as peer, watching(peer.url, seed=SEED) as watched:
        watched.until(lambda: watched.bridge.problem)
        tried = watched.bridge._link
        watched.until(lambda: peer.came >= 2 and tried._tries >= 1 and tried.stage == link.CLOSED)
        assert watched.bridge.state in ("offline", "connecting")
        assert watched.bridge.pending == 1


FLOODS = {
    "PING": b"PING\r\n" * 20_000,
    "INFO": (b"INFO {" + b'"a":1,' * 5000 + b'"b":2}\r\n') * 4,
    "errors that are none": b"-ERR 'Permissions Violation for Publish to \"x\"'\r\n" * 4000,
    "messages for nobody": b"MSG nobody 9 2\r\nhi\r\n" * 8000,
    "answers to nothing": b"MSG _INBOX.host.x.q1 1 2\r\nhi\r\n" * 5000,
    "huge messages": b"MSG cb.do.test-1 2 %d\r\n" % (4 * MiB) + bytes(4 * MiB) + b"\r\n",
    "JSON that is wide": message(b'{"type":"host.command","data":[' + b"[]," * 20_000 + b"0]}") * 3,
    "JSON that is deep": message(b"[" * 60_000) * 4,
    "numbers without end": message(b"1" * 70_000) * 4,
    "commands that are refused": b"".join(command(id=f"c{n}", verb="x") for n in range(2000)),
    "commands that name many paths": b"".join(
        command(id=f"p{n}", arguments={"a": ["/" + "/".join("a" * 100)] * 200}) for n in range(4)
    ),
    "commands of long contents": b"".join(command(id=f"b{n}", parts=64) for n in range(3000)),
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_takes_no_poll_long(flood: bytes, tmp_path: Path) -> None:
    """A server that says too much is heard a little at a time, in bounded memory, and the application goes on."""
    sent = threading.Event()

    def served(connection: socket.socket) -> None:
        connection.sendall(INFO)
        connection.recv(4096)
        connection.sendall(b"PONG\r\n")
        for _ in range(3):
            connection.sendall(flood)
        sent.set()
        eat(connection)

    options = {"outbox": str(tmp_path / "outbox"), "roots": [str(tmp_path)]}
    with serving(served) as peer, watching(peer.url, **options) as watched:
        watched.until(sent.is_set)
        for _ in range(300):
            watched.poll()
        assert len(watched.bridge._link._parser) < link.MAX_UNREAD + 100_000
        assert watched.bridge._link.unsent <= link.MAX_UNSENT


def test_a_slow_drip_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that says one byte at a time is waited for, and the application goes on."""
    monkeypatch.setattr(link, "LOGIN_SECONDS", SOON)
    read = threading.Semaphore(0)

    def served(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in IN:
            connection.sendall(bytes([byte]))
            read.acquire(timeout=SOON)
        eat(connection)

    with serving(served) as peer, watching(peer.url) as watched:
        watched.until(lambda: watched.bridge._link._socket is not None)
        for _ in IN:
            assert not watched.bridge._link.ready
            watched.poll()
            read.release()
        watched.until(lambda: watched.bridge._link.ready)


def mute(connection: socket.socket) -> None:
    """Say nothing at all."""
    eat(connection)


def mute_later(connection: socket.socket) -> None:
    """Let them in, and say nothing more."""
    connection.sendall(IN)
    eat(connection)


@pytest.mark.parametrize(
    ("served", "words", "limits"),
    [
        (mute, "does not answer", ("LOGIN_SECONDS",)),
        (mute_later, "fell silent", ("QUIET_SECONDS", "ANSWER_SECONDS")),
    ],
)
def test_a_server_that_never_answers_is_left(
    served: Served, words: str, limits: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence before the login, and after it, ends the connection after a while, and the problem says so."""
    for name in limits:
        monkeypatch.setattr(link, name, 0.1)
    with serving(served) as peer, watching(peer.url) as watched:
        watched.until(lambda: words in watched.bridge.problem)
        watched.until(lambda: peer.came >= 2)


def test_a_server_that_does_not_read_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a server that takes nothing is bounded, and then it is left."""
    for name in ("QUIET_SECONDS", "ANSWER_SECONDS"):
        monkeypatch.setattr(link, name, 0.5)
    done = threading.Event()

    def served(connection: socket.socket) -> None:
        connection.sendall(IN)
        done.wait(SOON)

    with serving(served) as peer, watching(peer.url) as watched:
        unsent = 0
        for _ in range(150):
            watched.bridge.post("host.scene.saved", {"project": "x" * 50_000})

        def left() -> bool:
            nonlocal unsent
            unsent = max(unsent, watched.bridge._link.unsent)
            return "fell silent" in watched.bridge.problem

        watched.until(left)
        done.set()
        assert 0 < unsent < 200_000
        assert watched.bridge.pending == 151


def test_nobody_is_called_back_twice_or_never() -> None:
    """Questions that a connection breaks are each answered once."""
    got: list[int] = []

    def served(connection: socket.socket) -> None:
        connection.sendall(IN)
        heard = hear(connection, b"cb.ctl.host.hello")
        inbox = heard.partition(b"cb.ctl.host.hello ")[2].partition(b" ")[0]
        connection.sendall(b'MSG %s 1 12\r\n{"value":{}}\r\n' % inbox)
        if b"cb.ctl.host.uses" not in heard:
            hear(connection, b"cb.ctl.host.uses")

    def note(number: int, _value: Any, _problem: str) -> None:
        got.append(number)

    with serving(served) as peer, watching(peer.url) as watched:
        watched.until(lambda: watched.bridge.state == "online")
        for number in range(300):
            watched.bridge.ask("uses", {}, functools.partial(note, number), timeout=SOON)
        watched.until(lambda: len(got) == 300)
        for _ in range(20):
            watched.poll()
    assert sorted(got) == list(range(300))


@pytest.mark.parametrize(
    "url",
    ["", "nats://", "http://x:1", "nats://127.0.0.1:99999", "nats://[::1", "nats://127.0.0.1:x", "nats://\0", "://"],
)
def test_an_address_that_is_none_is_told(url: str) -> None:
    """A wrong address raises nothing; the problem names it."""
    bridge = Bridge(url, "Test", "1")
    for _ in range(3):
        bridge.poll()
    assert (bridge.state, bool(bridge.problem)) == ("offline", True)
    bridge.close()


@pytest.mark.parametrize(
    "board", [None, b"", b"{", b"[]", b'{"url": 7}', b'{"url": "nats://far.example:4222"}', b"\xff"]
)
def test_a_project_without_a_board_is_told(tmp_path: Path, board: bytes | None) -> None:
    """A project that is not running, or whose file is broken, raises nothing; nothing is made in its folder."""
    if board is not None:
        (tmp_path / ".callboard" / "nats").mkdir(parents=True)
        (tmp_path / ".callboard" / "nats" / "board.json").write_bytes(board)
    before = sorted(tmp_path.rglob("*"))
    bridge = Bridge.for_project(str(tmp_path), "Test", "1")
    for _ in range(3):
        bridge.poll()
    assert bridge.state == "offline"
    assert bridge.problem
    assert bridge.post("host.scene.saved", {}) != ""
    bridge.close()
    if board is None:
        assert sorted(tmp_path.rglob("*")) == before
