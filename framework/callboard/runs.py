"""Names of runs: short, sortable by time, easy to type."""

from __future__ import annotations

import secrets
import time

_LETTERS = "abcdefghjkmnpqrstvwxyz23456789"


def new_run() -> str:
    """Make the name of a run, such as ``20261122-141503-k7m2x9`` (UTC)."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    return stamp + "-" + "".join(secrets.choice(_LETTERS) for _ in range(6))
