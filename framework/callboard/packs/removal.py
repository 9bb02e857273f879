"""Takes packs out of the store; what plugins ship and what lies in a project's folder is never touched."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from callboard.packs.finding import read_pack
from callboard.packs.packfile import FileSource, WheelSource, wheels_of
from callboard.packs.store import alone, partial, telling


class Removed(Struct, frozen=True, kw_only=True):
    """What was removed of one pack, older versions of it too; *freed* in bytes."""

    name: str
    folders: tuple[str, ...]
    freed: int


def remove(name: str, store: Path) -> Removed:
    """Remove the files and the description that *store* holds of the pack *name*; nothing is a normal answer.

    Raises:
        PullError: the system refused.
    """
    if not store.is_dir():
        return Removed(name=name, folders=(), freed=0)
    with telling(name, store), alone(store, f"remove-{name}"):
        found = list(_in_store(name, store))
        freed = sum(_size(path) for path in found)
        for path in found:
            aside = partial(store) / f"gone-{path.name}"
            shutil.rmtree(aside, ignore_errors=True)
            path.rename(aside)  # gone at once; the deleting may be broken off
            if aside.is_dir():
                shutil.rmtree(aside)
            else:
                aside.unlink()
    return Removed(name=name, folders=tuple(map(str, found)), freed=freed)


def _in_store(name: str, store: Path) -> Iterator[Path]:
    """Walk what belongs to a pack: its description first, so that it is never described without its files."""
    folders = {path for path in store.glob(f"{name}-*") if re.fullmatch(r"[0-9a-f]{16}", path.name[len(name) + 1 :])}
    for path in sorted(store.glob("*.toml")):
        pack = read_pack(path)
        if pack.name != name:
            continue
        yield path
        if isinstance(pack.source, FileSource) and pack.source.folder:
            folder = store / pack.source.folder
            if folder.parent == store and folder.is_dir():
                folders.add(folder)
        if isinstance(pack.source, WheelSource):
            for wheel in wheels_of(pack.source):
                yield from (partial(store)).glob(f"{wheel.sha256}.whl")
    yield from sorted(folders)


def _size(path: Path) -> int:
    if path.is_dir() and not path.is_symlink():
        return sum(each.lstat().st_size for each in path.rglob("*") if not each.is_dir())
    return path.lstat().st_size


__all__ = ["Removed", "remove"]
