"""Callboard: creative applications post events, plugins answer, a person decides.

This is the door for plugin authors. Importing it starts nothing and loads no plugin, decoder or engine.
"""

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
