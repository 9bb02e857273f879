"""Where Resolve is, and where it looks for scripts, on each system.

The folders are those of the scripting README of 24 Jul 2026; scripts under ``Utility`` are listed on every page.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

_TAIL: Final = ("Blackmagic Design", "DaVinci Resolve")


class Layout(Struct, frozen=True, kw_only=True):
    """One place where Resolve may be installed."""

    program: Path
    user: Path
    """Scripts of this user."""
    everyone: Path
    """Scripts of all users."""
    api: Path
    """What ``RESOLVE_SCRIPT_API`` names."""
    library: Path
    """What ``RESOLVE_SCRIPT_LIB`` names."""

    @property
    def found(self) -> bool:
        """Say whether Resolve, or what it made for this user, is there."""
        return self.program.exists() or self.user.parents[2].exists()


def layouts(system: str = "", home: Path | None = None, env: Mapping[str, str] | None = None) -> list[Layout]:
    """List where Resolve may be, the usual place first.

    Args:
        system: ``Linux``, ``Darwin`` or ``Windows``; this one where it is empty.
        home: The user's home folder.
        env: The environment.
    """
    system, home = system or platform.system(), home or Path.home()
    env = os.environ if env is None else env
    if system == "Darwin":
        return [_mac(home)]
    return [_windows(home, env)] if system == "Windows" else [_linux(home, Path(top)) for top in ("/opt", "/home")]


def _scripts(top: Path) -> Path:
    return top / "Fusion" / "Scripts" / "Utility"


def _mac(home: Path) -> Layout:
    shared = Path("/Library/Application Support").joinpath(*_TAIL)
    app = Path("/Applications/DaVinci Resolve/DaVinci Resolve.app")
    return Layout(
        program=app,
        user=_scripts((home / "Library" / "Application Support").joinpath(*_TAIL)),
        everyone=_scripts(shared),
        api=shared / "Developer" / "Scripting",
        library=app / "Contents" / "Libraries" / "Fusion" / "fusionscript.so",
    )


def _windows(home: Path, env: Mapping[str, str]) -> Layout:
    # the README writes %APPDATA%\Roaming, but %APPDATA% is the Roaming folder already
    roaming = Path(env.get("APPDATA") or home / "AppData" / "Roaming").joinpath(*_TAIL)
    shared = Path(env.get("PROGRAMDATA") or r"C:\ProgramData").joinpath(*_TAIL)
    program = Path(env.get("PROGRAMFILES") or r"C:\Program Files").joinpath(*_TAIL)
    return Layout(
        program=program / "Resolve.exe",
        user=_scripts(roaming / "Support"),
        everyone=_scripts(shared),
        api=shared / "Support" / "Developer" / "Scripting",
        library=program / "fusionscript.dll",
    )


def _linux(home: Path, top: Path) -> Layout:
    there = top / "resolve"
    return Layout(
        program=there / "bin" / "resolve",
        user=_scripts(home / ".local" / "share" / "DaVinciResolve"),
        everyone=_scripts(there),
        api=there / "Developer" / "Scripting",
        library=there / "libs" / "Fusion" / "fusionscript.so",
    )


def python(system: str = "", env: Mapping[str, str] | None = None) -> str:
    """Name the Python that Resolve finds for its menu scripts, as far as that can be told; empty where there is none.

    On macOS it takes ``PYTHON3HOME``, else ``/usr/local/bin/python3`` and no other; elsewhere the one on the path.
    From 21.1 on it brings one of its own.
    """
    env = os.environ if env is None else env
    if (system or platform.system()) != "Darwin":
        return shutil.which("python3", path=env.get("PATH")) or shutil.which("python", path=env.get("PATH")) or ""
    named = env.get("PYTHON3HOME")
    candidates = [Path(named) / "bin" / "python3"] if named else []
    return next((str(one) for one in (*candidates, Path("/usr/local/bin/python3")) if one.exists()), "")


__all__ = ["Layout", "layouts", "python"]
