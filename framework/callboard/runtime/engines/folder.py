"""A private folder of a pack's files for libraries that want one: what was verified is what is loaded."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from callboard.errors import ModelMissing
from callboard.packs import Pack, PackFile, mend_command

_CHUNK: Final = 1 << 20


def copy_verified(pack: Pack, folder: Path, file: PackFile, private: Path) -> Path:
    """Copy one file of *pack* from *folder* into *private*, and say where it is; the copy has the pack's digest.

    Links are followed: package installers and hub caches make them, and the digest says what is read.

    Raises:
        ModelMissing: it is missing, or is not what the pack says; the hint mends it.
    """
    source, target = folder / file.path, private / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    try:
        with source.open("rb") as reading, target.open("xb") as writing:
            while chunk := reading.read(_CHUNK):
                digest.update(chunk)
                writing.write(chunk)
    except OSError as error:
        raise ModelMissing(pack.name, f"{source} cannot be read ({error.strerror})", mend_command(pack)) from None
    if digest.hexdigest() != file.sha256:
        problem = f"{source} is not the file that the pack names (SHA-256 {digest.hexdigest()[:12]}…)"
        raise ModelMissing(pack.name, problem, mend_command(pack, reinstall=True))
    return target


def make_private(pack: Pack, folder: Path) -> Path:
    """Make a private folder with verified copies of all files of *pack*; whoever asked removes it.

    Raises:
        ModelMissing: a file is missing, or is not what the pack says.
    """
    private = Path(tempfile.mkdtemp(prefix="callboard-model-"))
    try:
        for file in pack.files:
            copy_verified(pack, folder, file, private)
    except BaseException:
        remove(private)
        raise
    return private


@contextlib.contextmanager
def private_copy(pack: Pack, folder: Path) -> Iterator[Path]:
    """Hold verified copies of all files of *pack* while a library reads them.

    Mapped files live on without their names on POSIX; a library that reads later needs ``make_private``.

    Raises:
        ModelMissing: a file is missing, or is not what the pack says.
    """
    private = make_private(pack, folder)
    try:
        yield private
    finally:
        remove(private)


def remove(private: Path) -> None:
    """Remove a private folder, as far as the system lets it."""
    shutil.rmtree(private, ignore_errors=True)


__all__ = ["copy_verified", "make_private", "private_copy", "remove"]
