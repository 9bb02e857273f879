"""Sockets that never wait."""

from __future__ import annotations

import select
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def dial(address: tuple[str, int], private: bool) -> tuple[Any, Any]:
    """Begin to connect with *address*; a refusal shows when the socket is read.

    Args:
        address: In figures, and a port.
        private: Whether TLS comes next, which may hold bytes that no look at the socket shows.

    Returns:
        The socket, and what tells in a microsecond whether there is something to read, where the system has that.
    """
    made = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.connect_ex(address)
    except (OSError, OverflowError):
        made.close()
        raise
    if private or not hasattr(select, "poll"):
        return made, None
    poll = select.poll()
    poll.register(made, select.POLLIN)
    return made, poll.poll


def reason(error: OSError) -> str:
    """Say what an error of the system means, in words."""
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    return (error.strerror or str(error) or type(error).__name__)[:200]
