"""Where the board is and who we are there: told by the caller, or looked up in a Callboard project's folder."""

from __future__ import annotations

import os

from callboard_bridge.wire import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

MAX_BOARD_FILE = 64 * 1024
"""Bytes of ``board.json``."""


class Trouble(Exception):
    """Why there is no connection, in one line a person understands."""


class Where:
    """Which server, at which addresses, and who we say we are."""

    def __init__(self, addresses: list[tuple[str, int]], name: str, tls: Any = None) -> None:
        self.addresses, self.name, self.tls = addresses, name, tls
        self.seed = b""
        self.credentials: dict[str, str] = {}
        """Fields of CONNECT, but for a signature."""


class Named:
    """A server that the caller names.

    A host name is looked up here, once, in whatever time the system takes; an address needs no time.
    """

    def __init__(self, url: str, tls: Any, seed: bytes, token: str, user: str, password: str) -> None:
        self._trouble = ""
        try:
            self._where = _where(url, tls)
        except (Trouble, OSError, ValueError) as error:
            self._where, self._trouble = Where([], ""), f"{_place(url)}: {error}"
            return
        if not (seed or token or user):
            user, password = _secrets(url)
            if user and not password:
                user, token = "", user
        self._where.seed = bytes(seed)
        if token:
            self._where.credentials = {"auth_token": token}
        elif user:
            self._where.credentials = {"user": user, "pass": password}

    def find(self) -> Where:
        """Say where to connect.

        Raises:
            Trouble: the address could not be understood.
        """
        if self._trouble:
            raise Trouble(self._trouble)
        return self._where

    def changed(self) -> bool:
        """Say whether it is worth looking again: never."""
        return False


class Project:
    """The board of a Callboard project; read again at each try, as the port and the key may change.

    Args:
        folder: The project's folder.
        roots: Called with the watched folders when they are read.
    """

    def __init__(self, folder: str, roots: Callable[[Sequence[str]], None]) -> None:
        self.folder = os.path.abspath(folder)
        self._file = os.path.join(self.folder, ".callboard", "nats", "board.json")
        self._roots = roots
        self._seen: tuple[int, int] | None = None

    def changed(self) -> bool:
        """Say whether the board wrote down anew where it is, since ``find`` read it."""
        return self._stamp() not in (self._seen, None)

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._file)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def find(self) -> Where:
        """Read where the board listens.

        Raises:
            Trouble: it is not running, or a file cannot be read.
        """
        self._seen = self._stamp()
        if self._seen is None:
            raise Trouble(f"Callboard is not running for {self.folder}: start it with 'callboard up' there")
        board = self._board()
        roots = board.get("roots")
        self._roots([root for root in roots if isinstance(root, str)] if isinstance(roots, list) else [])
        try:
            where = _where(str(board.get("url", "")), None, numbers=True)
            with open(os.path.join(self.folder, ".callboard", "keys", "host.nk"), "rb") as file:
                where.seed = file.read(256)
        except OSError as error:
            raise Trouble(f"the key in {self.folder} cannot be read: {error.strerror}") from None
        return where

    def reread(self) -> None:
        """Read the watched folders again; leaves them as they are where that fails."""
        try:
            self.find()
        except Trouble:
            return

    def _board(self) -> dict[str, Any]:
        try:
            with open(self._file, "rb") as file:
                board = decode(file.read(MAX_BOARD_FILE).decode("utf-8"))
        except (OSError, ValueError, RecursionError):
            raise Trouble(f"{self._file} cannot be read") from None
        if not isinstance(board, dict):
            raise Trouble(f"{self._file} says nothing")
        return board


def _place(url: str) -> str:
    """Give a url without the secrets that it may hold."""
    return url.rpartition("@")[2][:200]


def _split(url: str) -> tuple[str, str, int]:
    """Give a url's scheme, host and port; ``urllib.parse`` costs a fifth of the whole import.

    Raises:
        ValueError: its port is no number.
    """
    scheme, mark, rest = url.rpartition("://")
    place = rest.partition("/")[0].rpartition("@")[2]
    name, _, port = place.rpartition(":") if place.rpartition(":")[2].isdigit() else (place, "", "4222")
    return scheme if mark else "nats", name.strip("[]").lower(), int(port)


def _secrets(url: str) -> tuple[str, str]:
    """Give the user, or the token, and the password that a url holds."""
    said = url.rpartition("://")[2].partition("/")[0].rpartition("@")[0]
    if "%" in said:
        from urllib.parse import unquote  # for the few that need it

        user, _, password = said.partition(":")
        return unquote(user), unquote(password)
    return said.partition(":")[0], said.partition(":")[2]


def _where(url: str, tls: Any, numbers: bool = False) -> Where:
    """Understand *url*; with *numbers*, only one with an address in figures, as no name can be looked up in no time."""
    scheme, name, port = _split(url)
    if scheme not in ("nats", "tls") or not name:
        raise Trouble("the server's address is not nats://host:port or tls://host:port")
    if name == "localhost":
        addresses = [("127.0.0.1", port), ("::1", port)]
    elif _is_address(name):
        addresses = [(name, port)]
    elif numbers:
        raise Trouble(f"{name} is no address of this machine")
    else:
        import socket  # for names only

        found = socket.getaddrinfo(name, port, 0, socket.SOCK_STREAM)
        addresses = [(str(one[4][0]), port) for one in found]
    return Where(addresses, name, _context(tls, scheme == "tls"))


def _is_address(name: str) -> bool:
    """Say whether *name* is an address in figures: four numbers, or one of version 6 with its colons."""
    parts = name.split(".")
    return ":" in name or (len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts))


def _context(tls: Any, asked: bool) -> Any:
    """Make the TLS settings; reading the system's certificates takes tens of milliseconds, so it is not done later."""
    if tls is None and not asked:
        return None
    import ssl  # half of what the whole import may take, for those who need none of it

    if isinstance(tls, (str, os.PathLike)):
        return ssl.create_default_context(cafile=os.fspath(tls))
    return tls if isinstance(tls, ssl.SSLContext) else ssl.create_default_context()
