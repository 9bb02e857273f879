"""Where other assets of the project are for a plugin: inside the watched folders, and nowhere else."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from callboard_schemas import Asset, decode_path

from callboard.sources.sequences import frame_name

PROJECT_VARIABLE = "CALLBOARD_PROJECT"
"""Environment variable with the project's folder."""
ROOTS_VARIABLE = "CALLBOARD_ROOTS"
"""Environment variable with the watched folders: JSON of names and paths, percent-encoded as in messages."""


def watched_roots() -> dict[str, Path]:
    """Give the watched folders by their names, in a plugin's process; none elsewhere."""
    told: dict[str, str] = json.loads(os.environ.get(ROOTS_VARIABLE) or "{}")
    return {name: Path(os.fsdecode(decode_path(folder))) for name, folder in told.items()}


def project_folder() -> Path | None:
    """Give the project's folder, in a plugin's process; ``None`` elsewhere."""
    told = os.environ.get(PROJECT_VARIABLE)
    return Path(told) if told else None


def named(project: Path | None, roots: Mapping[str, Path], path: str) -> Path | None:
    """Find a file that a brief names.

    Args:
        project: The project's folder, from which paths count.
        roots: The watched folders by their names.
        path: As a person wrote it.

    Returns:
        Its path without links; ``None`` where it is no file, or lies in none of these folders.
    """
    if not path:
        return None
    try:
        real = Path(os.path.realpath(project / path if project is not None else path))
        homes = [folder for folder in (project, *roots.values()) if folder is not None]
        inside = any(real.is_relative_to(os.path.realpath(folder)) for folder in homes)
        return real if inside and real.is_file() else None
    except (ValueError, OSError):  # a NUL in it, a name too long
        return None


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


__all__ = ["PROJECT_VARIABLE", "ROOTS_VARIABLE", "named", "project_folder", "reached", "watched_roots"]
