"""Whether Kdenlive has a project open; where that cannot be told, it is taken to be."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final, Literal

import psutil
from callboard.errors import CallboardError
from msgspec import Struct

from callboard_kdenlive.live import Session, connected

LOCK: Final = "kdenlivelock"
"""In the folder for temporary files while Kdenlive starts; one that a crash left opens a dialog at the next start."""


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
    if Path(tempfile.gettempdir(), LOCK).exists():
        return Opened("unknown", "Kdenlive is starting")
    try:
        with connected() as live:
            sessions = live.sessions()
    except CallboardError as error:
        return Opened("unknown", f"Kdenlive runs, and what with cannot be told: {error.message}")
    for session in sessions:
        if session.shows(path):
            return Opened("open", f"{os.path.basename(path)} is open in Kdenlive", session)
    if len(sessions) < len(running):
        return Opened("unknown", "a Kdenlive runs that is not on this session's D-Bus")
    return Opened("closed")


def processes() -> list[int]:
    """List the processes of Kdenlive that are this user's."""
    found = []
    mine = psutil.Process().username()
    for process in psutil.process_iter(["name", "username", "status"]):
        name = (process.info["name"] or "").lower()
        ours = process.info["username"] in (mine, None)
        if name in ("kdenlive", "kdenlive.exe") and ours and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


def stale_lock() -> Path | None:
    """Give the lock that a crash left, if one is there and no Kdenlive runs."""
    lock = Path(tempfile.gettempdir(), LOCK)
    return lock if lock.exists() and not processes() else None


__all__ = ["LOCK", "Opened", "look", "processes", "stale_lock"]
