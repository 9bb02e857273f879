"""``callboard timeline``: the door to the command that the package for timelines contributes."""

from __future__ import annotations

from callboard.errors import UsageError
from callboard.hosting.packages import contributed

_found = contributed("timeline")
if _found is None:
    raise UsageError("'callboard timeline' is not installed here", "pip install 'callboard[timeline]'")
command = _found

__all__ = ["command"]
