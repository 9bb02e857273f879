"""Builds what goes into Resolve's menu: small scripts, and beside them one zip with all that they import."""

from __future__ import annotations

import io
import zipfile
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

ARCHIVE: Final = "callboard.zip"
"""Resolve lists .py and .lua files only, so a zip is not in its menu."""
ENTRIES: Final = {
    "Callboard": "connect",
    "Callboard - captions": "captions",
    "Callboard - tags": "tags",
    "Callboard - translation": "translation",
    "Callboard - placeholder": "placeholder",
    "Callboard - apply anyway": "anyway",
}
"""What the menu shows, and what it does."""
LUA: Final = "Callboard (Lua)"
"""What the menu shows of the script for editions that run no Python."""
MARK: Final = "Written by 'callboard hosts install resolve'"
"""In each script of ours; a file without it is nobody's but its owner's."""
_PARTS: Final = (("callboard_resolve", ("",)), ("callboard_resolve", ("inside",)), ("callboard_bridge", ("",)))
_LUA: Final = {"callboard_adapter": "adapter.lua", "callboard_serve": "serve.lua"}
"""The modules of ours in the Lua script, by the names that they are asked for by."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def script(entry: str, archive: Path, project: Path) -> str:
    """Write one menu script; paths are written in ASCII, since a script may be read in whatever locale Resolve has."""
    text = files("callboard_resolve.scripts").joinpath("entry.py").read_text("utf-8")
    for name, value in (("LIBRARY", str(archive)), ("PROJECT", str(project)), ("ENTRY", entry)):
        text = text.replace(f'\n{name} = ""\n', f"\n{name} = {value!a}\n", 1)
    return text


def lua_script(project: Path) -> str:
    """Write the Lua menu script: one file with the bridge and the adapter in it."""
    parts = [f"-- Callboard in the menu of DaVinci Resolve: Workspace > Scripts. {MARK}."]
    ours = files("callboard_resolve.scripts")
    modules = {name: ours.joinpath(file).read_text("utf-8") for name, file in _LUA.items()}
    for file in files("callboard_bridge").iterdir():
        if file.name.endswith(".lua"):
            modules[file.name.removesuffix(".lua")] = file.read_text("utf-8")
    parts += [f'package.preload["{name}"] = function(...)\n{text}\nend' for name, text in sorted(modules.items())]
    say = "function(line) print(line) end"
    parts.append(f'require("callboard_serve").main(resolve or Resolve(), {_lua_text(str(project))}, {say}, bmd.wait)')
    return "\n".join(parts) + "\n"


def _lua_text(text: str) -> str:
    """Write a text for Lua in ASCII; Lua's strings are bytes."""
    plain = (chr(byte) if byte < 128 and chr(byte).isalnum() else f"\\{byte:03d}" for byte in text.encode())
    return f'"{"".join(plain)}"'


def archive(version: str) -> bytes:
    """Build the zip; the same sources give the same bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, source in sorted(_sources().items()):
            pack.writestr(zipfile.ZipInfo(name, _EPOCH), source, zipfile.ZIP_DEFLATED)
        pack.writestr(zipfile.ZipInfo("callboard.version", _EPOCH), version)
    return written.getvalue()


def version_of(archive: Path) -> str:
    """Say which version of ours a zip holds; empty where it holds none."""
    try:
        with zipfile.ZipFile(archive) as pack:
            return pack.read("callboard.version").decode("utf-8")
    except (OSError, KeyError, zipfile.BadZipFile, UnicodeDecodeError):
        return ""


def is_ours(path: Path) -> bool:
    """Say whether a file in Resolve's folder was written by us."""
    if path.name == ARCHIVE:
        return bool(version_of(path))
    try:
        return MARK in path.read_text("utf-8", "replace")[:2000]
    except OSError:
        return False


def _sources() -> dict[str, bytes]:
    """Give the modules by their place in the zip: of our own package only what needs nothing but Python."""
    found: dict[str, bytes] = {}
    for package, (folder,) in _PARTS:
        top = files(package).joinpath(folder) if folder else files(package)
        for module in top.iterdir():
            if _belongs(module, package, folder):
                found["/".join(filter(None, (package, folder, module.name)))] = module.read_bytes()
    return found


def _belongs(module: Traversable, package: str, folder: str) -> bool:
    if not module.name.endswith(".py"):
        return False
    return package != "callboard_resolve" or bool(folder) or module.name == "__init__.py"


__all__ = ["ARCHIVE", "ENTRIES", "LUA", "MARK", "archive", "is_ours", "lua_script", "script", "version_of"]
