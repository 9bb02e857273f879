"""The protocol of NATS as bytes: frames in, within limits, and frames out."""

from __future__ import annotations

import gc
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_LINE, MAX_INFO = 4096, 32 * 1024
"""Bytes of a control line, the server's own limit, and of its INFO line, which lists a whole cluster."""
MAX_PAYLOAD = 80 * 1024
"""Bytes of a message with its headers; the board's have at most 65 KiB. Longer ones are thrown away as they come."""
MAX_SKIPPED = 64 * 1024 * 1024
"""Bytes of a message that is thrown away, the most a server can be set to; more is no message."""
_DIGITS = 20
"""Of a whole number in JSON. Before Python 3.11, reading 80,000 digits takes 50 ms."""


class WireError(Exception):
    """The other side does not speak NATS."""


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError("a number is too long")
    return int(digits)


_decoder = json.JSONDecoder(parse_int=_whole)


def decode(text: str) -> Any:
    """Read JSON of at most ``MAX_PAYLOAD`` characters.

    Raises:
        ValueError: it is none.
        RecursionError: it is nested too deep.
    """
    return _unhurried(_decoder.decode, text)


def decode_one(text: str, start: int) -> tuple[Any, int]:
    """Read the JSON value that begins at *start*; give it and where it ends.

    Raises:
        ValueError: there is none.
        RecursionError: it is nested too deep.
    """
    value, end = _unhurried(_decoder.raw_decode, text, start)
    return value, end


def _unhurried(read: Any, *values: Any) -> Any:
    """Read without a garbage collection.

    Of thirty thousand lists in one message, each 700 call for one, and some of these go through the application's whole
    heap, which took 40 ms in the middle of a poll.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return read(*values)
    finally:
        if collects:
            gc.enable()


def encode(value: Any) -> bytes:
    """Write JSON on one line.

    Raises:
        TypeError, ValueError, RecursionError: *value* is not what JSON can say.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def pub(subject: str, body: bytes, reply: str = "", headers: bytes = b"") -> bytes:
    """Make the frame that publishes *body*; *headers* are whole lines without the version line."""
    head = "{} {}".format(subject, reply + " " if reply else "").encode("utf-8")
    if not headers:
        return b"PUB %s%d\r\n%s\r\n" % (head, len(body), body)
    headers = b"NATS/1.0\r\n" + headers + b"\r\n"
    return b"HPUB %s%d %d\r\n%s%s\r\n" % (head, len(headers), len(headers) + len(body), headers, body)


class Message:
    """A message that was heard; ``body`` is ``None`` where it was too long."""

    __slots__ = ("body", "headers", "reply", "subject")

    def __init__(self, subject: str, reply: str, headers: bytes, body: bytes | None) -> None:
        self.subject, self.reply, self.headers, self.body = subject, reply, headers, body

    @property
    def status(self) -> int:
        """The number on the headers' version line, 0 for none: 503 says that nobody listens."""
        word = self.headers[8:12].strip()
        return int(word) if word.isdigit() else 0

    def header(self, name: str) -> str:
        """Give one header's first value, "" for none."""
        for line in self.headers.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.lower().encode():
                return value.strip().decode("utf-8", "replace")
        return ""


class Parser:
    """Cuts what was received into frames; keeps at most one whole message beside what is added at once."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0
        self._message: tuple[bytes, int, int] | None = None
        self._skip = 0

    def __len__(self) -> int:
        return len(self._buffer) - self._at

    def add(self, data: Any) -> None:
        """Take bytes from the socket; those of a message that is thrown away are not kept."""
        if self._at:
            del self._buffer[: self._at]
            self._at = 0
        self._buffer += data

    def next(self) -> tuple[bytes, Any] | None:
        """Give the next frame as its name and what it carries (a line's rest, or a ``Message``); ``None`` for not yet.

        Raises:
            WireError: what came is no frame.
        """
        if self._message is not None:
            return self._body()
        limit = MAX_INFO if self._buffer.startswith(b"INFO", self._at) else MAX_LINE
        end = self._buffer.find(b"\r\n", self._at, self._at + limit)
        if end < 0:
            if len(self) >= limit:
                raise WireError("a line without an end")
            return None
        line = bytes(self._buffer[self._at : end])
        self._at = end + 2
        name, _, rest = line.partition(b" ")
        if name in (b"MSG", b"HMSG"):
            self._open(name, rest)
            return self._body()
        return name, rest

    def _open(self, name: bytes, rest: bytes) -> None:
        words = rest.split()
        sizes = words[-2:] if name == b"HMSG" else [b"0", *words[-1:]]
        named = len(words) - (2 if name == b"HMSG" else 1)
        if named not in (2, 3) or not all(size.isdigit() and len(size) < 10 for size in sizes):
            raise WireError("a message without a size")
        head, total = int(sizes[0]), int(sizes[1])
        if head > total or total > MAX_SKIPPED:
            raise WireError("a message of an impossible size")
        self._message = (b" ".join([words[0], words[2] if named == 3 else b""]), head, total)
        self._skip = total + 2 if total > MAX_PAYLOAD else 0

    def _body(self) -> tuple[bytes, Any] | None:
        assert self._message is not None
        names, head, total = self._message
        body: bytes | None = None
        headers = b""
        if self._skip:
            gone = min(self._skip, len(self))
            self._at += gone
            self._skip -= gone
            if self._skip:
                return None
        else:
            end = self._at + total
            if len(self._buffer) < end + 2:
                return None
            if self._buffer[end : end + 2] != b"\r\n":
                raise WireError("a message longer than it says")
            headers, body = bytes(self._buffer[self._at : self._at + head]), bytes(self._buffer[self._at + head : end])
            self._at = end + 2
        self._message = None
        subject, _, reply = names.decode("utf-8", "replace").partition(" ")
        return b"MSG", Message(subject, reply, headers, body)
