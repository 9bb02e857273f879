"""Finds model packs: those that plugins ship, those in the store, and those in a project's own folder."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath

import msgspec
from msgspec.structs import replace

from callboard.config import RuntimeSettings
from callboard.known_types import know
from callboard.packs.installed import plugin_packages
from callboard.packs.packfile import CARRIES_CODE, FORMATS, FileSource, Pack, WheelSource, wheels_of
from callboard.packs.store import packs_folder, store_folder


def find_packs(extra: Path | None = None, store: Path | None = None, allow: Collection[str] = ()) -> dict[str, Pack]:
    """Find every pack by name; one that cannot be read is there with its ``problem``.

    What the store holds goes before what plugins ship, and what the project's folder holds before both. All TOML
    files are read, and those parsed whose text is new: what was pulled or changed meanwhile is seen at once.

    Args:
        extra: The project's folder of packs; in a plugin's process, the one that it was told of.
        store: The folder of pulled, exported and carried packs; by default the user's own.
        allow: Digests of the files that may be loaded although their format can carry code.
    """
    store, extra = store or store_folder(), extra or packs_folder()
    packs: dict[str, Pack] = {}
    for path in _shipped():
        pack = read_pack(path)
        other = packs.get(pack.name)
        if other is not None and other.digest != pack.digest:
            pack = _bad(path, pack.name, f"{other.origin} and {path} both describe it; uninstall one of the plugins")
        packs[pack.name] = pack
    for folder in (store, extra):
        if folder is not None:
            packs.update((pack.name, pack) for pack in map(read_pack, sorted(folder.glob("*.toml"))))
    return {name: replace(pack, store=str(store), refused=_refused(pack, allow)) for name, pack in packs.items()}


def find_pack(digest: str) -> Pack | None:
    """Find the pack of a digest, as a job was planned with it."""
    return next((pack for pack in find_packs().values() if pack.digest == digest), None)


def named(packs: Mapping[str, Pack], name: str) -> Pack | None:
    """Give a pack by its name, or one with its parts: ``painter+pose+depth`` is ``painter`` with two ControlNets."""
    first, *others = name.split("+")
    parts = [packs[one] for one in others if one in packs]
    if first not in packs or len(parts) < len(others):
        return None
    whole = packs[first]
    if not parts:
        return whole
    memory = sum(part.memory_mb for part in (whole, *parts))
    return replace(whole, parts=tuple(parts), memory_mb=memory)


def packs_of(settings: RuntimeSettings) -> dict[str, Pack]:
    """Find every pack as a project's settings say: its folder of packs, its store, and what it allows."""
    extra = Path(settings.models) if settings.models else None
    return find_packs(extra, store_folder(settings.store), settings.allow_pickles)


def shipped_by(pack: Pack) -> str:
    """Name the installed plugin's top-level package whose ``models`` folder the pack was read from; else nothing."""
    origin = Path(pack.origin)
    return next((top for top, folder in plugin_packages() if origin.parent == folder / "models"), "")


def _shipped() -> Iterator[Path]:
    for _, folder in plugin_packages():
        yield from sorted((folder / "models").glob("*.toml"))


def read_pack(path: Path) -> Pack:
    """Read a pack's TOML file; what is wrong with it is in ``problem``."""
    try:
        return parse_pack(path.read_text("utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        return _bad(path, path.stem, f"{path}: {error}")


@functools.lru_cache(maxsize=1024)  # to parse one takes 2 ms; packs are never changed
def parse_pack(text: str, path: Path) -> Pack:
    """Read the text of a pack's TOML file, to lie at *path*; what is wrong with it is in ``problem``."""
    try:
        raw = tomllib.loads(text)
        pack = msgspec.convert(
            {**raw, "origin": str(path), "problem": "", "store": "", "refused": "", "parts": ()}, Pack
        )
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        return _bad(path, path.stem, f"{path}: {error}")
    problem = next(filter(None, _problems(pack)), "")
    return _bad(path, pack.name, f"{path}: {problem}") if problem else pack


def _problems(pack: Pack) -> Iterator[str]:
    for file in pack.files:
        yield _leads_out(file.path) or _strange(pack.engine, file.path)
    if isinstance(pack.source, WheelSource):
        members = [member for wheel in wheels_of(pack.source) for member in wheel.members]
        names = [PurePosixPath(member.path).name for member in members]
        yield from (_leads_out(member.path) for member in members)
        if len(set(names)) < len(names):
            yield "two members of the wheel have one name"
        if not pack.source.build and set(names) != {file.path for file in pack.files}:
            yield "its files are not the members of the wheel, and nothing builds them"


def _bad(path: Path, name: str, problem: str) -> Pack:
    return Pack(
        name=name,
        version="",
        task="",
        engine="",
        license="",
        summary="",
        files=(),
        source=FileSource(),
        origin=str(path),
        problem=problem,
    )


def _leads_out(path: str) -> str:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\\" in path or ":" in path:
        return f"{path!r} leads out of the pack's folder"
    return ""


def _strange(engine: str, path: str) -> str:
    suffix = PurePosixPath(path).suffix
    if engine not in FORMATS or suffix in FORMATS[engine] or suffix in CARRIES_CODE.get(engine, frozenset()):
        return ""
    return f"{path!r} is not a format that {engine} packs may hold ({', '.join(sorted(FORMATS[engine]))})"


def _refused(pack: Pack, allow: Collection[str]) -> str:
    """Say which file may run code when it is loaded, and was not allowed."""
    formats = CARRIES_CODE.get(pack.engine, frozenset())
    for file in pack.files:
        if PurePosixPath(file.path).suffix.lower() in formats and file.sha256 not in allow:
            return f"{file.path} is of a format that can carry code, and its digest {file.sha256} is not allowed"
    return ""


know(Pack)

__all__ = [
    "find_pack",
    "find_packs",
    "named",
    "packs_of",
    "parse_pack",
    "read_pack",
    "shipped_by",
]
