"""One file by its path, or the sequence that a picture is in: what belongs to it, and its digest."""

from __future__ import annotations

import os
from pathlib import Path

from callboard.errors import Blocked
from callboard.sources import sequences
from callboard.sources.digest import Changed, digest_fd, open_file, read_sequence


def files_of(path: Path) -> list[Path]:
    """Give the pictures of the sequence that a picture is in, in order; else the file alone.

    Three numbered stills are a sequence.

    Raises:
        OSError: its folder cannot be read.
    """
    own = os.fsencode(path.name)
    if sequences.parse(own) is not None:
        found, _ = sequences.group(os.listdir(os.fsencode(path.parent)))
        for group in found:
            if any(frame.name == own for frame in group.frames):
                return [path.with_name(os.fsdecode(frame.name)) for frame in group.frames]
    return [path]


def digest_of(path: Path) -> str:
    """Give the digest of a file, or of the sequence that a picture is in, as watched folders and applications know it.

    Raises:
        Blocked: somebody writes to it.
        OSError: it cannot be read.
    """
    files = [os.fsencode(file) for file in files_of(path)]
    try:
        if len(files) > 1:
            return read_sequence(files, follow=True).digest
        fd = open_file(files[0], follow=True)
        try:
            return digest_fd(fd, os.fstat(fd).st_size)
        finally:
            os.close(fd)
    except Changed:
        raise Blocked(f"{path}: changed while it was read", "Try again once nobody writes to it.") from None


__all__ = ["digest_of", "files_of"]
