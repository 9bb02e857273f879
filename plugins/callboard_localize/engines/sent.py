"""A line in a file for each request to a service: what left the machine, when, and where to."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from callboard.errors import Blocked

AUDIT: Final = "service-audit.jsonl"


def audit(folder: Path, endpoint: str, model: str, body: bytes, *, lines: int, characters: int, outcome: str) -> None:
    """Add a line on one request: no text, but a digest by which what was sent can be proved.

    Raises:
        Blocked: it cannot be written.
    """
    entry = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "endpoint": endpoint,
        "model": model,
        "lines": lines,
        "characters": characters,
        "sha256": hashlib.sha256(body).hexdigest(),
        "outcome": outcome,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / AUDIT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with contextlib.closing(os.fdopen(descriptor, "wb", buffering=0)) as file:
            file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
    except OSError as error:
        raise Blocked(f"the audit in {folder} cannot be written ({error})") from None


__all__ = ["AUDIT", "audit"]
