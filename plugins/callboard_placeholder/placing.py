"""Puts what was made where it stays: whole or not at all, and once, however often it is made.

Films and single files go into a shot's folder. A sequence goes into a folder of its own in there, so that a shot with
ten versions of a thousand pictures still can be looked at: ``SH010_PLACEHOLDER_v001_slate/…_slate.1001.png``.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from callboard_placeholder import names
from callboard_placeholder.disk import blocked, locked, seal

if TYPE_CHECKING:
    from callboard_placeholder.encoding import Written

_NUMBERED: Final = re.compile(r"\.\d{4,}\.[^.]+")
"""What follows the stem in the name of a sequence's picture."""


def put(written: Written, folder: Path, shot: str, engine: str, beside: Path | None = None) -> Path:
    """Put what was written into a shot's folder and give the path that applications open.

    It takes the version behind the last, of whatever engine; the same bytes that are there already, of this shot and
    engine, keep their name, and nothing is written. What is there is never written over. Processes may do this at once.

    Args:
        written: The files; they stay where they are.
        folder: The shot's folder; made where it is missing.
        shot: Its name, as a person gives it.
        engine: Who made it.
        beside: What this belongs to: it takes that one's name with its own suffix. Where such a file is there already
            it stays and is given: somebody may have worked in it.

    Raises:
        Blocked: the disk is full or may not be written to; nothing is left behind.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _copied(written, folder, shot) as parts, locked(folder.parent):
            if beside is not None:
                return _land(parts, folder, stem_of(beside))[0]
            for version in sorted(names.versions(folder, shot)):
                if (known := _same(parts, folder, names.stem(shot, version, engine))) is not None:
                    return known
            version = names.free(folder, shot)
            while True:
                path, ours = _land(parts, folder, names.stem(shot, version, engine))
                if ours:
                    return path
                version += 1  # somebody without our lock, such as on a share that has none
    except OSError as error:
        stopped = blocked(error, folder)
        if stopped is None:
            raise
        raise stopped from error


def stem_of(path: Path) -> str:
    """Give the name of a placed file without what its kind adds: the suffix, and a picture's number."""
    return path.name.split(".", 1)[0]


class _Parts:
    """Copies of what was written, in the shot's folder under a name that nobody takes for a placeholder."""

    def __init__(self, written: Written, home: Path) -> None:
        self.home = home
        stem = stem_of(written.path)
        self.endings = {file.name.removeprefix(stem): file for file in (*written.files, written.path)}
        self.first = written.path.name.removeprefix(stem)
        self.sequence = _NUMBERED.fullmatch(self.first) is not None
        self._digests: dict[str, str] = {}

    def copy(self) -> None:
        """Copy every file and see to it that the disk has it."""
        self.home.mkdir()
        for ending, file in self.endings.items():
            shutil.copyfile(file, self.home / f"part{ending}")
            seal(self.home / f"part{ending}")

    def same(self, ending: str, other: Path) -> bool:
        """Whether a file has the bytes of the part with *ending*."""
        own = self.home / f"part{ending}"
        try:
            if other.stat().st_size != own.stat().st_size:
                return False
            if ending not in self._digests:
                self._digests[ending] = _bytes_of(own)
            return self._digests[ending] == _bytes_of(other)
        except FileNotFoundError:
            return False


def _bytes_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _copied(written: Written, folder: Path, shot: str) -> Iterator[_Parts]:
    parts = _Parts(written, folder / f".{names.safe(shot)}{names.MARK}0-{uuid.uuid4().hex[:12]}")
    try:
        parts.copy()
        yield parts
    finally:
        shutil.rmtree(parts.home, ignore_errors=True)


def _where(parts: _Parts, folder: Path, stem: str) -> Path:
    return folder / stem if parts.sequence else folder


def _same(parts: _Parts, folder: Path, stem: str) -> Path | None:
    """Give the path of a version that has these bytes and no others."""
    home = _where(parts, folder, stem)
    if parts.sequence:
        kinds = {".wav", *(Path(ending).suffix for ending in parts.endings)}
        there = {name for name in os.listdir(home) if Path(name).suffix in kinds} if home.is_dir() else set()
        # Sidecars and contact sheets that were laid there later are called otherwise
        if {name for name in there if name.startswith(f"{stem}.")} != {f"{stem}{ending}" for ending in parts.endings}:
            return None
    same = all(parts.same(ending, home / f"{stem}{ending}") for ending in parts.endings)
    return home / f"{stem}{parts.first}" if same else None


def _land(parts: _Parts, folder: Path, stem: str) -> tuple[Path, bool]:
    """Move the parts to their names; give the path, and whether it is ours or was there before."""
    home = _where(parts, folder, stem)
    path = home / f"{stem}{parts.first}"
    if parts.sequence:
        if home.exists():
            return path, False
        for ending in parts.endings:
            (parts.home / f"part{ending}").rename(parts.home / f"{stem}{ending}")
        seal(parts.home)
        parts.home.rename(home)
        seal(folder)
        return path, True
    for ending in sorted(parts.endings, key=lambda one: one == parts.first):  # what is opened comes last
        if not _landed(parts.home / f"part{ending}", home / f"{stem}{ending}"):
            return path, False
    seal(folder)
    return path, True


def _landed(part: Path, path: Path) -> bool:
    """Give a file its name, unless there is one of that name."""
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    except OSError:  # a disk without hard links; the lock keeps others of us away
        if path.exists():
            return False
        part.rename(path)
        return True
    with suppress(OSError):
        part.unlink()
    return True


__all__ = ["put", "stem_of"]
