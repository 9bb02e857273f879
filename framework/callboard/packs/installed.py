"""The packages of installed plugins, which may ship model packs: found without importing them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

from callboard.discovery import GROUP, entries

_SETTLED: Final = 2_000_000_000
"""Nanoseconds after which a folder that changes again has another time than before; FAT counts in twos."""
_OFFERS: Final = "entry_points.txt"


class _Look(NamedTuple):
    """What was found once, and what has to be as it was then for that to stand."""

    folders: tuple[tuple[str, int], ...]
    offers: tuple[tuple[importlib.metadata.Distribution, str | None], ...]
    packages: tuple[tuple[str, Path], ...]


class _Installed:
    """Walks what is installed, which takes 30 ms, only where it changed since it was last walked."""

    def __init__(self) -> None:
        self._last = _Look((), (), ())

    def packages(self) -> tuple[tuple[str, Path], ...]:
        """Give the top-level packages of installed plugins by name, with the folder of each."""
        last, folders = self._last, _folders()
        if folders == last.folders and all(dist.read_text(_OFFERS) == text for dist, text in last.offers):
            return last.packages
        found = list(entries(GROUP))
        tops = sorted({entry.module.partition(".")[0] for entry, _ in found})
        packages = tuple((top, folder) for top in tops if (folder := package_folder(top)) is not None)
        if max((changed for _, changed in folders), default=0) < time.time_ns() - _SETTLED:
            offers = {id(dist): (dist, dist.read_text(_OFFERS)) for _, dist in found}
            self._last = _Look(folders, tuple(offers.values()), packages)
        return packages


_installed: Final = _Installed()


def plugin_packages() -> tuple[tuple[str, Path], ...]:
    """Give the top-level packages of installed plugins by name, with the folder of each, without importing them.

    What is installed, taken away or edited meanwhile is seen at once.
    """
    return _installed.packages()


def package_folder(top: str) -> Path | None:
    """The folder of an installed top-level package, found without importing it."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    return Path(places[0]) if places else None


def _folders() -> tuple[tuple[str, int], ...]:
    """Give the folders that Python imports from, with when something last came to or went from each."""
    return tuple((folder, _changed(folder)) for folder in sys.path)


def _changed(folder: str) -> int:
    try:
        return os.stat(folder or os.curdir).st_mtime_ns
    except (OSError, ValueError):
        return 0


__all__ = ["package_folder", "plugin_packages"]
