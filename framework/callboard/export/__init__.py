"""Exports checkpoints as ONNX packs: built with torch, compared with torch, run without torch.

Only ``callboard models export`` imports it; torch is imported when something is exported.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from callboard.errors import ExportError
from callboard.packs.packfile import FileSource, Name, Pack, PackFile, Parity, Tensor
from callboard.packs.packtext import write_pack
from callboard.packs.store import admit, alone, partial, place, telling

if TYPE_CHECKING:
    from callboard.export.towers import Checkpoint, Tower

NEEDS: Final = ("torch", "onnx", "open_clip", "transformers", "safetensors")
Told = Callable[[str], None]
"""Hears what is being done."""


class Exported(Struct, frozen=True, kw_only=True):
    """One pack that was made; *bytes* is the size of its files."""

    name: str
    folder: str
    origin: str
    bytes: int
    parity: Parity


class Wish(Struct, frozen=True, kw_only=True):
    """What to export, and how."""

    source: str
    """The name of a pack of torch weights, or a folder."""
    name: str
    """Of the pack; two towers become ``NAME-image`` and ``NAME-text``."""
    int8: bool = False
    kind: str = ""
    model: str = ""
    licence: str = ""
    force: bool = False
    """Keep the packs though they come too far from their original."""


def export(wish: Wish, packs: Mapping[str, Pack], store: Path, told: Told) -> list[Exported]:
    """Export a checkpoint into *store*: all of its packs, or none.

    Raises:
        ExportError: something is not installed, is no checkpoint, cannot be expressed, or came out too different.
        ModelMissing: the pack to be exported is not here or not intact.
        NoRoom, PullError: the packs cannot be stored.
    """
    _check(wish)
    from callboard.export.checkpoints import open_checkpoint

    with (
        open_checkpoint(wish.source, packs, kind=wish.kind, model=wish.model, licence=wish.licence) as checkpoint,
        telling(wish.name, store),
    ):
        told(f"building {checkpoint.label}")
        work = Path(tempfile.mkdtemp(prefix="export-", dir=partial(store)))
        try:
            made = [_make(wish, checkpoint, tower, work, told) for tower in _towers(checkpoint)]
            return [_keep(pack, folder, store) for pack, folder in made]
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _check(wish: Wish) -> None:
    absent = [name for name in NEEDS if importlib.util.find_spec(name) is None]
    if absent:
        raise ExportError(wish.source, f"{absent[0]} is not installed", "pip install 'callboard[export]'")
    try:
        for suffix in ("-image", "-text"):
            msgspec.convert(f"{wish.name}{suffix}", Name)
    except msgspec.ValidationError:
        raise ExportError(
            wish.source,
            f"{wish.name!r} is no name for a pack",
            "Use lower-case letters, digits, '.', '_' and '-', at most 58 of them.",
        ) from None


def _towers(checkpoint: Checkpoint) -> list[Tower]:
    if checkpoint.kind == "open_clip":
        from callboard.export.clip import open_clip_towers

        return open_clip_towers(checkpoint)
    from callboard.export.sentences import transformers_towers

    return transformers_towers(checkpoint)


def _make(wish: Wish, checkpoint: Checkpoint, tower: Tower, work: Path, told: Told) -> tuple[Pack, Path]:
    """Write one tower's files and measure them."""
    from callboard.export.graph import write_graph
    from callboard.export.parity import LEAST, measure

    name = f"{wish.name}{tower.suffix}"
    folder = work / name
    folder.mkdir()
    told(f"{name}: writing {'int8' if wish.int8 else 'float32'} ONNX")
    graph = write_graph(tower, folder, int8=wish.int8)
    for path, content in tower.files.items():
        (folder / path).write_bytes(content)
    pack = _describe(wish, checkpoint, tower, name, [_file(folder, path) for path in (*graph, *sorted(tower.files))])
    told(f"{name}: comparing with torch")
    parity = measure(tower, replace(pack, origin=str(folder / "pack.toml"), source=FileSource()), folder)
    told(f"{name}: least cosine {parity.cosine:.6f}, largest difference {parity.max_abs:.3g} over {parity.rows} rows")
    if not parity.cosine >= LEAST[wish.int8] and not wish.force:
        raise ExportError(
            name,
            f"its vectors differ too much from the original's: cosine {parity.cosine:.4f}, at least "
            f"{LEAST[wish.int8]} is asked",
            "Nothing was kept. Leave --int8 away, or keep it all the same with --force.",
        )
    return replace(pack, parity=parity), folder


def _file(folder: Path, path: str) -> PackFile:
    with (folder / path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return PackFile(path, digest, (folder / path).stat().st_size)


def _describe(wish: Wish, checkpoint: Checkpoint, tower: Tower, name: str, files: list[PackFile]) -> Pack:
    size = sum(file.size for file in files)
    return Pack(
        name=name,
        version=f"{checkpoint.version}{' int8' if wish.int8 else ''}",
        task=tower.task,
        engine="onnxruntime",
        license=checkpoint.license,
        summary=tower.summary[:400],
        files=tuple(files),
        source=FileSource(),
        inputs=tower.inputs,
        outputs=(Tensor("embedding", "float32", (-1, tower.length), "rows of length one"),),
        # Weights once, a quarter for what a call works with, and what onnxruntime takes itself.
        memory_mb=64 + round(size / (1 << 20) * 1.25),
        batch=tower.batch,
        preprocess=dict(tower.preprocess),
    )


def _keep(pack: Pack, folder: Path, store: Path) -> Exported:
    def fill(fresh: Path) -> None:
        for file in pack.files:
            shutil.move(folder / file.path, fresh / file.path)

    with alone(store, place(pack, store).name):
        kept = admit(pack, store, fill)
    described = replace(pack, source=FileSource(kept.name))
    write_pack(described, store / f"{pack.name}.toml")
    parity = pack.parity
    assert parity is not None
    return Exported(
        name=pack.name,
        folder=str(kept),
        origin=str(store / f"{pack.name}.toml"),
        bytes=sum(file.size for file in pack.files),
        parity=parity,
    )


__all__ = ["Exported", "Wish", "export"]
