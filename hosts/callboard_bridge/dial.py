"""Sockets that never wait."""

from __future__ import annotations

import select

try:  # what socket is made of: that module's names for numbers take 9 ms of the 15 that the whole import may
    import _socket as sockets
except ImportError:
    import socket as sockets  # type: ignore[no-redef]  # the same names, and more

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
    kind = sockets.AF_INET6 if ":" in address[0] else sockets.AF_INET
    made: Any
    if private:
        import socket  # TLS takes no less; whoever made its context loaded this

        made = socket.socket(kind, socket.SOCK_STREAM)
    else:
        made = sockets.socket(kind, sockets.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
        made.connect_ex(address)
    except (OSError, OverflowError):
        made.close()
        raise
    if private or not hasattr(select, "poll"):
        return made, None
    poll = select.poll()
    poll.register(made, select.POLLIN)
    return made, poll.poll


def hang_up(made: Any) -> None:
    """Close a socket; that the other side was quicker is no failure."""
    try:
        made.close()
    except OSError:
        return


def reason(error: OSError) -> str:
    """Say what an error of the system means, in words."""
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    return (error.strerror or str(error) or type(error).__name__)[:200]
