"""Which Blender makes a scene: the one that settings name, else the first of this machine that starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from callboard.errors import Blocked
from msgspec import Struct

SCENE: Final = Path(__file__).parent / "stage" / "scene.py"
OLDEST: Final = (3, 4)
_HINT: Final = (
    "Install Blender 3.4 or newer (sudo apt install blender, or blender.org), or name one: 'blender' in "
    "[plugins.placeholder] is its program, 'blender_python' a Python with the module bpy (pip install bpy)."
)
_VERSION: Final = re.compile(r"^Blender (\d+)\.(\d+)", re.MULTILINE)
_SECONDS: Final = 60.0  # a first start from a slow disk takes half a minute


class Program(Struct, frozen=True):
    """What runs a script inside Blender."""

    path: str
    module: bool = False
    """It is a Python that has Blender as a module."""

    def command(self, order: Path, threads: int = 0) -> list[str]:
        """Give the command line that makes the scene of an order; *threads* 0 takes every core."""
        if self.module:
            return [self.path, "-I", str(SCENE), "--", str(order)]
        few = ["-t", str(threads)] if threads else []
        start = [self.path, "-b", "--factory-startup", "-noaudio", *few]
        return [*start, "--python-exit-code", "3", "--python", str(SCENE), "--", str(order)]


def find(parameters: Mapping[str, object]) -> Program:
    """Find Blender.

    Args:
        parameters: ``blender`` and ``blender_python``, paths or empty.

    Raises:
        Blocked: what they name is not there or too old, or there is none.
    """
    named, python = str(parameters.get("blender") or ""), str(parameters.get("blender_python") or "")
    for path in filter(None, (named, python)):
        if not (os.path.isfile(path) and os.access(path, os.X_OK)):
            raise Blocked(f"previs needs Blender, and {path} is no program", _HINT)
    if named:
        if (version := _version(named)) is None or version < OLDEST:
            raise Blocked(f"previs needs Blender 3.4 or newer, and {named} is none", _HINT)
        return Program(named)
    if python:
        return Program(python, module=True)
    for path in _usual():
        if (version := _version(path)) is not None and version >= OLDEST:
            return Program(path)
    raise Blocked("previs needs Blender, and there is none on this machine", _HINT)


def _usual() -> Iterator[str]:
    """Give programs on the path, then where installers and people who unpack archives put them, the newest first."""
    if found := shutil.which("blender"):
        yield found
    home = Path.home()
    if sys.platform == "darwin":
        tops, pattern = [Path("/Applications"), home / "Applications"], "Blender*.app/Contents/MacOS/Blender"
    elif sys.platform == "win32":
        tops, pattern = [Path(os.environ.get("PROGRAMFILES", "C:\\Program Files"))], "Blender Foundation/*/blender.exe"
    else:
        tops, pattern = (
            [Path("/opt"), Path("/usr/local"), home, home / "Applications", Path("/snap/bin")],
            "blender*/blender",
        )
    for top in tops:
        for path in sorted(top.glob(pattern), reverse=True):
            if os.access(path, os.X_OK):
                yield str(path)


def _version(path: str) -> tuple[int, int] | None:
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(done.stdout)
    return (int(found[1]), int(found[2])) if found else None


__all__ = ["OLDEST", "SCENE", "Program", "find"]
