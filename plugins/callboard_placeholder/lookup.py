"""Finds media of a shot in the watched folders, by its name and version."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from callboard.shots.naming import of_name
from callboard.sources import collect, identify
from callboard.sources.facts import Found
from callboard_schemas import Asset, Place, encode_path
from msgspec import Struct

if TYPE_CHECKING:
    from callboard.context import Context


class Candidate(Struct, frozen=True, kw_only=True):
    """Media that is named after a shot."""

    root: str
    """The watched folder's name."""
    path: bytes
    """Inside it."""
    found: Found
    version: int | None
    """What its name says."""

    @property
    def missing(self) -> int:
        """How many frames a sequence lacks between its first and its last."""
        return len(self.found.sequence.missing) if self.found.sequence is not None else 0

    @property
    def name(self) -> str:
        """Its file's name, or a sequence's pattern."""
        return os.fsdecode(os.path.basename(self.path))

    def asset(self) -> Asset:
        """Read it whole and say which content it is.

        Raises:
            MediaError: it cannot be read.
            Blocked: somebody writes to it.
        """
        identity = identify(self.found)
        return Asset(
            digest=identity.digest,
            place=Place(root=self.root, path=encode_path(self.path)),
            kind=self.found.kind,
            size=identity.stat.size,
            mtime_ns=identity.stat.mtime_ns,
            sequence=self.found.sequence,
        )


def of_shot(shot: str, context: Context) -> list[Candidate]:
    """Give films, sequences and stills of a shot, the highest version first; placeholders are none."""
    out: list[Candidate] = []
    for name, folder in sorted(context.roots.items()):
        base = os.fsencode(os.path.abspath(folder))
        for found in collect([Path(folder)]) if folder.is_dir() else ():
            inside = os.path.relpath(found.path, base)
            match = of_name(inside, shot)
            if match is not None and found.failure is None and found.kind in ("video", "sequence", "image"):
                out.append(Candidate(root=name, path=inside, found=found, version=match.version))
    return sorted(out, key=_newest)


def _newest(one: Candidate) -> tuple[int, int, str, bytes]:
    """Sort by version, none last; of one version films and sequences before stills."""
    return -(one.version if one.version is not None else -1), one.found.kind == "image", one.root, one.path


__all__ = ["Candidate", "of_shot"]
