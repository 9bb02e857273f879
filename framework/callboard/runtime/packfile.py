"""What a model pack's TOML file says. The digest of a pack is part of the key of every job that uses it."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

FORMATS: Final = {
    "onnxruntime": frozenset({".onnx", ".onnx_data", ".data", ".json", ".txt"}),
    "ctranslate2": frozenset({".bin", ".json", ".txt"}),
    "torch": frozenset({".safetensors", ".json", ".txt"}),
}
"""Engine to the file suffixes that it takes. ``.bin`` is CTranslate2's own flat format there, never a pickle."""

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
    source: PackageSource | FileSource
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()
    memory_mb: Annotated[int, Meta(ge=1)] = 256
    options: dict[str, str | int | float | bool | tuple[str, ...]] = {}
    origin: str = ""
    """The TOML file that this was read from; never written in it."""
    problem: str = ""
    """Why the pack cannot be used; empty for a good one."""

    @property
    def digest(self) -> str:
        """Hex SHA-256 over name, version and file digests; reads no file."""
        lines = [self.name, self.version, *sorted(f"{file.sha256} {file.path}" for file in self.files)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


class PackStatus(Struct, frozen=True, kw_only=True):
    """What ``callboard models list`` says of one pack; *bytes* is the size of all its files."""

    name: str
    version: str
    task: str
    engine: str
    license: str
    state: Literal["ready", "missing", "altered", "bad"]
    bytes: int = 0
    folder: str = ""
    problem: str = ""
    hint: str = ""


__all__ = ["FORMATS", "FileSource", "Pack", "PackFile", "PackStatus", "PackageSource", "Tensor"]
