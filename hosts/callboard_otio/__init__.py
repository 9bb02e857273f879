"""OpenTimelineIO: timelines read, inspected, filled and converted."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from callboard_otio.filling import StandIn, replace_gap, take_away
    from callboard_otio.finding import Spot, gaps, missing
    from callboard_otio.reading import read
    from callboard_otio.writing import write

_HOME = {
    "Spot": "finding",
    "StandIn": "filling",
    "gaps": "finding",
    "missing": "finding",
    "read": "reading",
    "replace_gap": "filling",
    "take_away": "filling",
    "write": "writing",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: the library takes longer to import than a help text to print."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


__all__ = ["Spot", "StandIn", "gaps", "missing", "read", "replace_gap", "take_away", "write"]
