"""Builds the add-on: one source, a zip for Blender 4.2 and newer, and one for Blender 3.4 to 4.1.

``python -m callboard_blender.build FOLDER`` writes both, for people who install an add-on by hand.
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
from pathlib import Path
from typing import Final, Literal

import callboard_bridge

from callboard_blender import addon

Flavour = Literal["extension", "legacy"]

EXTENSION_ID: Final = "callboard"
LEGACY_MODULE: Final = "callboard_addon"
"""The folder inside the zip for Blender before 4.2, and so the module's name there; not ``callboard``, which is the
engine's own name wherever Blender runs on the system's Python."""
FIRST_EXTENSION: Final = (4, 2)
FIRST_LEGACY: Final = (3, 4)
_SOURCE: Final = Path(__file__).parent / "addon"
_DATE: Final = (2020, 1, 1, 0, 0, 0)
"""Of every file in a zip, so that the same source always gives the same bytes."""
_OWN_IMPORT: Final = re.compile(r"^(\s*)from callboard_bridge(?:\.(\w+))? import ", re.MULTILINE)
_OWN_NAME: Final = re.compile(r"^\s*(?:from|import) callboard_bridge\b", re.MULTILINE)

MANIFEST: Final = """schema_version = "1.0.0"
id = "{id}"
version = "{version}"
name = "Callboard"
tagline = "Captions, tags and placeholders, reviewed inside Blender"
maintainer = "Callboard developers"
type = "add-on"
tags = ["Sequencer", "Pipeline"]
blender_version_min = "4.2.0"
license = ["SPDX:GPL-3.0-or-later"]
copyright = ["2026 Callboard developers"]

[permissions]
network = "Talk to the Callboard that runs for your project"
files = "Read where Callboard runs, and place its results in your project"
"""

LICENCE: Final = """Callboard for Blender

This add-on is free software: you can redistribute it and/or modify it under the terms of the GNU General Public License
as published by the Free Software Foundation, either version 3 of the License, or (at your option) any later version.
It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY. The text of the licence is at
https://www.gnu.org/licenses/gpl-3.0.txt, and Blender shows it in its splash screen under "License".

SPDX-License-Identifier: GPL-3.0-or-later

Why: Blender asks this of add-ons, which use its Python interface. The same files are also part of the Callboard project
and are there under the Apache License 2.0, which may be combined with the GPL, version 3. What runs outside Blender is
under the Apache License 2.0 alone.
"""


def version() -> str:
    """Give the version of our part, as ``1.2.3``; Blender takes no other form."""
    return ".".join(str(part) for part in addon.bl_info["version"])


def flavour_for(blender: tuple[int, ...]) -> Flavour:
    """Say which zip a version of Blender takes."""
    return "extension" if blender[:2] >= FIRST_EXTENSION else "legacy"


def files(flavour: Flavour) -> dict[str, bytes]:
    """Give every file of the add-on by its path inside the add-on's folder, sorted."""
    found = _python(_SOURCE) | {f"bridge/{path}": body for path, body in bridge().items()}
    found["LICENSE"] = LICENCE.encode()
    if flavour == "extension":
        found["blender_manifest.toml"] = MANIFEST.format(id=EXTENSION_ID, version=version()).encode()
    return dict(sorted(found.items()))


def bridge() -> dict[str, bytes]:
    """Give the files of the bridge that it needs to run, importing one another from wherever they lie.

    Raises:
        ValueError: one of them imports the bridge in a way that only works where it is installed.
    """
    source = _python(Path(callboard_bridge.__file__).parent)
    made: dict[str, bytes] = {}
    wanted = ["__init__"]
    while wanted:
        path = f"{wanted.pop()}.py"
        if path in made or path not in source:
            continue
        text = source[path].decode("utf-8")
        wanted += [found[2] or "__init__" for found in _OWN_IMPORT.finditer(text)]
        text = _OWN_IMPORT.sub(lambda found: f"{found[1]}from .{found[2] or ''} import ", text)
        if _OWN_NAME.search(text):
            raise ValueError(f"{path} of the bridge imports itself by name")
        made[path] = text.encode("utf-8")
    return made


def _python(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def archive(flavour: Flavour) -> bytes:
    """Build a zip; the same source gives the same bytes."""
    top = f"{LEGACY_MODULE}/" if flavour == "legacy" else ""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for path, body in files(flavour).items():
            entry = zipfile.ZipInfo(top + path, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whatever this runs on: the byte is part of the zip
            entry.external_attr = 0o100644 << 16
            target.writestr(entry, body, compresslevel=9)
    return made.getvalue()


def name(flavour: Flavour) -> str:
    """Say what the zip is called."""
    first = FIRST_EXTENSION if flavour == "extension" else FIRST_LEGACY
    return f"callboard-{version()}-blender-{first[0]}.{first[1]}.zip"


def build(folder: Path) -> list[Path]:
    """Write both zips into *folder*, which is made if need be.

    Returns:
        Their paths, the one for newer Blenders first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    flavours: tuple[Flavour, ...] = ("extension", "legacy")
    for flavour in flavours:
        path = folder / name(flavour)
        path.write_bytes(archive(flavour))
        made.append(path)
    return made


if __name__ == "__main__":
    for written in build(Path(sys.argv[1] if len(sys.argv) > 1 else "dist")):
        sys.stdout.write(f"{written}\n")
