"""Which asset is at a path that no source has told of yet: judged whole, and read, as a watch source does it."""

from __future__ import annotations

import os
import time

from callboard.errors import CallboardError, MediaError
from callboard.sources import sequences
from callboard.sources.examine import Family, Outcome, examine, examine_group, members
from callboard.sources.facts import Seen, Stat
from callboard.sources.kinds import kind_of

QUIET = 2.0
"""Seconds without change after which a file counts as whole where nobody can tell whether it is open."""


class Waits(CallboardError):
    """A file is being written; it is looked at again."""

    code = "media-away"


def identified(root: bytes, path: bytes) -> Seen:
    """Identify what is at a path, relative to its absolute root; of a sequence's frame, the sequence. Blocks.

    Raises:
        Waits: it is being written.
        MediaError: it is not there, is no media, or cannot be read.
    """
    name = os.fsdecode(os.path.basename(path))
    frame = sequences.parse(os.path.basename(path))
    family = Family.of(path) if frame is not None else None
    if family is not None:
        seen = _sequence(root, path, family, name)
        if seen is not None:
            return seen
    return _file(root, path, name)


def _file(root: bytes, path: bytes, name: str) -> Seen:
    kind = kind_of(path)
    if kind is None:
        raise MediaError(name, "has no extension of a media file", "Callboard goes by the extension.")
    full = os.path.join(root, path)
    try:
        stat = Stat.of(os.stat(full))
    except OSError as error:
        raise MediaError(name, f"cannot be read: {error.strerror}", "Check the path and the disk.") from None
    outcome = examine(full, stat, leased=True, sure=_quiet(stat))
    return _told(outcome, name, Seen.of(path, kind, "", stat, None))


def _sequence(root: bytes, path: bytes, family: Family, name: str) -> Seen | None:
    """Identify the sequence that a frame is in; ``None`` where it is in none."""
    try:
        found = members(root, family)
    except OSError as error:
        raise MediaError(name, f"cannot be read: {error.strerror}", "Check the path and the disk.") from None
    own = os.path.basename(path)
    for pattern, group, stat in found.groups:
        if own in {frame.name for frame in group.frames}:
            folder = os.path.join(root, family.folder) if family.folder else root
            outcome = examine_group(folder, group, stat, leased=True, sure=_quiet(stat))
            return _told(outcome, name, Seen.of(pattern, "sequence", "", stat, group.sequence))
    return None


def _quiet(stat: Stat) -> bool:
    return time.time() - stat.mtime_ns / 1e9 > QUIET


def _told(outcome: Outcome, name: str, seen: Seen) -> Seen:
    if outcome.identity is not None:
        return Seen.of(seen.path, seen.kind, outcome.identity.digest, outcome.identity.stat, seen.sequence)
    if outcome.verdict in ("moved", "busy", "unsure"):
        raise Waits(f"{name}: is being written")
    problem = {"gone": "is not there", "empty": "is empty"}.get(outcome.verdict, f"cannot be read: {outcome.detail}")
    raise MediaError(name, problem, "Check the path and the disk.")


__all__ = ["QUIET", "Waits", "identified"]
