"""What is said about us: events in their envelopes, receipts, and names that can stand in a subject."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

STATES = ("applied", "partial", "refused", "stale", "failed")
MAX_NAMES = 20 * 1024
"""Bytes of the names in one list of a receipt; the rest is counted."""


def slug(name: str) -> str:
    """Make what can stand in a subject and a file name: lower-case letters, digits, ``-``."""
    kept = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower())
    return "-".join(part for part in kept.split("-") if part)[:48] or "host"


def envelope(kind: str, data: dict[str, Any], subject: str = "") -> dict[str, Any]:
    """Put *data* into a CloudEvents 1.0 envelope with an id of its own."""
    now = time.time()
    event = {
        "specversion": "1.0",
        "id": os.urandom(16).hex(),
        "source": "urn:callboard:host:{}".format(data["host"]),
        "type": kind,
        "time": "{}.{:03d}Z".format(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)), int(now * 1000) % 1000),
        "datacontenttype": "application/json",
        "data": data,
    }
    if subject:
        event["subject"] = subject
    return event


def receipt_of(
    command: dict[str, Any], state: str, landed: Sequence[str], missing: Sequence[str], note: str, project: str
) -> dict[str, Any]:
    """Say what came of a command; lists that are too long for a message are cut, and say so."""
    said: dict[str, Any] = {"command": str(command.get("id") or ""), "state": state if state in STATES else "failed"}
    said.update({"landed": _short(landed), "missing": _short(missing), "note": str(note)[:2000]})
    for name, value in (("proposal", command.get("proposal")), ("project", command.get("project") or project)):
        if isinstance(value, str):
            said[name] = value[:4096]
    return said


def _short(names: Iterable[str]) -> list[str]:
    kept: list[str] = []
    room, more = MAX_NAMES, 0
    for name in names:
        text = str(name)[:500]
        room -= len(text.encode("utf-8", "replace")) + 4
        if room > 0:
            kept.append(text)
        else:
            more += 1
    return [*kept, f"and {more} more"] if more else kept


def call(callback: Callable[..., None], *values: Any) -> str:
    """Call back; a failure is printed for whoever wrote the callback, and given as text."""
    try:
        callback(*values)
    except Exception as error:  # noqa: BLE001 - one callback's failure ends neither the others nor the application
        if sys.stderr is not None:
            import traceback  # for failures only

            traceback.print_exc()
        return f"{type(error).__name__}: {error}"[:500]
    return ""
