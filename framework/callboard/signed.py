"""Content credentials (C2PA) in media files: whether there are any, without a library and without changing a byte.

A file that carries credentials is bound to them by a digest of its bytes: whoever rewrites it makes them invalid.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

_MOST: Final = 64 * 1024 * 1024
"""Bytes of credentials that are read; those with thumbnails of many ingredients reach a few MiB."""
_PARTS: Final = 1_000_000
"""Boxes, chunks or segments of a file that are looked at."""
_BMFF_USER_TYPE: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # C2PA 2.2, A.5.1
_TIFF_TAG: Final = 0xCD41  # C2PA 2.2, A.3.3
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_BOXES: Final = {b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid"}
"""Types of a first box by which an ISO base media or QuickTime file is known."""


def credentials(path: Path) -> bytes:
    """Give the manifest store of a file as it is embedded: JUMBF; empty where there is none.

    Looked for in ISO base media and QuickTime, PNG, JPEG, TIFF and DNG, and RIFF (WebP, WAV, AVI).

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(16)
        file.seek(0)
        reader = _reader(start)
        try:
            return reader(file, size) if reader else b""
        except struct.error:  # cut off: what was not found up to there is not there
            return b""


def is_signed(path: Path) -> bool:
    """Tell whether a file carries content credentials, valid or not.

    Raises:
        OSError: the file cannot be read.
    """
    return bool(credentials(path))


def _reader(start: bytes) -> Callable[[BinaryIO, int], bytes] | None:
    if start.startswith(_PNG):
        return _of_png
    if start.startswith(b"\xff\xd8"):
        return _of_jpeg
    if start[:4] in (b"II*\x00", b"MM\x00*"):
        return _of_tiff
    if start[:4] in (b"RIFF", b"RF64"):
        return _of_riff
    return _of_bmff if start[4:8] in _BOXES else None


def _of_bmff(file: BinaryIO, size: int) -> bytes:
    found, at = [b""], 0
    for _ in range(_PARTS):
        if at + 8 > size:
            break
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if length == 1:
            length, head = int.from_bytes(file.read(8), "big"), 16
        length = size - at if length == 0 else length
        if length < head:
            break
        if kind == b"uuid" and file.read(16) == _BMFF_USER_TYPE:
            found.append(file.read(min(length - head - 16, _MOST)))
        at += length
    return b"".join(found)


def _of_png(file: BinaryIO, size: int) -> bytes:
    at = len(_PNG)
    for _ in range(_PARTS):
        if at + 8 > size:
            break
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        if kind == b"caBX":
            return file.read(min(length, _MOST))
        at += length + 12
    return b""


def _of_jpeg(file: BinaryIO, size: int) -> bytes:
    found, at = [b""], 2
    for _ in range(_PARTS):
        if at + 4 > size:
            break
        file.seek(at)
        mark, kind, length = struct.unpack(">BBH", file.read(4))
        if mark == 0xFF and kind == 0xFF:  # filling
            at += 1
            continue
        if mark != 0xFF or kind in (0xD9, 0xDA) or length < 2:  # the pictures begin, or it is damaged
            break
        if kind == 0xEB:
            data = file.read(length - 2)
            if data.startswith(b"JP") and (b"c2pa" in data or found != [b""]):
                found.append(data[8:])
        at += 2 + length
    return b"".join(found)


def _of_tiff(file: BinaryIO, _size: int) -> bytes:
    order = "<" if file.read(4).startswith(b"II") else ">"
    (at,) = struct.unpack(order + "I", file.read(4))
    file.seek(at)
    (count,) = struct.unpack(order + "H", file.read(2))
    for _ in range(count):
        tag, _kind, length, value = struct.unpack(order + "HHII", file.read(12))
        if tag == _TIFF_TAG:
            file.seek(value)
            return file.read(min(length, _MOST))
    return b""


def _of_riff(file: BinaryIO, size: int) -> bytes:
    at = 12
    for _ in range(_PARTS):
        if at + 8 > size:
            break
        file.seek(at, io.SEEK_SET)
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind == b"C2PA":
            return file.read(min(length, _MOST))
        at += 8 + length + length % 2
    return b""


__all__ = ["credentials", "is_signed"]
