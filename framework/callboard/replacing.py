"""Writes files that readers see whole: beside their place first, and moved there once all of it is written."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = False, shared: bool = False) -> Iterator[BinaryIO]:
    """Give a file to write that becomes *path* at the end; when anything is raised, *path* is left as it was.

    It keeps the rights of the file that it replaces; a new one is its owner's alone.

    Args:
        path: In a folder that exists.
        durable: Wait until the bytes are on the disk, so that a power cut leaves the old file or the new one.
        shared: A new file may be read by others.

    Raises:
        OSError: it cannot be written.
    """
    fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    try:
        with open(fd, "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
        elif shared:
            Path(temporary).chmod(0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


__all__ = ["replacing"]
