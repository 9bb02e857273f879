"""What a root stands on: its file system, whether it is there, and how long the machine slept."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from callboard import filesystems

MARKER = b".callboard-root"
"""A file of this name in a root says that the root is there; without it the root is offline."""

_UNSTABLE = frozenset(("exfat", "fuseblk", "iso9660", "msdos", "ntfs", "ntfs3", "udf", "vfat"))
"""File systems that make up inode numbers when they are mounted."""


class Filesystem(NamedTuple):
    """What a root's file system can be trusted with."""

    kind: str
    local: bool
    """Changes are told by the kernel, its times are this machine's, and leases mean something."""
    stable_inodes: bool


class Health(NamedTuple):
    """One look at a root."""

    problem: str
    """Empty when it is there."""
    identity: tuple[int, int]
    """Device and inode of the folder itself."""
    empty: bool


def filesystem(root: str) -> Filesystem:
    """Find out what *root* is on; an unknown file system counts as local."""
    kind = filesystems.kind_of(root)
    local = not filesystems.is_remote(kind)
    return Filesystem(kind, local=local, stable_inodes=local and kind not in _UNSTABLE)


def look(root: bytes, *, marked: bool) -> Health:
    """Look whether a root is there. Blocks while its disk does."""
    try:
        stat = os.stat(root)
        with os.scandir(root) as entries:
            empty = next(entries, None) is None
        if marked and not os.path.exists(os.path.join(root, MARKER)):
            return Health("its marker file .callboard-root is missing", (stat.st_dev, stat.st_ino), empty)
    except FileNotFoundError:
        return Health("the folder does not exist", (0, 0), empty=True)
    except OSError as error:
        return Health(f"the folder cannot be read: {error.strerror}", (0, 0), empty=True)
    return Health("", (stat.st_dev, stat.st_ino), empty)


def boot_time() -> float:
    """Seconds since boot, sleep included; the monotonic clock where the system has no such clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Gaps:
    """Notices that the machine slept or that this process was stopped.

    Args:
        late: Seconds by which a tick may be late before it counts as a gap.
    """

    def __init__(self, late: float = 5.0) -> None:
        self._late = late
        self._asleep = boot_time() - time.monotonic()
        self._expected: float | None = None

    def tick(self, now: float, next_in: float) -> str:
        """Give the reason why something may have been missed since the last tick, or nothing."""
        asleep = boot_time() - time.monotonic()
        reason = ""
        if asleep - self._asleep > 1.0:
            reason = f"the machine slept for {asleep - self._asleep:.0f} s"
        elif self._expected is not None and now - self._expected > self._late:
            reason = f"this process was stopped for {now - self._expected:.0f} s"
        self._asleep, self._expected = asleep, now + next_in
        return reason
