"""Vectors of texts that are asked for again and again, such as a vocabulary's prompts, kept in files by digest."""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import platformdirs

from callboard.replacing import replacing

if TYPE_CHECKING:
    from callboard.embed.embedder import TextEmbedder

Array = np.ndarray[Any, Any]

_HEAD: Final = struct.Struct("<8s32sII")
"""Mark, SHA-256 of what follows, rows, columns; then float32, little endian."""
_MARK: Final = b"CBVECS1\n"
_MOST_FILES: Final = 32


def cache_folder() -> Path:
    """Say where vectors are kept when no project says where: in the user's cache."""
    return Path(platformdirs.user_cache_dir("callboard", appauthor=False)) / "vectors"


class TextCache:
    """Keeps what a ``TextEmbedder`` gave, one file for each list of texts and model; a damaged file is made again."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use *folder*, or the user's cache; it is made when first needed."""
        self._folder = folder or cache_folder()

    def embed(self, embedder: TextEmbedder, texts: Sequence[str]) -> Array:
        """Give what ``embedder.embed(texts)`` gives, from the cache where it can.

        Raises:
            ModelMissing: they are not in the cache, and the model is not here.
        """
        path = self._path(embedder, texts)
        found = _read(path, len(texts))
        if found is None:
            found = embedder.embed(texts)
            with contextlib.suppress(OSError):  # a cache that cannot be written is only slower
                _write(path, found)
                _prune(self._folder)
        return found

    def _path(self, embedder: TextEmbedder, texts: Sequence[str]) -> Path:
        digest = hashlib.sha256(embedder.pack.digest.encode())
        for text in texts:
            content = text.encode("utf-8", "surrogatepass")
            digest.update(struct.pack("<Q", len(content)) + content)
        return self._folder / f"{digest.hexdigest()}.vectors"


def _read(path: Path, rows: int) -> Array | None:
    """Read a file; None where there is none, or it is not what was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if len(content) < _HEAD.size:
        return None
    mark, digest, height, width = _HEAD.unpack_from(content)
    body = content[_HEAD.size :]
    whole = hashlib.sha256(content[40 : _HEAD.size] + body).digest() == digest
    if mark != _MARK or not whole or height != rows or len(body) != height * width * 4:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # those used last are kept
    return np.frombuffer(body, "<f4").reshape(height, width).astype(np.float32)


def _write(path: Path, vectors: Array) -> None:
    body = np.ascontiguousarray(vectors, "<f4").tobytes()
    size = struct.pack("<II", *vectors.shape)
    digest = hashlib.sha256(size + body).digest()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(_MARK + digest + size + body)


def _prune(folder: Path) -> None:
    files = sorted(folder.glob("*.vectors"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in files[_MOST_FILES:]:
        path.unlink(missing_ok=True)


__all__ = ["TextCache", "cache_folder"]
