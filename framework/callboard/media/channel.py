"""How a decoding process is spoken to: length-prefixed msgpack on a socket, with file descriptors beside it.

The client owns all memory that pixels and samples are written to: the decoder says how many bytes it
needs and is handed a descriptor of that size, so that it can create nothing and leave nothing behind.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from callboard.media import Loudness, MediaFacts, Wanted
from callboard.media.limits import Limits

_HEAD = struct.Struct("<I")
_MOST = 1 << 22  # facts with the fullest metadata are under 1 MiB


class Probe(Struct, frozen=True, tag=True):
    """Asks for the facts of the file that comes with it."""

    suffix: str
    limits: Limits


class Sound(Struct, frozen=True, tag=True):
    """Asks for the sound of the file that comes with it."""

    suffix: str
    limits: Limits
    rate: int
    block_seconds: float
    channels: bool = False
    """Keep the channels apart."""


class Loud(Struct, frozen=True, tag=True):
    """Asks how loud the file that comes with it is."""

    suffix: str
    limits: Limits


class Pictures(Struct, frozen=True, tag=True):
    """Asks for frames of the file that comes with it."""

    suffix: str
    limits: Limits
    wanted: Wanted


class Thumb(Struct, frozen=True, tag=True):
    """Asks for one small picture of the file that comes with it, as a JPEG file."""

    suffix: str
    limits: Limits
    side: int
    """Pixels of its longest side."""
    seconds: float
    """Where in the media; the first frame where it is shorter."""
    most: int
    """Bytes of the JPEG file at most."""


class Memory(Struct, frozen=True, tag=True):
    """Hands over memory for the item that was announced."""


class Stop(Struct, frozen=True, tag=True):
    """Ends the call early."""


class Facts(Struct, frozen=True, tag=True):
    """Answers ``Probe``."""

    facts: MediaFacts


class Measured(Struct, frozen=True, tag=True):
    """Answers ``Loud``; ``None`` where there is no sound."""

    loudness: Loudness | None


class Drawn(Struct, frozen=True, tag=True):
    """Answers ``Thumb``."""

    jpeg: bytes


class Item(Struct, frozen=True, tag=True):
    """Announces an array, and asks for memory."""

    time: float
    index: int
    dtype: str
    shape: tuple[int, ...]
    more: bool = False
    """The next item is the large version of this picture."""


class Filled(Struct, frozen=True, tag=True):
    """The memory holds the array that was announced."""


class Alive(Struct, frozen=True, tag=True):
    """Work goes on, without an item to show yet."""


class End(Struct, frozen=True, tag=True):
    """The call is over; *problems* says what was skipped or cut off."""

    problems: tuple[str, ...] = ()


class Refused(Struct, frozen=True, tag=True):
    """The file is not media that can be decoded within the limits."""

    problem: str
    hint: str = ""


class Unable(Struct, frozen=True, tag=True):
    """The decoder itself cannot work here; the file is not to blame."""

    problem: str


Request = Probe | Sound | Loud | Pictures | Thumb
FromClient = Request | Memory | Stop
FromDecoder = Facts | Measured | Drawn | Item | Filled | Alive | End | Refused | Unable

Received = TypeVar("Received")

_encode = msgspec.msgpack.Encoder().encode


class Channel(Generic[Received]):
    """One end of the socket; not for use by two threads at once."""

    def __init__(self, sock: socket.socket, receives: object) -> None:
        self._sock = sock
        self._decoder: msgspec.msgpack.Decoder[Received] = msgspec.msgpack.Decoder(receives)

    def send(self, message: Struct, fd: int | None = None) -> None:
        """Send *message*, with a copy of *fd*."""
        data = _encode(message)
        data = _HEAD.pack(len(data)) + data
        if fd is None:
            self._sock.sendall(data)
        else:
            sent = socket.send_fds(self._sock, [data], [fd])
            self._sock.sendall(data[sent:])

    def receive(self, timeout: float | None = None) -> tuple[Received, int | None]:
        """Wait for one message and the descriptor that came with it, which is the caller's to close.

        Raises:
            EOFError: the other side is gone.
            TimeoutError: nothing came for *timeout* seconds.
            ValueError: what came is no message; msgspec's errors are of this class.
        """
        self._sock.settimeout(timeout)
        fds: list[int] = []
        try:
            size = _HEAD.unpack(self._exactly(_HEAD.size, fds))[0]
            if size > _MOST:
                raise ValueError(f"a message of {size} bytes")
            message = self._decoder.decode(self._exactly(size, fds))
        except BaseException:
            for fd in fds:
                os.close(fd)
            raise
        return message, fds[0] if fds else None

    def _exactly(self, size: int, fds: list[int]) -> bytes:
        data = b""
        while len(data) < size:
            part, got, _, _ = socket.recv_fds(self._sock, size - len(data), 1)
            fds += got
            if not part:
                raise EOFError("the other side is gone")
            data += part
        return data

    def close(self) -> None:
        """Close this end."""
        self._sock.close()
