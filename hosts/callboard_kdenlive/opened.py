"""Whether Kdenlive has a project open; where that cannot be told, it is taken to be."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import psutil
from callboard.errors import CallboardError
from msgspec import Struct

from callboard_kdenlive.live import SERVICE, Session, connected

LOCK: Final = "kdenlivelock"
"""In the folder for temporary files while Kdenlive starts; one that a crash left opens a dialog at the next start."""

_ADDRESS: Final = "DBUS_SESSION_BUS_ADDRESS"
_SUFFIX: Final = ".kdenlive"


class Opened(Struct, frozen=True):
    """How a project stands with Kdenlive."""

    state: Literal["closed", "open", "unknown"]
    why: str = ""
    """In words; empty when it is closed."""
    session: Session | None = None


def look(path: str) -> Opened:
    """Say whether a project is open in a Kdenlive of this user on this machine.

    Nothing tells of one that is open on another machine; there the last to save wins, as between two people.
    """
    running = processes()
    if not running:
        return Opened("closed")
    sessions, trouble = _sessions(running)
    for session in sessions:
        if session.shows(path):
            return Opened("open", f"{os.path.basename(path)} is open in Kdenlive", session)
    services = {session.service for session in sessions if session.title}
    silent = [process for process in running if f"{SERVICE}{process.pid}" not in services]
    # In a sandbox a process has another number inside, so that names on the bus do not tell which one is silent.
    if len(services) >= len(running) or all(_names_another(process, path) for process in silent):
        return Opened("closed")
    return Opened("unknown", f"Kdenlive runs, and what with cannot be told{trouble}")


def _sessions(running: Sequence[psutil.Process]) -> tuple[list[Session], str]:
    """Ask every bus that a Kdenlive may be on; also say why one does not answer."""
    found: dict[str, Session] = {}
    trouble = ""
    for address in sorted({"", *(_bus_of(process) for process in running)}):
        try:
            with connected(address) as live:
                found.update({session.service: session for session in live.sessions()})
        except CallboardError as error:
            trouble = f": {error.message}"
    return list(found.values()), trouble


def _bus_of(process: psutil.Process) -> str:
    """Give the address of a process's session bus; empty where it is ours, or is not known."""
    try:
        address = process.environ().get(_ADDRESS, "")
    except (psutil.Error, OSError):
        return ""
    return "" if address == os.environ.get(_ADDRESS) else address


def _names_another(process: psutil.Process, path: str) -> bool:
    """Tell whether a process that does not say yet what it shows was started with another project, or has ended."""
    try:
        given = [os.path.join(process.cwd(), word) for word in process.cmdline()[1:] if word.endswith(_SUFFIX)]
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, OSError):
        return False
    return bool(given) and all(os.path.realpath(word) != os.path.realpath(path) for word in given)


def processes() -> list[psutil.Process]:
    """List the processes of Kdenlive that are this user's."""
    found = []
    mine = psutil.Process().username()
    for process in psutil.process_iter(["name", "username", "status"]):
        name = (process.info["name"] or "").lower()
        ours = process.info["username"] in (mine, None)
        if name in ("kdenlive", "kdenlive.exe") and ours and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def stale_lock() -> Path | None:
    """Give the lock that a crash left, if one is there and no Kdenlive runs."""
    lock = Path(tempfile.gettempdir(), LOCK)
    return lock if lock.exists() and not processes() else None


__all__ = ["LOCK", "Opened", "look", "processes", "stale_lock"]
