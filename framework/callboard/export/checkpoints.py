"""Finds what is to be exported: a pack of torch weights, or a folder; only safetensors are read."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from callboard.errors import ExportError
from callboard.export.towers import Checkpoint
from callboard.packs import locate

if TYPE_CHECKING:
    from callboard.packs import Pack

OPEN_CLIP_CONFIG: Final = "open_clip_config.json"
UNKNOWN_LICENCE: Final = "LicenseRef-unknown"


@contextlib.contextmanager
def open_checkpoint(
    source: str, packs: Mapping[str, Pack], *, kind: str = "", model: str = "", licence: str = ""
) -> Iterator[Checkpoint]:
    """Hold a checkpoint while it is exported.

    Args:
        source: The name of a pack of torch weights, or a folder.
        packs: The packs there are.
        kind: ``open_clip`` or ``transformers``; empty looks which config is there.
        model: The architecture of open_clip or the class of transformers; empty where the config says it.
        licence: SPDX expression; empty takes that of the pack.

    Raises:
        ExportError: there is no such checkpoint, or none that is read.
        ModelMissing: the pack's files are not here or not intact.
    """
    folder = Path(source).expanduser()
    if source in packs:
        with _from_pack(packs[source], kind, model, licence) as found:
            yield found
    elif folder.is_dir():
        kind = kind or _kind(source, folder)
        digest = _digest(source, folder)
        yield Checkpoint(
            folder=folder.absolute(),
            label=folder.absolute().name,
            version=digest[:12],
            license=licence or UNKNOWN_LICENCE,
            kind=kind,
            model=model,
            space=digest,
        )
    else:
        raise ExportError(
            source,
            "there is no such model pack, and no such folder",
            "'callboard models list' shows the packs; a folder holds a config and *.safetensors.",
        )


@contextlib.contextmanager
def _from_pack(pack: Pack, kind: str, model: str, licence: str) -> Iterator[Checkpoint]:
    from callboard.runtime.engines.folder import private_copy

    if pack.engine != "torch" and not pack.problem:
        raise ExportError(
            pack.name,
            f"it is a pack for {pack.engine}, which needs no export",
            "Packs of engine 'torch' and folders with safetensors can be exported.",
        )
    with private_copy(pack, locate(pack)) as folder:
        given = str(pack.options.get("architecture", ""))
        named = pack.options.get("model" if given == "open_clip" else "class", "")
        yield Checkpoint(
            folder=folder,
            label=pack.name,
            version=pack.version,
            license=licence or pack.license,
            kind=kind or given or _kind(pack.name, folder),
            model=model or str(named),
            space=str(pack.preprocess.get("space", "")) or _digest(pack.name, folder),
        )


def _kind(label: str, folder: Path) -> str:
    if (folder / OPEN_CLIP_CONFIG).is_file():
        return "open_clip"
    if (folder / "config.json").is_file():
        return "transformers"
    raise ExportError(
        label,
        f"it holds neither {OPEN_CLIP_CONFIG} nor config.json",
        "Say what it is with --open-clip MODEL or --transformers CLASS.",
    )


def weights_of(label: str, folder: Path) -> Path:
    """Say which file holds the weights.

    Raises:
        ExportError: there is not exactly one *.safetensors.
    """
    found = sorted(folder.glob("*.safetensors"))
    if len(found) != 1:
        what = ", ".join(path.name for path in found) or "none"
        raise ExportError(
            label,
            f"one *.safetensors file is exported, and there is {what}",
            "Pickles (.bin, .pt) are not read: look for a safetensors release, and keep one file in the folder.",
        )
    return found[0]


def _digest(label: str, folder: Path) -> str:
    with weights_of(label, folder).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


__all__ = ["OPEN_CLIP_CONFIG", "UNKNOWN_LICENCE", "open_checkpoint", "weights_of"]
