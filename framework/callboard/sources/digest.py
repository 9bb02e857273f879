"""Which content a file has: its digest, read while nobody changes it.

Up to a limit every byte is hashed (``sha256:``). Above it ``sampled-sha256:`` covers the size, the head, the tail and
evenly spaced samples, at most 32 MiB read. A sequence's digest covers the names and digests of its frames.
"""

from __future__ import annotations

import hashlib
import os
import stat as modes
from collections.abc import Callable

from callboard.errors import Blocked, MediaError
from callboard.sources.facts import Found, Identity, Stat

WHOLE = 8 << 30
"""Bytes up to which a file, or all frames of a sequence, are hashed whole."""
BLOCK = 1 << 20
ENDS = 8 << 20
"""Bytes of head and of tail in a sampled digest."""
SAMPLES = 16
"""Blocks of a sampled digest between head and tail; with the ends that is 32 MiB."""
FRAME_ENDS = 64 << 10
"""Bytes of head and of tail of a frame in a sampled digest of a sequence."""
RESTARTS = 3
"""Times that ``identify`` begins again with a file that changes while it is read."""

Progress = Callable[[int, int], None]
"""(bytes read, bytes to read)."""


class Changed(Exception):
    """The file changed while it was read; it is still being written."""

    def __init__(self, stat: Stat) -> None:
        self.stat = stat
        super().__init__("changed while it was read")


def open_file(path: bytes, *, follow: bool = False) -> int:
    """Open a regular file for reading, without waiting on a pipe or following a link.

    Raises:
        OSError: it cannot be opened, is a link, or is no regular file (EINVAL).
    """
    flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    fd = os.open(path, flags if follow else flags | getattr(os, "O_NOFOLLOW", 0))
    if not modes.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(22, "not a regular file")
    return fd


def digest_fd(fd: int, size: int, *, whole: int = WHOLE, read: Callable[[int], None] = lambda _n: None) -> str:
    """Hash an open file of *size* bytes.

    Args:
        fd: Open for reading; its offset is moved.
        size: Bytes, as its stat says.
        whole: Bytes up to which every byte is hashed.
        read: Called with the bytes of each block; may raise to stop.
    """
    if size > whole:
        return _sampled(fd, size, ENDS, SAMPLES, read)
    hashing = hashlib.sha256()
    _feed(fd, hashing, 0, size, read)
    return "sha256:" + hashing.hexdigest()


def _feed(fd: int, hashing: hashlib._Hash, start: int, length: int, read: Callable[[int], None]) -> None:
    os.lseek(fd, start, os.SEEK_SET)
    left = length
    while left > 0:
        block = os.read(fd, min(BLOCK, left))
        if not block:
            break  # cut short meanwhile: the stat afterwards tells
        hashing.update(block)
        left -= len(block)
        read(len(block))


def _sampled(fd: int, size: int, ends: int, samples: int, read: Callable[[int], None]) -> str:
    hashing = hashlib.sha256(size.to_bytes(8, "big"))
    _feed(fd, hashing, 0, ends, read)
    for index in range(1, samples + 1):
        _feed(fd, hashing, ends + (size - 2 * ends) * index // (samples + 1), BLOCK, read)
    _feed(fd, hashing, size - ends, ends, read)
    return "sampled-sha256:" + hashing.hexdigest()


def read_file(fd: int, *, whole: int = WHOLE, read: Callable[[int], None] = lambda _n: None) -> Identity:
    """Hash an open file, and see that it was the same before and after.

    Raises:
        Changed: its stat moved meanwhile.
        OSError: it cannot be read.
    """
    before = Stat.of(os.fstat(fd))
    digest = digest_fd(fd, before.size, whole=whole, read=read)
    after = Stat.of(os.fstat(fd))
    if after != before:
        raise Changed(after)
    return Identity(digest=digest, stat=before)


def read_sequence(
    frames: list[bytes], *, whole: int = WHOLE, read: Callable[[int], None] = lambda _n: None, follow: bool = False
) -> Identity:
    """Hash the frames at these paths, in order.

    Raises:
        Changed: a frame moved meanwhile.
        OSError: a frame cannot be opened or read.
    """
    stats = [Stat.of(os.stat(path, follow_symlinks=follow)) for path in frames]
    total = sum(stat.size for stat in stats)
    hashing = hashlib.sha256()
    for path, stat in zip(frames, stats, strict=True):
        fd = open_file(path, follow=follow)
        try:
            if total > whole and stat.size > 2 * FRAME_ENDS:
                digest = _sampled(fd, stat.size, FRAME_ENDS, 0, read)
            else:
                digest = digest_fd(fd, stat.size, whole=whole, read=read)
            if Stat.of(os.fstat(fd)) != stat:
                raise Changed(summary(stats))
        finally:
            os.close(fd)
        hashing.update(os.path.basename(path) + b"\0" + digest.encode() + b"\n")
    name = "sampled-sha256:" if total > whole else "sha256:"
    return Identity(digest=name + hashing.hexdigest(), stat=summary(stats))


def summary(stats: list[Stat]) -> Stat:
    """Give the stat of a sequence: sum of sizes, newest times, the first frame's inode."""
    return Stat(
        sum(stat.size for stat in stats),
        max(stat.mtime_ns for stat in stats),
        max(stat.ctime_ns for stat in stats),
        stats[0].inode,
        stats[0].device,
    )


def identify(found: Found, *, whole: int = WHOLE, progress: Progress | None = None) -> Identity:
    """Say which content a found file or sequence has; begins again when it changes meanwhile.

    Blocks; call it from a thread. *progress* may raise to stop it.

    Raises:
        MediaError: it cannot be read.
        Blocked: it changes all the time.
    """
    name = os.fsdecode(os.path.basename(found.path))
    for _ in range(RESTARTS):
        try:
            return _identify(found, whole, progress)
        except Changed:
            continue
        except OSError as error:
            raise MediaError(name, f"cannot be read: {error.strerror or error}") from error
    raise Blocked(
        f"{name}: is being written: it changed {RESTARTS} times while it was read", "Run again once it is whole."
    )


def _identify(found: Found, whole: int, progress: Progress | None) -> Identity:
    folder = os.path.dirname(found.path)
    paths = [os.path.join(folder, frame) for frame in found.frames] or [found.path]
    size = sum(os.stat(path).st_size for path in paths) if progress is not None else 0
    done = 0

    def read(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, max(size, done))

    if found.sequence is not None:
        return read_sequence(paths, whole=whole, read=read, follow=True)
    fd = open_file(found.path, follow=True)
    try:
        return read_file(fd, whole=whole, read=read)
    finally:
        os.close(fd)
