"""Callboard: creative applications post events, plugins answer, a person decides.

This is the door for plugin authors. Importing it starts nothing, and loads nothing until a name is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callboard_schemas import Asset, Captions, Cue, Envelope, Evidence, Placeholder, Tag, Tags, Translation, Word

    from callboard.context import Context
    from callboard.errors import Blocked, CallboardError, JobError, MediaError
    from callboard.hookspecs import hookimpl

__version__ = "0.1.0"

__all__ = [
    "Asset",
    "Blocked",
    "CallboardError",
    "Captions",
    "Context",
    "Cue",
    "Envelope",
    "Evidence",
    "JobError",
    "MediaError",
    "Placeholder",
    "Tag",
    "Tags",
    "Translation",
    "Word",
    "__version__",
    "hookimpl",
]

_HOMES = {
    "Context": "callboard.context",
    "Blocked": "callboard.errors",
    "CallboardError": "callboard.errors",
    "JobError": "callboard.errors",
    "MediaError": "callboard.errors",
    "hookimpl": "callboard.hookspecs",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used, so that ``callboard --help`` need not pay for it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES.get(name, "callboard_schemas")), name)
    globals()[name] = value
    return value
