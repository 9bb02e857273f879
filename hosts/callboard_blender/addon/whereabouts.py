"""Where the Callboard project is that this Blender belongs to, and whether it may be talked to."""

from __future__ import annotations

import ipaddress
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FILE_NAME = "callboard.json"
"""Beside Blender's own settings; the installer writes it, so that nothing has to be typed."""
ENVIRONMENT = "CALLBOARD_PROJECT"
"""Names the project's folder for one start of Blender, before anything else; for farms and scripts."""


def project(preferred: str, config: str) -> str:
    """Say which Callboard project's folder holds.

    Args:
        preferred: What the preferences say; empty where they say nothing.
        config: The folder of Blender's settings; empty where there is none.

    Returns:
        An absolute path; empty where nobody named a project.
    """
    named = os.environ.get(ENVIRONMENT) or preferred or _installed(config)
    return os.path.abspath(Path(named).expanduser()) if named else ""


def _installed(config: str) -> str:
    told = _read(Path(config) / FILE_NAME) if config else {}
    named = told.get("project", "")
    return named if isinstance(named, str) else ""


def board(folder: str) -> dict[str, Any]:
    """Read what a running board says of itself: ``url``, ``pid``, ``roots``; nothing where none runs or ever ran."""
    return _read(Path(folder) / ".callboard" / "nats" / "board.json")


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def on_this_machine(url: str) -> bool:
    """Say whether every server that *url* names (commas between them) is on this very machine, so not "online"."""
    return all(_loopback(one.strip()) for one in url.split(","))


def _loopback(url: str) -> bool:
    try:
        host = urlsplit(url if "://" in url else f"nats://{url}").hostname or ""
    except ValueError:
        return False
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
