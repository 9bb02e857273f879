"""The last look at something that has been quiet: is it whole, and which content has it? Blocks; run it in a lane."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import sys
from typing import Literal, NamedTuple

from callboard.sources import sequences
from callboard.sources.digest import Changed, open_file, read_file, read_sequence, summary
from callboard.sources.facts import Identity, Stat

if sys.platform == "linux":
    import fcntl

Verdict = Literal["whole", "moved", "busy", "unsure", "gone", "empty", "unreadable"]


class Outcome(NamedTuple):
    """What a look came to."""

    verdict: Verdict
    stat: Stat | None = None
    identity: Identity | None = None
    detail: str = ""


class Family(NamedTuple):
    """Numbered stills that belong together: what a frame's name says without looking at the others."""

    folder: bytes
    prefix: bytes
    suffix: bytes

    @classmethod
    def of(cls, path: bytes) -> Family | None:
        """Give the family of a path, or None where it is no frame."""
        folder, _, name = path.rpartition(b"/")
        frame = sequences.parse(name)
        return None if frame is None else cls(folder, frame.prefix, frame.suffix)

    def join(self, name: bytes) -> bytes:
        """Give the path of a member."""
        return self.folder + b"/" + name if self.folder else name


class Members(NamedTuple):
    """A family as it is on disk. Frames of no bytes are not there yet: renderers reserve names with them."""

    stat: Stat | None
    """Over all members; None where there are none."""
    groups: list[tuple[bytes, sequences.Group, Stat]]
    """Path of the pattern, frames, and stat of each sequence."""
    singles: list[tuple[bytes, Stat]]
    """Path and stat of those that are too few for a sequence."""
    rhythm: float
    """Seconds between the newest frames: the median over up to eight."""


def lease(fd: int) -> bool | None:
    """Ask the kernel for a read lease and give it back: granted only when nobody has the file open for writing.

    Returns:
        True when granted, False when somebody writes, None when the kernel does not say (another system or file
        system, or a file of another user without CAP_LEASE).
    """
    if sys.platform != "linux":
        return None
    try:
        # a writer that opens the file in between breaks the lease, by SIGIO unless told otherwise, which kills;
        # SIGURG is ignored by default
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return False if error.errno == errno.EAGAIN else None
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return True


def examine(path: bytes, expected: Stat | None, *, leased: bool, sure: bool) -> Outcome:
    """Look at the file at the absolute *path*, and read it if it is whole.

    Args:
        path: Where it is.
        expected: The stat that it must have; None takes any.
        leased: Ask for a lease.
        sure: It was quiet for long enough to do without one.
    """
    try:
        fd = open_file(path)
    except OSError as error:
        return _unopened(path, expected, error)
    try:
        stat = Stat.of(os.fstat(fd))
        if expected is not None and stat != expected:
            return Outcome("moved", stat)
        if stat.size == 0:
            return Outcome("empty", stat)
        free = lease(fd) if leased else None
        if free is False:
            return Outcome("busy", stat)
        if free is None and not sure:
            return Outcome("unsure", stat)
        identity = read_file(fd)
        now = Stat.of(os.stat(path, follow_symlinks=False))
        return Outcome("whole", stat, identity) if now == stat else Outcome("moved", now)
    except Changed as changed:
        return Outcome("moved", changed.stat)
    except FileNotFoundError:
        return Outcome("gone")
    except OSError as error:
        return Outcome("unreadable", expected, detail=error.strerror or str(error))
    finally:
        os.close(fd)


def _unopened(path: bytes, expected: Stat | None, error: OSError) -> Outcome:
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL):
        return Outcome("gone")  # or no regular file any more, which is the same to us
    try:
        now = Stat.of(os.stat(path, follow_symlinks=False))
    except OSError:
        now = None
    return Outcome("unreadable", now or expected, detail=error.strerror or str(error))


def members(root: bytes, family: Family, files: list[tuple[bytes, Stat]] | None = None) -> Members:
    """Sort a family's files into sequences and single pictures.

    Args:
        root: Absolute path of the root.
        family: What to look for.
        files: Names and stats where they are known already; else the folder is listed.

    Raises:
        OSError: the folder cannot be listed.
    """
    if files is None:
        files = _list(root, family)
    there = {name: stat for name, stat in sorted(files) if stat.size > 0}
    if not there:
        return Members(None, [], [], 0.0)
    found, alone = sequences.group(there)
    groups = [(family.join(g.name), g, summary([there[f.name] for f in g.frames])) for g in found]
    times = sorted(stat.ctime_ns for stat in there.values())[-9:]
    gaps = sorted(after - before for before, after in itertools.pairwise(times))
    rhythm = gaps[len(gaps) // 2] / 1e9 if gaps else 0.0
    whole = summary(list(there.values()))
    # a renamed frame moves no sum and no newest time where the renaming is old: the names count too
    whole = whole._replace(device=hash(tuple(sorted(there))))
    return Members(whole, groups, [(family.join(name), there[name]) for name in alone], rhythm)


def _list(root: bytes, family: Family) -> list[tuple[bytes, Stat]]:
    out: list[tuple[bytes, Stat]] = []
    with os.scandir(os.path.join(root, family.folder)) as entries:
        for entry in entries:
            frame = sequences.parse(entry.name)
            if frame is None or frame.family != (family.prefix, family.suffix):
                continue
            try:
                if entry.is_file(follow_symlinks=False):
                    out.append((entry.name, Stat.of(entry.stat(follow_symlinks=False))))
            except OSError:
                continue  # it went while we listed
    return out


def examine_group(folder: bytes, group: sequences.Group, stat: Stat, *, leased: bool, sure: bool) -> Outcome:
    """Look at the frames of a sequence in the absolute *folder*, and read them if they are whole."""
    paths = [os.path.join(folder, frame.name) for frame in group.frames]
    try:
        if leased:
            free = _lease_all(paths)
            if free is False:
                return Outcome("busy", stat)
            leased = free is True
        if not leased and not sure:
            return Outcome("unsure", stat)
        identity = read_sequence(paths)
    except Changed as changed:
        return Outcome("moved", changed.stat)
    except FileNotFoundError:
        return Outcome("moved")
    except OSError as error:
        return Outcome("unreadable", stat, detail=error.strerror or str(error))
    return Outcome("whole", stat, identity) if identity.stat == stat else Outcome("moved", identity.stat)


def _lease_all(paths: list[bytes]) -> bool | None:
    for path in paths:
        fd = open_file(path)
        try:
            free = lease(fd)
        finally:
            os.close(fd)
        if not free:
            return free
    return True
