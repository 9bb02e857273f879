"""Where Blender is on this machine: its programs, the folders each keeps for its user, and what of ours is in them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from callboard.errors import HostError
from callboard.hosting import Installation

from callboard_blender import build

_START_SECONDS: Final = 90.0
"""A first start of Blender from a slow disk takes half a minute; one that takes longer hangs."""
_MARK: Final = "CALLBOARD "
_PROBE: Final = (
    "import bpy, json, sys; u = bpy.utils.user_resource; v = bpy.app.version; print('" + _MARK + "' + json.dumps({"
    "'version': '.'.join(map(str, v)), 'python': sys.version.split()[0], 'config': u('CONFIG'), "
    "'scripts': u('SCRIPTS'), 'extensions': u('EXTENSIONS') if v >= (4, 2, 0) else ''}))"
)
_VERSION: Final = re.compile(r"^Blender (\d+\.\d+(?:\.\d+)?)", re.MULTILINE)
_SERIES: Final = re.compile(r"^\d+\.\d+$")
_BL_INFO: Final = re.compile(r'"version": \((\d+), (\d+), (\d+)\)')
_MANIFEST: Final = re.compile(r'^version = "([^"]+)"', re.MULTILINE)


class Places(NamedTuple):
    """The folders that one series of Blender keeps for its user."""

    config: Path
    scripts: Path
    extensions: Path

    def ours(self, version: str) -> Path:
        """Say where our part goes."""
        if build.flavour_for(parsed(version)) == "extension":
            return self.extensions / "user_default" / build.EXTENSION_ID
        return self.scripts / "addons" / build.LEGACY_MODULE


class Blender(NamedTuple):
    """A Blender on this machine, with its folders."""

    version: str
    program: str
    python: str
    places: Places

    def told(self) -> Installation:
        """Describe it as every host does."""
        ours = self.places.ours(self.version)
        return Installation(
            application=f"Blender {self.version}",
            version=self.version,
            program=self.program,
            folder=str(ours),
            interpreter=f"Python {self.python}, its own" if self.python else "",
            installed=installed(ours),
        )


def parsed(version: str) -> tuple[int, ...]:
    """Read a version: ``4.2.3`` as (4, 2, 3)."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def find() -> list[Blender]:
    """Find every Blender, newest first; a series of which only the user's folders are here comes without a program."""
    found = [one for program in programs() if (one := probe(program)) is not None]
    seen = {(str(one.places.config), parsed(one.version)[:2]) for one in found}
    for version, places in _left_behind():
        if (str(places.config), parsed(version)) not in seen:
            found.append(Blender(version, "", "", places))
    return sorted(found, key=lambda one: (parsed(one.version), one.program), reverse=True)


def programs() -> list[str]:
    """List Blender's programs on this machine, each once, where links lead to."""
    found: dict[str, str] = {}
    for path in (*_on_path(), *_usual()):
        if path.is_file() and os.access(path, os.X_OK):
            found.setdefault(os.path.realpath(path), str(path))
    return list(found.values())


def _on_path() -> Iterator[Path]:
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if folder:
            for name in ("blender", "blender.exe"):
                yield Path(folder) / name


def _usual() -> Iterator[Path]:
    """Give the places that Blender's installers, Steam and people who unpack archives use."""
    home = Path.home()
    if sys.platform == "darwin":
        for top in (Path("/Applications"), home / "Applications"):
            yield from sorted(top.glob("Blender*.app/Contents/MacOS/Blender"))
        return
    if sys.platform == "win32":
        for name in ("PROGRAMFILES", "PROGRAMFILES(X86)"):
            top = Path(os.environ.get(name, "C:\\Program Files"))
            yield from sorted(top.glob("Blender Foundation/Blender*/blender.exe"))
            yield from sorted(top.glob("Steam/steamapps/common/Blender/blender.exe"))
        return
    for top in (Path("/opt"), Path("/usr/local"), home, home / "apps", home / "Applications", home / "software"):
        yield from sorted(top.glob("blender*/blender"))
    yield home / ".local/share/Steam/steamapps/common/Blender/blender"
    yield Path("/snap/bin/blender")


def probe(program: str) -> Blender | None:
    """Ask a program which version it is and which folders it uses; ``None`` where it is no Blender that starts."""
    try:
        said = run(program, "-b", "--factory-startup", "--python-expr", _PROBE)
        line = next(line for line in said.splitlines() if line.startswith(_MARK))
        told: dict[str, Any] = json.loads(line.removeprefix(_MARK))
    except (HostError, StopIteration, ValueError):
        return _by_version(program)
    config = Path(told["config"])
    extensions = Path(told["extensions"]) if told["extensions"] else config.parent / "extensions"
    return Blender(told["version"], program, told["python"], Places(config, Path(told["scripts"]), extensions))


def _by_version(program: str) -> Blender | None:
    """Take the usual folders, where a program says no more than its version."""
    try:
        said = _VERSION.search(run(program, "--version"))
    except HostError:
        return None
    return Blender(said[1], program, "", usual_places(said[1])) if said else None


def run(program: str, *arguments: str) -> str:
    """Run Blender and give what it says.

    Raises:
        HostError: it does not start, takes too long, or fails.
    """
    line = f"{program} {' '.join(arguments[:3])} …"
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, errors="replace", timeout=_START_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError("blender", f"{line} did not work: {error}") from None
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip())[-400:]
        raise HostError("blender", f"{line} failed ({done.returncode}): {words}")
    return done.stdout


def tops() -> list[Path]:
    """List the folders in which Blender keeps a folder for each of its series."""
    home = Path.home()
    if sys.platform == "darwin":
        return [home / "Library/Application Support/Blender"]
    if sys.platform == "win32":
        return [Path(os.environ.get("APPDATA", home / "AppData/Roaming")) / "Blender Foundation" / "Blender"]
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return [config / "blender", home / ".var/app/org.blender.Blender/config/blender"]


def usual_places(version: str) -> Places:
    """Say where a series keeps its user's files unless it is told otherwise."""
    return _in(tops()[0] / ".".join(str(part) for part in parsed(version)[:2]))


def _in(folder: Path) -> Places:
    return Places(folder / "config", folder / "scripts", folder / "extensions")


def _left_behind() -> Iterator[tuple[str, Places]]:
    for top in tops():
        for folder in sorted(top.glob("*")) if top.is_dir() else ():
            if _SERIES.match(folder.name) and parsed(folder.name) >= build.FIRST_LEGACY:
                yield folder.name, _in(folder)


def installed(folder: Path) -> str:
    """Say which version of our part is in a folder; empty where none is."""
    for name, pattern in (("blender_manifest.toml", _MANIFEST), ("__init__.py", _BL_INFO)):
        try:
            said = pattern.search((folder / name).read_text("utf-8"))
        except (OSError, UnicodeDecodeError):
            continue
        if said:
            return ".".join(said.groups())
    return ""
