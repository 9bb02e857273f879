"""Writes plugins into a folder as if they were installed there, so that real discovery finds them."""

from __future__ import annotations

import textwrap
from pathlib import Path

import msgspec

from callboard.manifests import FILE_NAME

_MANIFEST = """\
id = "{id}"
name = "{id}"
version = "1.0.0"
kind = "analyse"
summary = "A plugin of a test."
license = "Apache-2.0"
events = ["media.settled"]
results = ["tags"]
"""


def write_plugin(site: Path, plugin: str, code: str, manifest: str | None = None, **keys: object) -> str:
    """Write a plugin into *site* as if it were installed there.

    Args:
        site: A folder on ``sys.path``.
        plugin: The id; the package has the same name with underscores.
        code: The package's ``__init__.py``; its indentation is taken off.
        manifest: The whole manifest, in place of a small valid one.
        keys: Further keys of the manifest, or others for its keys.

    Returns:
        The package's name.
    """
    package = plugin.replace("-", "_")
    folder = site / package
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(textwrap.dedent(code), encoding="utf-8")
    if manifest is None:
        lines = [line for line in _MANIFEST.format(id=plugin).splitlines() if line.split(" = ")[0] not in keys]
        lines += [f"{key} = {_toml(value)}" for key, value in keys.items()]
        manifest = "\n".join(lines) + "\n"
    (folder / FILE_NAME).write_text(manifest, encoding="utf-8")
    info = site / f"{package}-1.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {plugin}\nVersion: 1.0.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[callboard.plugins]\n{plugin} = {package}\n", encoding="utf-8")
    return package


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    return msgspec.json.encode(value).decode("utf-8")


__all__ = ["write_plugin"]
