"""Which engines there are, and where each lives; one is imported when it is asked for, and no sooner."""

from __future__ import annotations

from importlib import import_module
from typing import Final, cast

from callboard.errors import JobError

from callboard_placeholder.engine import Engine

_HOME: Final = {
    "slate": ("slate", "slate"),
    "black": ("fills", "black"),
    "hold": ("fills", "hold"),
    "nearest": ("fills", "nearest"),
    "previous": ("fills", "previous"),
    "rendered": ("fills", "rendered"),
    "previs": ("previs", "previs"),
    "diffusion": ("diffusion", "diffusion"),
    "comfyui": ("comfy", "comfyui"),
}
ENGINES: Final = tuple(_HOME)
PLAIN: Final = frozenset({"slate", "black"})
"""Those that show nothing of the shot: there is nothing to compare with its neighbours."""
VARIED: Final = frozenset({"previs", "diffusion", "comfyui"})
"""Those whose pictures depend on the seed; of the others there is one version, however many are asked for."""


def engine(name: str) -> Engine:
    """Give an engine by its name.

    Raises:
        JobError: there is none.
    """
    if name not in _HOME:
        raise JobError(f"there is no engine {name!r} for placeholders", f"There are: {', '.join(ENGINES)}.")
    module, attribute = _HOME[name]
    return cast("Engine", getattr(import_module(f"callboard_placeholder.{module}"), attribute))


__all__ = ["ENGINES", "PLAIN", "VARIED", "engine"]
