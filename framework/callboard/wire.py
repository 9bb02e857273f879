"""Frames between Callboard's own processes: a length, then MessagePack, over a stream socket.

Never used with anything but a child that this program started; the bus has its own codec.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, Generic, TypeVar

import msgspec

from callboard.errors import CallboardError

MAX_FRAME = 256 * 1024 * 1024
"""Bytes of one frame; arrays do not travel in frames but through shared memory."""

_LENGTH = struct.Struct("!I")
T = TypeVar("T")


class WireError(CallboardError):
    """The other end of a pipe sent what is not a frame."""

    code = "wire"


def pack(message: object) -> bytes:
    """Encode one message with its length."""
    body = msgspec.msgpack.encode(message)
    if len(body) > MAX_FRAME:
        raise WireError(f"a message of {len(body)} bytes is longer than a frame may be")
    return _LENGTH.pack(len(body)) + body


def _length(head: bytes) -> int:
    length: int = _LENGTH.unpack(head)[0]
    if length > MAX_FRAME:
        raise WireError(f"a frame says it is {length} bytes long")
    return length


class Channel(Generic[T]):
    """Typed messages over an asyncio stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, incoming: type[T] | Any) -> None:
        self._reader, self._writer = reader, writer
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(incoming)

    @classmethod
    async def over(cls, sock: socket.socket, incoming: type[T] | Any) -> Channel[T]:
        """Open a channel on a connected socket, which it owns from now on."""
        reader, writer = await asyncio.open_connection(sock=sock, limit=1 << 20)
        return cls(reader, writer, incoming)

    async def send(self, message: object) -> None:
        """Send one message, waiting while the other end is slow."""
        self._writer.write(pack(message))
        await self._writer.drain()

    def post(self, message: object) -> None:
        """Queue one message without waiting."""
        self._writer.write(pack(message))

    async def receive(self) -> T | None:
        """Wait for the next message; ``None`` when the other end is gone."""
        try:
            head = await self._reader.readexactly(_LENGTH.size)
            body = await self._reader.readexactly(_length(head))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        try:
            return self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            raise WireError(f"a message is not what it should be: {error}") from None

    async def close(self) -> None:
        """Close the socket; queued messages are sent first where that is possible."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except (ConnectionError, BrokenPipeError):
            return


class BlockingChannel(Generic[T]):
    """The same frames on a blocking socket, for plain threads and small children."""

    def __init__(self, sock: socket.socket, incoming: type[T] | Any) -> None:
        self.sock = sock
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(incoming)

    def send(self, message: object) -> None:
        """Send one message."""
        self.sock.sendall(pack(message))

    def receive(self) -> T | None:
        """Wait for the next message; ``None`` when the other end is gone."""
        head = self._exactly(_LENGTH.size)
        body = self._exactly(_length(head)) if head is not None else None
        if body is None:
            return None
        try:
            return self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            raise WireError(f"a message is not what it should be: {error}") from None

    def _exactly(self, count: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < count:
            try:
                part = self.sock.recv(min(count - len(parts), 1 << 20))
            except ConnectionError:
                return None
            if not part:
                return None
            parts += part
        return bytes(parts)

    def close(self) -> None:
        """Close the socket."""
        self.sock.close()


__all__ = ["MAX_FRAME", "BlockingChannel", "Channel", "WireError", "pack"]
