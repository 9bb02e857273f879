"""Where pulled and exported models are kept: a folder for each pack, named by the digests of its files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import platformdirs

from callboard.packs.packfile import Pack

VARIABLE: Final = "CALLBOARD_STORE"
"""Environment variable that names the store, before any setting."""


def store_folder(setting: str = "") -> Path:
    """Say where the store is: the environment variable, else *setting*, else the user's own data folder."""
    named = os.environ.get(VARIABLE) or setting
    return Path(named) if named else Path(platformdirs.user_data_dir("callboard", appauthor=False)) / "models"


def place(pack: Pack, store: Path) -> Path:
    """Say which folder of *store* holds the files of *pack*; another version, or other files, have another."""
    return store / f"{pack.name}-{pack.digest[:16]}"


__all__ = ["VARIABLE", "place", "store_folder"]
