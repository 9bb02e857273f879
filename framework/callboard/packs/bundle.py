"""Bundles: packs in one plain tar file, carried to a machine without a network.

``NAME/pack.toml`` comes first, then ``NAME/files/PATH`` for each of its files. Nothing in a bundle is believed: its
names, kinds, sizes and digests are compared with what its packs say, and only files that fit reach the store.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial as bind
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct
from msgspec.structs import replace

from callboard.errors import BundleRefused, DigestDiffers, PullError
from callboard.packs import Pack, verify
from callboard.packs.fetch import Told
from callboard.packs.finding import parse_pack, shipped_by
from callboard.packs.packfile import FileSource, HubSource, PackFile, WheelSource
from callboard.packs.packtext import pack_text, write_pack
from callboard.packs.store import admit, alone, need_room, place, telling, whole
from callboard.replacing import replacing

MOST_BYTES: Final = 20 * 10**9
MOST_FILES: Final = 10_000
_MOST_TEXT: Final = 1 << 20
"""Bytes of one pack.toml; 200 files with the longest paths take a tenth of it."""
_CHUNK: Final = 1 << 20
_NAME: Final = re.compile(r"^([a-z0-9][a-z0-9._-]{0,63})/(pack\.toml|files/(.+))$", re.DOTALL)


class Carried(Struct, frozen=True, kw_only=True):
    """A pack that a bundle holds, and what became of it; *bytes* is the size of its files."""

    name: str
    version: str
    license: str
    folder: str
    bytes: int
    already: bool = False
    """Whether the store had all of it."""


def write_bundle(packs: Sequence[Pack], out: Path, told: Told) -> int:
    """Write *packs* into the bundle *out*, whole or not at all; the same packs always give the same bytes.

    Returns:
        Its size in bytes.

    Raises:
        ModelMissing: a pack is not here, or not whole.
        BundleRefused: they are more than a bundle may hold.
        OSError: it cannot be written.
    """
    folders = {pack.name: verify(pack) for pack in packs}
    total = sum(file.size for pack in packs for file in pack.files)
    if total > MOST_BYTES or sum(len(pack.files) + 1 for pack in packs) > MOST_FILES:
        raise BundleRefused(str(out), f"{total / 1e9:.1f} GB are more than one bundle may hold", "Make several.")
    done = 0
    with (
        replacing(out, durable=True, shared=True) as file,
        tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for pack in packs:
            text = pack_text(pack).encode()
            archive.addfile(_entry(f"{pack.name}/pack.toml", len(text)), BytesIO(text))
            for one in pack.files:
                with (folders[pack.name] / one.path).open("rb") as source:
                    reader = _Reader(source, bind(_onward, told, done, total))
                    archive.addfile(_entry(f"{pack.name}/files/{one.path}", one.size), reader)  # type: ignore[arg-type]  # it calls read only
                if reader.digest.hexdigest() != one.sha256:
                    raise DigestDiffers(pack.name, f"{one.path} changed while it was read", "Try again.")
                done += one.size
    return out.stat().st_size


class _Reader:
    """Hashes what is read through it, and tells how much that was."""

    def __init__(self, file: BinaryIO, told: Callable[[int], None]) -> None:
        self.digest = hashlib.sha256()
        self._file, self._told, self._count = file, told, 0

    def read(self, size: int) -> bytes:
        chunk = self._file.read(size)
        self.digest.update(chunk)
        self._count += len(chunk)
        self._told(self._count)
        return chunk


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    return entry


def read_bundle(path: Path) -> list[Pack]:
    """Look at a bundle without storing anything: the packs in it, each with all its files there by name and size.

    Raises:
        BundleRefused: it is damaged, or holds what no bundle may.
        OSError: it cannot be read.
    """
    texts: dict[str, bytes] = {}
    sizes: dict[str, dict[str, int]] = {}
    with _opened(path) as archive:
        for member in _members(path, archive):
            found = _NAME.match(member.name)
            if found is None:
                raise BundleRefused(str(path), f"{member.name!r} has no place in a bundle")
            if found[3] is not None:
                sizes.setdefault(found[1], {})[found[3]] = member.size
                continue
            opened = archive.extractfile(member)
            if member.size > _MOST_TEXT or opened is None:
                raise BundleRefused(str(path), f"{member.name} is too large")
            texts[found[1]] = opened.read()
    packs = [_pack(path, name, text, sizes.pop(name, {})) for name, text in texts.items()]
    if sizes:
        raise BundleRefused(str(path), f"files of {', '.join(map(repr, sizes))} have no pack.toml")
    if not packs:
        raise BundleRefused(str(path), "it holds no pack")
    return packs


def _opened(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path, mode="r:")
    except tarfile.TarError as error:
        raise BundleRefused(str(path), f"it is not a bundle ({error})") from None


def _members(path: Path, archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Walk the archive, and refuse what is no plain file, comes twice, leads out or is too much."""
    names: set[str] = set()
    total = 0
    try:
        for member in archive:
            tarfile.data_filter(member, str(path.parent))
            total += member.size
            if not member.isreg() or member.issparse():
                raise BundleRefused(str(path), f"{member.name!r} is not a plain file")
            if member.name in names:
                raise BundleRefused(str(path), f"{member.name!r} comes twice")
            names.add(member.name)
            if len(names) > MOST_FILES or total > MOST_BYTES:
                raise BundleRefused(str(path), f"it is past {MOST_FILES} files or {MOST_BYTES / 1e9:.0f} GB")
            yield member
    except tarfile.FilterError as error:
        raise BundleRefused(str(path), f"it holds what leads out of it ({error})") from None
    except (tarfile.TarError, EOFError, UnicodeDecodeError) as error:
        raise BundleRefused(str(path), f"it is damaged ({error})", "Copy it again.") from None


def _pack(path: Path, name: str, text: bytes, sizes: dict[str, int]) -> Pack:
    try:
        pack = parse_pack(text.decode("utf-8"), path)
    except UnicodeDecodeError as error:
        raise BundleRefused(str(path), f"{name}/pack.toml is not text ({error})") from None
    if pack.problem or pack.name != name:
        raise BundleRefused(str(path), f"{name}/pack.toml: {pack.problem or f'it describes {pack.name!r}'}")
    if sizes != {file.path: file.size for file in pack.files}:
        raise BundleRefused(
            str(path), f"the files of {name!r} are not those that its pack.toml lists", "Copy it again."
        )
    return pack


def take_bundle(path: Path, packs: Sequence[Pack], store: Path, known: dict[str, Pack], told: Told) -> list[Carried]:
    """Store *packs*, which ``read_bundle`` found in the bundle at *path*, each whole or not at all.

    Args:
        path: The bundle.
        packs: Those to store.
        store: Where to.
        known: What ``find_packs`` finds now; a pack that a plugin ships and that is looked for in the store is not
            described there a second time, so that a newer plugin may bring a newer one.
        told: Hears how many bytes are stored.

    Raises:
        BundleRefused: it is damaged; the packs that were stored before are whole and stay.
        DigestDiffers: a file is not what its pack says; that pack is not stored.
        PullError: it cannot be stored.
    """
    total, done = sum(file.size for pack in packs for file in pack.files), 0
    carried: list[Carried] = []
    with _opened(path) as archive:
        for pack in packs:
            with telling(pack.name, store), alone(store, place(pack, store).name):
                folder, size = place(pack, store), sum(file.size for file in pack.files)
                already = whole(pack, folder)
                if not already:
                    need_room(pack.name, store, size)
                    on = bind(_onward, told, done, total)
                    admit(pack, store, bind(_take_files, path, archive, pack, on))
                _describe(pack, store, known.get(pack.name))
            done += size
            told(done, total)
            carried.append(
                Carried(
                    name=pack.name,
                    version=pack.version,
                    license=pack.license,
                    folder=str(folder),
                    bytes=size,
                    already=already,
                )
            )
    return carried


def _onward(told: Told, before: int, total: int, count: int) -> None:
    told(before + count, total)


def _take_files(path: Path, archive: tarfile.TarFile, pack: Pack, on: Callable[[int], None], out: Path) -> None:
    count = 0
    for file in pack.files:
        for chunk in _content(path, archive, pack, file, out / file.path):
            count += chunk
            on(count)


def _content(path: Path, archive: tarfile.TarFile, pack: Pack, file: PackFile, target: Path) -> Iterator[int]:
    try:
        source = archive.extractfile(f"{pack.name}/files/{file.path}")
    except (KeyError, tarfile.TarError) as error:
        raise BundleRefused(str(path), f"it changed while it was read ({error})", "Try again.") from None
    if source is None:
        raise BundleRefused(str(path), f"{file.path!r} of {pack.name!r} is not a plain file")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with source, target.open("xb") as copy:
            while chunk := source.read(_CHUNK):
                copy.write(chunk)
                yield len(chunk)
    except tarfile.TarError as error:
        raise BundleRefused(str(path), f"it is cut off ({error})", "Copy it again.") from None


def _describe(pack: Pack, store: Path, known: Pack | None) -> None:
    looked_for = known is not None and isinstance(known.source, HubSource | WheelSource)
    if known is not None and looked_for and known.digest == pack.digest and shipped_by(known):
        return
    stays = isinstance(pack.source, HubSource) or (isinstance(pack.source, WheelSource) and not pack.source.build)
    source = pack.source if stays else FileSource(folder=place(pack, store).name)
    try:
        write_pack(replace(pack, source=source), store / f"{pack.name}.toml")
    except OSError as error:
        raise PullError(pack.name, f"{store}: {error.strerror}", f"Check that you may write to {store}.") from None


__all__ = ["MOST_BYTES", "MOST_FILES", "Carried", "read_bundle", "take_bundle", "write_bundle"]
