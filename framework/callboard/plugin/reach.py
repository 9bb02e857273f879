"""Where other assets of the project are for a plugin: inside the watched folders, and nowhere else."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from callboard_schemas import Asset, decode_path

from callboard.sources.sequences import frame_name

ROOTS_VARIABLE = "CALLBOARD_ROOTS"
"""Environment variable with the watched folders: JSON of names and paths, percent-encoded as in messages."""


def watched_roots() -> dict[str, Path]:
    """Give the watched folders by their names, in a plugin's process; none elsewhere."""
    told: dict[str, str] = json.loads(os.environ.get(ROOTS_VARIABLE) or "{}")
    return {name: Path(os.fsdecode(decode_path(folder))) for name, folder in told.items()}


def reached(roots: Mapping[str, Path], asset: Asset) -> Path | None:
    """Find an asset in its root.

    Args:
        roots: The watched folders by their names.
        asset: Where it was last seen; for a sequence its first frame must be there.

    Returns:
        Its path; ``None`` where its root is not known, it is not there, or a part or a link leads out of the root.
    """
    folder = roots.get(asset.place.root)
    try:
        inside = decode_path(asset.place.path)
        if folder is None or not all(part not in (b"", b".", b"..") for part in inside.split(b"/")):
            return None
        path = folder / os.fsdecode(inside)
        first = path
        if asset.sequence is not None:
            first = path.parent / os.fsdecode(frame_name(asset.sequence, asset.sequence.first))
        real = Path(os.path.realpath(first))
        return path if real.is_relative_to(os.path.realpath(folder)) and os.path.lexists(real) else None
    except (ValueError, OSError):  # not an encoded path, a NUL in it, a pattern without a number, a name too long
        return None


__all__ = ["ROOTS_VARIABLE", "reached", "watched_roots"]
