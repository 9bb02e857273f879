"""Reads tensors out of torch's files without torch, and without running what a pickle may ask for.

A ``.pth`` file is a pickle of names, shapes and offsets, beside raw numbers. The pickle is first read as a list of
opcodes and refused unless each is one that a state dict needs; only then is it unpickled, with nothing but stand-ins
to call. Formats: the zip archive of torch 1.6 and later, and the older run of pickles.
"""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import numpy as np
from msgspec import Struct

from callboard.errors import WeightsRefused

Array = np.ndarray[Any, Any]

MOST_BYTES: Final = 1 << 30
"""Of a weights file; the largest that is read here has 91 MB."""
_MOST_PICKLE = 4 << 20  # the pickle of 154 tensors has 17 KB
_MOST_TENSORS = 10_000
_MOST_AXES = 8
_MAGIC = 0x1950A86A20F9469CFC6C  # torch/serialization.py, MAGIC_NUMBER
_PROTOCOL = 1001
_TYPES: Final[dict[str, np.dtype[Any]]] = {
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}
_OPCODES: Final = frozenset(
    {"PROTO", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE"}
    | {
        "BINFLOAT",
        "EMPTY_TUPLE",
        "TUPLE",
        "TUPLE1",
        "TUPLE2",
        "TUPLE3",
        "EMPTY_LIST",
        "APPEND",
        "APPENDS",
        "EMPTY_DICT",
    }
    | {"SETITEM", "SETITEMS", "GLOBAL", "REDUCE", "BUILD", "BINPERSID"}
    | {"BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"}
)
"""What torch writes (pickle protocol 2), and nothing that makes objects by other ways."""


class _Kind(Struct, frozen=True):
    """Stands for a storage class."""

    name: str


class _Storage(Struct, frozen=True):
    kind: _Kind
    key: str
    count: int


class _View(Struct, frozen=True):
    """A tensor before its numbers are read. All frozen: a pickle's BUILD cannot change it."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Rebuild:
    """Stands for ``torch._utils._rebuild_tensor_v2``. Without a ``__dict__``, so that no pickle can leave a mark."""

    __slots__ = ()

    def __call__(self, storage: object, offset: object, shape: object, strides: object, *_: object) -> _View:
        sizes = (shape, strides)
        if not isinstance(storage, _Storage) or not _count(offset) or not all(_counts(size) for size in sizes):
            raise pickle.UnpicklingError("a tensor is described by something else than numbers")
        return _View(storage, cast("int", offset), cast("tuple[int, ...]", shape), cast("tuple[int, ...]", strides))


class _Unpickler(pickle.Unpickler):
    def __init__(self, content: BinaryIO, met: dict[str, int]) -> None:
        super().__init__(content)
        self._met = met

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Rebuild()
        if module == "torch" and name in _TYPES:
            return _Kind(name)
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", _Kind() as kind, str() as key, str(), int() as count, *view) if not any(view):
                self._met[key] = _TYPES[kind.name].itemsize
                return _Storage(kind, key, count)
        raise pickle.UnpicklingError("it refers to something that is no storage")


def read_torch(path: Path, most: int = MOST_BYTES, part: str = "") -> dict[str, Array]:
    """Read the state dict in a ``.pth`` or ``.pt`` file.

    Args:
        path: The file.
        most: Bytes that the file may have.
        part: Name of the state dict in a checkpoint, which has more beside it; the file is one where it is empty.

    Returns:
        Arrays by name, each its own, contiguous, of the file's dtype and shape.

    Raises:
        WeightsRefused: the file is damaged or too large, or holds anything but tensors.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise WeightsRefused(path.name, f"it has {size:,} bytes; at most {most:,} are read")
        try:
            return _from_zip(file, size, part) if zipfile.is_zipfile(file) else _from_run(file, part)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise WeightsRefused(path.name, f"it is no archive that torch wrote ({error})") from None
        # A hostile pickle that passed the lists can still fail in any of these ways.
        except (pickle.UnpicklingError, ValueError, TypeError, AttributeError, LookupError, EOFError) as error:
            raise WeightsRefused(path.name, str(error)) from None


def _from_zip(file: BinaryIO, size: int, part: str) -> dict[str, Array]:
    with zipfile.ZipFile(file) as archive:
        members = {name.partition("/")[2]: info for name, info in archive.NameToInfo.items()}
        if any(info.compress_type != zipfile.ZIP_STORED for info in members.values()):
            raise ValueError("its members are compressed; torch never does that")
        if sum(info.file_size for info in members.values()) > size or "data.pkl" not in members:
            raise ValueError("its members do not fit into it, or data.pkl is not among them")
        if "byteorder" in members and archive.read(members["byteorder"]) != b"little":
            raise ValueError("its numbers are big-endian")
        views = _views(_unpickle(io.BytesIO(archive.read(members["data.pkl"]))), part)
        storages: dict[str, bytes] = {}
        for view in views.values():
            key = view.storage.key
            if key not in storages:
                storages[key] = archive.read(members[f"data/{key}"])
        return {name: _array(view, storages[view.storage.key]) for name, view in views.items()}


def _from_run(file: BinaryIO, part: str) -> dict[str, Array]:
    file.seek(0)
    content = io.BytesIO(file.read())
    if _unpickle(content) != _MAGIC or _unpickle(content) != _PROTOCOL:
        raise ValueError("it is neither a zip archive nor a file of an older torch")
    system = _unpickle(content)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise ValueError("its numbers are big-endian")
    sizes: dict[str, int] = {}
    views = _views(_unpickle(content, sizes), part)
    keys = _unpickle(content)
    storages: dict[str, bytes] = {}
    for key in keys if isinstance(keys, list) else ():
        length = content.read(8)
        count = int.from_bytes(length, "little")
        left = content.getbuffer().nbytes - content.tell()
        if key not in sizes or len(length) < 8 or count * sizes[key] > left:
            raise ValueError(f"storage {key!r} is not named, or ends before its {count} numbers")
        storages[key] = content.read(count * sizes[key])
    return {name: _array(view, storages[view.storage.key]) for name, view in views.items()}


def _unpickle(content: io.BytesIO, met: dict[str, int] | None = None) -> object:
    """Read the next pickle: its opcodes first. *met* takes the bytes of a number in each storage it names."""
    start = content.tell()
    for opcode, argument, place in pickletools.genops(content):
        if opcode.name not in _OPCODES or place is None or place - start > _MOST_PICKLE:
            raise ValueError(f"its pickle is too long, or asks for {opcode.name}")
        if opcode.name == "LONG_BINPUT" and (argument or 0) > _MOST_PICKLE:
            raise ValueError("its pickle asks for a place beyond its own length")  # memory is taken up to there
    end = content.tell()
    content.seek(start)
    value: object = _Unpickler(io.BytesIO(content.read(end - start)), {} if met is None else met).load()
    return value


def _views(state: object, part: str) -> Mapping[str, _View]:
    if part:
        state = state.get(part) if isinstance(state, dict) else None
    if not isinstance(state, dict) or len(state) > _MOST_TENSORS:
        raise ValueError("it holds no state dict")
    for name, view in state.items():
        if not isinstance(name, str) or not isinstance(view, _View):
            raise pickle.UnpicklingError(f"{name!r} is no tensor")
    return state


def _array(view: _View, raw: bytes) -> Array:
    kind = _TYPES[view.storage.kind.name]
    held = len(raw) // kind.itemsize
    numbers = 1
    for length in view.shape:
        numbers *= length
    last = view.offset + sum(max(length - 1, 0) * step for length, step in zip(view.shape, view.strides, strict=True))
    # More numbers than are stored would be one number repeated: a small file could ask for any amount of memory.
    if len(view.shape) > _MOST_AXES or numbers > held or (numbers and last >= held):
        raise ValueError(f"a tensor of shape {view.shape} reaches beyond its {held} numbers")
    flat = np.frombuffer(raw, kind)[view.offset :]
    steps = tuple(step * kind.itemsize for step in view.strides)
    return np.lib.stride_tricks.as_strided(flat, view.shape, steps, writeable=False).copy(order="C")


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_BYTES


def _counts(values: object) -> bool:
    return isinstance(values, tuple) and all(_count(value) for value in values)


__all__ = ["MOST_BYTES", "read_torch"]
