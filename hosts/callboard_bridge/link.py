"""One connection with a NATS server that is made, kept and made again without ever waiting."""

from __future__ import annotations

import os
import time

from callboard_bridge.dial import dial, hang_up, reason
from callboard_bridge.login import Login
from callboard_bridge.places import Trouble
from callboard_bridge.wire import Parser, WireError, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from callboard_bridge.places import Where

CLOSED, GREETING, SHAKING, SIGNING, LOGIN, READY = range(6)
LOGIN_SECONDS = 10.0
"""From the first packet until the server says that we are in."""
QUIET_SECONDS, ANSWER_SECONDS = 20.0, 10.0
"""Silence after which the server is asked whether it is there, and how long it may take to say so."""
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""Seconds before the second try, and before all tries after some."""
STEADY_SECONDS = 5.0
"""A connection that held this long is not to blame for its end: the next try comes soon."""
MAX_UNSENT = 1024 * 1024
"""Bytes that wait for a server which does not read; then the connection is given up."""
MAX_UNREAD = 256 * 1024
"""Bytes that wait to be handled; the rest stays with the server."""
MAX_WORDS = 100
"""Of the server's own that are answered at once: it could say PING forty thousand times in one read."""
LEAST_PAYLOAD = 62 * 1024
"""Bytes of a message that a server must take: an event and its headers."""
_CHUNK = 64 * 1024
_AGAIN = (BlockingIOError, InterruptedError)


class Link:
    """The connection. ``step`` does what can be done now; ``next`` gives what was heard.

    Args:
        find: Says where to connect, at each try; raises ``Trouble`` where it cannot.
        name: What the server lists us as.
        subjects: What is subscribed to after each login.
    """

    def __init__(self, find: Any, name: str, subjects: list[str]) -> None:
        self.stage, self.logins = CLOSED, 0
        self.problem = self.denied = ""
        self._find, self._name, self._subjects = find, name, subjects
        self._where: Where | None = None
        self._socket: Any = None
        self._tries, self._retry_at, self._wait = -1, 0.0, FIRST_WAIT
        self._unsent, self._parser = bytearray(), Parser()
        self._chunk = memoryview(bytearray(_CHUNK))
        self._again: tuple[type[BaseException], ...] = _AGAIN
        self._info: dict[str, Any] = {}
        self._login: Login | None = None
        self._since = self._heard = self._asked = 0.0
        self._ended = self._fresh = False
        self._look: Any = None

    @property
    def ready(self) -> bool:
        """Whether what is sent now goes to a server that let us in."""
        return self.stage == READY

    def quiet(self, now: float) -> bool:
        """Say whether nothing came and nothing is due; a look costs a third of what reading nothing costs.

        Raises:
            OSError: the connection is lost.
        """
        if self.stage == CLOSED:
            return now < self._retry_at
        return not (self._fresh or self._unsent or self.stage != READY or self._look is None or self._look(0))

    def hurry(self) -> None:
        """Try again at the next step: what is connected with may have changed."""
        self._retry_at, self._wait = 0.0, FIRST_WAIT

    def send(self, frame: bytes) -> None:
        """Send a frame with the next steps; nothing while not ready."""
        if self.stage != READY:
            return
        if len(self._unsent) + len(frame) > MAX_UNSENT:
            self.drop("the server takes nothing more")
            return
        self._unsent += frame

    @property
    def unsent(self) -> int:
        """Bytes that the socket has not taken yet."""
        return len(self._unsent)

    @property
    def room(self) -> bool:
        """Whether the server keeps up with what is sent."""
        return len(self._unsent) < _CHUNK

    def drop(self, why: str) -> None:
        """Close the connection and try again after a while."""
        now = time.monotonic()
        if self.stage == READY and now - self._since > STEADY_SECONDS:
            self._wait = FIRST_WAIT
        self.close()
        self.problem = why
        # some earlier, some later: a hundred hosts of one board do not come back in one moment
        self._retry_at = now + self._wait * (0.8 + os.urandom(1)[0] / 640.0)
        self._wait = min(self._wait * 2, LONGEST_WAIT)

    def close(self) -> None:
        """Let go of the socket."""
        gone, self._socket, self.stage = self._socket, None, CLOSED
        if gone is not None:
            hang_up(gone)
        self._unsent, self._parser, self._login = bytearray(), Parser(), None
        self._info, self._ended, self._fresh, self._look = {}, False, False, None

    def step(self, now: float, until: float) -> None:
        """Do what the socket allows, until *until* on the clock of *now* (``time.monotonic``)."""
        try:
            if self.stage == CLOSED:
                if now < self._retry_at:
                    return
                self._open(now)
            if self.stage == SHAKING:
                self._shake()
            if self.stage == SIGNING:
                self._sign()
            if self.stage not in (SHAKING, SIGNING):
                self._receive(now, until)
            self.flush()
            if self.stage != READY and now - self._since > LOGIN_SECONDS:
                raise Trouble(f"the server at {self._place()} does not answer")
        except Trouble as trouble:
            self.drop(str(trouble))
        except OSError as error:
            self.drop(f"{self._place()}: {reason(error)}")

    def next(self) -> Any:
        """Give the next message, or ``None``; answers the server's own words on the way."""
        for _ in range(MAX_WORDS):
            if self.stage in (CLOSED, SHAKING, SIGNING):
                return None
            try:
                frame = self._parser.next()
                self._fresh = frame is not None
                if frame is None:
                    if self._ended:
                        self.drop(self.denied or f"the server at {self._place()} closed the connection")
                    return None
                if frame[0] == b"MSG" and self.stage == READY:
                    return frame[1]
                self._told(*frame)
            except Trouble as trouble:
                self.drop(str(trouble))
            except (WireError, ValueError, RecursionError) as error:
                self.drop(f"{self._place()} does not speak NATS: {error}")
        return None

    def watch(self, now: float) -> None:
        """Ask a server that has been silent whether it is there, and leave one that does not say so."""
        if self.stage != READY:
            return
        if self._asked and now - self._asked > ANSWER_SECONDS:
            self.drop(f"the server at {self._place()} fell silent")
        elif not self._asked and now - self._heard > QUIET_SECONDS:
            self._asked = now
            self.send(b"PING\r\n")

    def flush(self) -> None:
        """Send what the socket takes.

        Raises:
            OSError: the connection is lost.
        """
        while self._unsent and self._socket is not None:
            try:
                sent = self._socket.send(bytes(self._unsent[:_CHUNK]))
            except self._again:
                return
            del self._unsent[:sent]

    def _place(self) -> str:
        where = self._where
        if where is None or not where.addresses:
            return "no address"
        _, port = where.addresses[self._tries % len(where.addresses)]
        return f"{where.name}:{port}"

    def _open(self, now: float) -> None:
        self._retry_at = now + LONGEST_WAIT
        self._tries += 1
        self.denied = ""
        where = self._where = self._find()
        address = where.addresses[self._tries % len(where.addresses)]
        self._socket, self._look = dial(address, where.tls is not None)
        self._again = _AGAIN
        self.stage, self._since = GREETING, now

    def _receive(self, now: float, until: float) -> None:
        while len(self._parser) < MAX_UNREAD and not self._ended:
            try:
                count = self._socket.recv_into(self._chunk)
            except self._again:
                return
            except OSError as error:
                # macOS and Windows say so of a connection that is still being made
                if self.stage == GREETING and not self._info and error.errno in (57, 107, 10057):
                    return
                raise
            self._fresh = True
            if not count:
                self._ended = True
                return
            self._parser.add(self._chunk[:count])
            self._heard, self._asked = now, 0.0
            if count < _CHUNK or time.monotonic() > until:
                return

    def _told(self, name: bytes, rest: Any) -> None:
        if name == b"INFO":
            self._informed(rest)
        elif name == b"PING":
            self._unsent += b"PONG\r\n"
            if len(self._unsent) > MAX_UNSENT:
                raise Trouble("the server takes nothing more")
        elif name == b"PONG":
            if self.stage == LOGIN:
                self._welcome()
        elif name == b"-ERR":
            self._refused(rest.decode("utf-8", "replace").strip(" '"))
        elif name not in (b"+OK", b"MSG"):
            raise WireError("it says {!r}".format(name[:20].decode("ascii", "replace")))

    def _informed(self, text: bytes) -> None:
        if self.stage != GREETING:
            return  # who else is in the cluster, and that a server is about to go: it hangs up soon enough
        info = decode(text.decode("utf-8"))
        if not isinstance(info, dict):
            raise WireError("its greeting says nothing")
        self._info = info
        assert self._where is not None
        if self._where.tls is None:
            if info.get("tls_required"):
                raise Trouble(f"the server at {self._place()} demands TLS, which is not set up here")
            self._authenticate()
            return
        if not (info.get("tls_required") or info.get("tls_available")):
            raise Trouble(f"the server at {self._place()} offers no TLS: nothing was said to it")
        if len(self._parser):
            raise WireError("it goes on before TLS")
        import ssl  # loaded already by whoever made the context

        self._socket = self._where.tls.wrap_socket(
            self._socket, server_hostname=self._where.name, do_handshake_on_connect=False
        )
        self._again = (*_AGAIN, ssl.SSLWantReadError, ssl.SSLWantWriteError)
        self.stage = SHAKING

    def _shake(self) -> None:
        try:
            self._socket.do_handshake()
        except self._again:
            return
        self._authenticate()

    def _authenticate(self) -> None:
        assert self._where is not None
        self._login = Login(self._where, self._info, self._name)
        self.stage = SIGNING

    def _sign(self) -> None:
        assert self._login is not None
        frame = self._login.step()
        if frame:
            self._unsent += frame
            self.stage, self._login = LOGIN, None

    def _welcome(self) -> None:
        limit = self._info.get("max_payload")
        if isinstance(limit, int) and limit < LEAST_PAYLOAD:
            raise Trouble(f"the server at {self._place()} takes messages of {limit} bytes only")
        self.stage, self._since, self._heard, self._asked = READY, self._heard, self._heard, 0.0
        self.logins += 1
        self.problem = ""
        for number, subject in enumerate(self._subjects, 1):
            self.send(f"SUB {subject} {number}\r\n".encode())

    def _refused(self, why: str) -> None:
        if why.lower().startswith("permissions violation"):
            self.denied = f"the server forbids it: {why[:200]}"
        elif "authorization" in why.lower() or "authentication" in why.lower():
            raise Trouble(f"the server at {self._place()} does not know us: {why[:100]}")
        else:
            raise Trouble(f"the server at {self._place()} says: {why[:200]}")
