"""A TCP port that nobody else is given while a test starts, kills and starts servers on it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port() -> Iterator[int]:
    """Keep a port of 127.0.0.1 for the servers of a test until the block ends; before they listen it refuses.

    The socket that keeps it is bound and never listens. A server that sets ``SO_REUSEADDR``, as nats-server and
    asyncio do, listens beside it; whoever asks for any free port is given another.
    """
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


__all__ = ["reserved_port"]
