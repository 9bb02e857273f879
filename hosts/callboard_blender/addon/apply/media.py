"""What a file is to the sequencer, and the frames that lie beside it."""

from __future__ import annotations

import os
import re
from typing import Final

from ..inside import bpy

_NUMBERED: Final = re.compile(r"^(.*?)(\d+)(\.[^.]+)$")


def kind_of(path: str) -> str:
    """Give the type of strip that shows a file: ``IMAGE``, ``MOVIE``, ``SOUND``; empty for any other file."""
    suffix = os.path.splitext(path)[1].lower()
    kinds = (
        ("IMAGE", bpy.path.extensions_image),
        ("MOVIE", bpy.path.extensions_movie),
        ("SOUND", bpy.path.extensions_audio),
    )
    return next((kind for kind, suffixes in kinds if suffix in suffixes), "")


def sequence(path: str) -> list[str]:
    """Give the file names of the numbered frames that begin with *path*, without a gap; its own name alone if none."""
    folder, name = os.path.split(path)
    match = _NUMBERED.match(name)
    if match is None:
        return [name]
    stem, number, suffix = match.groups()
    there = set(os.listdir(folder))
    names = [name]
    while (following := f"{stem}{int(number) + len(names):0{len(number)}d}{suffix}") in there:
        names.append(following)
    return names
