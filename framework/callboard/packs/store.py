"""Where pulled and exported models are kept: a folder for each pack, named by the digests of its files.

Beside those folders may lie ``NAME.toml`` files: packs that were exported or carried here. ``.partial`` holds
downloads that are not whole yet; nothing in it is ever taken for a pack.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import platformdirs

from callboard.errors import CallboardError, DigestDiffers, NoRoom, PullError
from callboard.lock import turn
from callboard.packs.packfile import Pack

VARIABLE: Final = "CALLBOARD_STORE"
"""Environment variable that names the store, before any setting."""
PACKS_VARIABLE: Final = "CALLBOARD_PACKS"
"""Environment variable by which a plugin's process knows the project's own folder of packs."""
_PARTIAL: Final = ".partial"
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SPARE: Final = 64 << 20
"""Bytes that stay free beside what is stored: the catalog may lie on the same disk."""


def store_folder(setting: str = "") -> Path:
    """Say where the store is: the environment variable, else *setting*, else the user's own data folder."""
    named = os.environ.get(VARIABLE) or setting
    return Path(named) if named else Path(platformdirs.user_data_dir("callboard", appauthor=False)) / "models"


def packs_folder() -> Path | None:
    """Say which folder of packs the project has beside the store, where a process was told."""
    named = os.environ.get(PACKS_VARIABLE)
    return Path(named) if named else None


def place(pack: Pack, store: Path) -> Path:
    """Say which folder of *store* holds the files of *pack*; another version, or other files, have another."""
    return store / f"{pack.name}-{pack.digest[:16]}"


def partial(store: Path) -> Path:
    """Make and give the folder for what is not whole yet, on the same file system as the store."""
    folder = store / _PARTIAL
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def need_room(name: str, store: Path, size: int) -> None:
    """Look whether *size* bytes fit into the store.

    Raises:
        NoRoom: they do not.
    """
    free = shutil.disk_usage(partial(store)).free
    if free < size + _SPARE:
        raise NoRoom(
            name,
            f"{store} has {free / 1e6:,.0f} MB free, and {size / 1e6:,.0f} MB are needed",
            "Make room there, or name another disk: store under [runtime] in callboard.toml, or CALLBOARD_STORE.",
        )


@contextlib.contextmanager
def telling(name: str, store: Path) -> Iterator[None]:
    """Turn what the system says of a full or read-only disk into the errors of this package.

    Raises:
        NoRoom: the disk, or the user's share of it, is full.
        PullError: the system refused for another reason.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoRoom(
                name,
                f"no room is left in {store} ({error.strerror})",
                "Make room there, then give the same command: it goes on where it stopped.",
            ) from None
        raise PullError(
            name, f"{error.filename or store}: {error.strerror or error}", f"Check that you may write to {store}."
        ) from None


@contextlib.contextmanager
def alone(store: Path, name: str, waits: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold *name* in the store; another process that wants it waits, and calls *waits* before it does.

    The system lets go when a process ends.
    """
    with turn(partial(store) / f"{name}.lock", waits):
        yield


def whole(pack: Pack, folder: Path) -> bool:
    """Say whether every file of *pack* lies in *folder* as it should; reads them all."""
    try:
        check_files(pack, folder)
    except (CallboardError, OSError):
        return False
    return True


def check_files(pack: Pack, folder: Path) -> None:
    """Read every file of *pack* in *folder* and compare it.

    Raises:
        DigestDiffers: one has another size or other content.
        OSError: one cannot be read.
    """
    for file in pack.files:
        path = folder / file.path
        if path.is_symlink() or not path.is_file():
            raise DigestDiffers(pack.name, f"{file.path} is not among what was fetched or built", _REPORT)
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if found != file.sha256 or path.stat().st_size != file.size:
            raise DigestDiffers(pack.name, f"{file.path} is not what the pack names (SHA-256 {found[:12]}…)", _REPORT)


_REPORT = "Nothing was stored. Try again; if it stays so, what is offered there has changed: do not use it."


def admit(pack: Pack, store: Path, fill: Callable[[Path], None]) -> Path:
    """Have *fill* write the pack's files into a fresh folder, check each, and put the folder into the store at once.

    To be called while the pack is held (``alone``). A folder in the store is always whole at the moment it appears;
    one that was altered later is put aside and replaced.

    Raises:
        DigestDiffers: a file is not what the pack says; nothing was stored.
        NoRoom, PullError: it cannot be written.
    """
    target = place(pack, store)
    fresh, old = partial(store) / f"fill-{target.name}", partial(store) / f"old-{target.name}"
    with telling(pack.name, store):
        for leftover in (fresh, old):  # of a pull that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        try:
            fresh.mkdir(parents=True)
            fill(fresh)
            check_files(pack, fresh)
            _sync(fresh)
            if target.exists():
                target.rename(old)
            fresh.rename(target)
            _sync_folder(store)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)
    return target


def _sync(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            _sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":  # it opens no folders
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


__all__ = [
    "PACKS_VARIABLE",
    "VARIABLE",
    "admit",
    "alone",
    "check_files",
    "need_room",
    "packs_folder",
    "partial",
    "place",
    "store_folder",
    "telling",
    "whole",
]
