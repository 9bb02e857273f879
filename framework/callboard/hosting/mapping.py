"""Where the media of an application's project is for us: from its absolute path to a root, a place and a digest."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from callboard.catalog import hosts, journal, standins
from callboard.catalog.hosts import Used
from callboard.following import LOCAL_ROOT
from callboard.sources import sequences
from callboard.sources.facts import Seen

_HASHES = re.compile(rb"#{2,12}(?=\.[^.]+$)")


class Spot(NamedTuple):
    """A path inside a watched root; its root is empty where it is in none."""

    root: str
    path: bytes


NOWHERE = Spot("", b"")


PLACEHOLDERS = ":placeholders"
"""The root of what stands in for shots; no watched folder can be called so. Nothing in it is an asset."""


class Roots:
    """The folders that applications may touch files in, as paths are looked up in them.

    Args:
        roots: Names of watched folders to absolute ones; the one for the whole file system is left out.
        placeholders: The project's folder for what stands in.
    """

    def __init__(self, roots: Mapping[str, bytes], placeholders: Path | None = None) -> None:
        self.folders = {name: folder.rstrip(b"/") for name, folder in roots.items() if name != LOCAL_ROOT}
        if placeholders is not None:
            self.folders[PLACEHOLDERS] = os.fsencode(placeholders)

    def locate(self, path: str) -> Spot:
        """Say in which root an absolute path is, links followed where it is in none. Blocks; call it from a thread."""
        encoded = _encoded(path)
        if not encoded or not Path(path).is_absolute():
            return NOWHERE
        found = inside(self.folders, os.path.abspath(encoded))
        if found.root:
            return found
        real = {name: os.path.realpath(folder) for name, folder in self.folders.items()}
        return inside(real, os.path.realpath(encoded))

    def named(self) -> str:
        """Name the folders, for a person."""
        folders = [os.fsdecode(folder) for name, folder in self.folders.items() if name != PLACEHOLDERS]
        return ", ".join(folders) or "none is watched"


def _encoded(path: str) -> bytes:
    try:
        encoded = os.fsencode(path)
    except UnicodeEncodeError:
        return b""
    return b"" if b"\0" in encoded else encoded


def inside(folders: Mapping[str, bytes], path: bytes) -> Spot:
    """Find the innermost of some folders, by their names, that an absolute path is in."""
    hits = [(len(folder), name) for name, folder in folders.items() if path.startswith(folder + b"/")]
    if not hits:
        return NOWHERE
    length, name = max(hits)
    return Spot(name, path[length + 1 :])


def digest_at(conn: sqlite3.Connection, spot: Spot) -> str:
    """Give the digest of what is at a place, also of a sequence by one of its frames; empty where nothing is known."""
    if not spot.root:
        return ""
    if spot.root == PLACEHOLDERS:
        return standins.at(conn, os.fsdecode(spot.path))
    folder, slash, name = spot.path.rpartition(b"/")
    for candidate, number in _candidates(name):
        seen = journal.place(conn, spot.root, folder + slash + candidate)
        if seen is not None and (number is None or _holds(seen, number)):
            return seen.digest
    return ""


def _candidates(name: bytes) -> Iterator[tuple[bytes, int | None]]:
    """Give the names under which an asset may be known: its own, and those of sequences that it may be a frame of."""
    yield name, None
    hashes = _HASHES.search(name)
    if hashes is not None:
        yield _HASHES.sub(b"%%0%dd" % len(hashes.group()), name), None
    frame = sequences.parse(name)
    if frame is not None:
        for padding in range(len(frame.digits), 0, -1):
            yield frame.prefix + b"%%0%dd" % padding + frame.suffix, frame.number


def _holds(seen: Seen, number: int) -> bool:
    return seen.sequence is not None and seen.sequence.first <= number <= seen.sequence.last


def settled(conn: sqlite3.Connection, root: str, seen: Seen) -> list[Used]:
    """Map the uses of what settled, or moved, anew. Returns those that are of another asset now, as they are now."""
    if seen.sequence is None:
        found = hosts.at_path(conn, root, seen.path)
    else:
        folder = seen.path.rpartition(b"/")[0]
        found = [one for one in hosts.in_folder(conn, root, folder) if one.path.rpartition(b"/")[0] == folder]
    changed = []
    for one in found:
        digest = digest_at(conn, Spot(root, one.path))
        if digest and digest != one.digest:
            hosts.set_digest(conn, one, digest)
            changed.append(one._replace(digest=digest))
    return changed


__all__ = ["NOWHERE", "PLACEHOLDERS", "Roots", "Spot", "digest_at", "inside", "settled"]
