"""Which plugins are there: found through entry points and told by their manifests, without importing any."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from callboard_schemas import Manifest
from msgspec import Struct
from msgspec.structs import replace

from callboard.errors import CallboardError, ManifestError, PluginError
from callboard.manifests import FILE_NAME, load_manifest, nearest, resolve_parameters
from callboard.process_group import clean_environment, signal_name

GROUP = "callboard.plugins"
"""The entry-point group; a name is a plugin's id, its value the package with ``manifest.toml``."""
OURS = "callboard"
CHECK_SECONDS = 60.0
"""How long ``check`` lets an import take; the pool gives a plugin as long to load."""


class Found(Struct, frozen=True, kw_only=True):
    """A plugin that an installed distribution offers; broken ones are found too."""

    id: str
    package: str
    distribution: str = ""
    distribution_version: str = ""
    builtin: bool = False
    """Whether it comes with Callboard itself."""
    allowed: bool = True
    """Built in, or named in ``allow_plugins``; others are listed and never imported."""
    manifest: Manifest | None = None
    manifest_path: str = ""
    error: str = ""
    """Why it cannot be used: what, where and the rule."""
    missing: tuple[str, ...] = ()
    """Imports that its manifest requires and that are not installed."""

    @property
    def usable(self) -> bool:
        """Whether jobs may be given to it."""
        return self.manifest is not None and self.allowed and not self.error


def discover(allow: Sequence[str] = ()) -> list[Found]:
    """Find every plugin, in order of id, without importing one.

    Args:
        allow: Ids of the third-party plugins that may run; the others are found with ``allowed`` false.
    """
    found: dict[str, Found] = {}
    for entry, dist in entries(GROUP):
        one = _look(entry, dist, allow)
        first = found.get(one.id)
        if first is not None:
            found[one.id] = _doubled(first, one)
        else:
            found[one.id] = one
    return sorted(found.values(), key=lambda one: one.id)


def _doubled(first: Found, second: Found) -> Found:
    """Let nobody take over a built-in plugin's id, and nobody guess between two others."""
    if first.builtin or second.builtin:
        return first if first.builtin else second
    names = f"{first.distribution or first.package} and {second.distribution or second.package}"
    return replace(first, error=f"plugin {first.id!r}: two distributions offer it, {names}; uninstall one")


def entries(group: str) -> Iterator[tuple[importlib.metadata.EntryPoint, importlib.metadata.Distribution]]:
    """Give the entry points of a group, each with who offers it; one with broken metadata hides no other."""
    seen: set[str] = set()
    for dist in importlib.metadata.distributions():
        try:
            text = dist.read_text("entry_points.txt")
            if not text or group not in text:
                continue
            name = re.sub(r"[-_.]+", "-", dist.metadata["Name"] or "").lower()
            if name in seen:
                continue
            seen.add(name)
            offered = [entry for entry in dist.entry_points if entry.group == group]
        except Exception:  # noqa: BLE001, S112 - another distribution's broken metadata is not ours to report
            continue
        yield from ((entry, dist) for entry in offered)


def _look(entry: importlib.metadata.EntryPoint, dist: importlib.metadata.Distribution, allow: Sequence[str]) -> Found:
    builtin = dist.metadata["Name"] == OURS
    found = Found(
        id=entry.name,
        package=entry.value.strip(),
        distribution=dist.metadata["Name"] or "",
        distribution_version=dist.metadata["Version"] or "",
        builtin=builtin,
        allowed=builtin or entry.name in allow,
    )
    try:
        path = _manifest_path(found)
        manifest = load_manifest(path, found.id)
        if manifest.id != found.id:
            rule = f"id: {manifest.id!r} is not the name of its entry point, {found.id!r}"
            raise ManifestError(found.id, f"{path}: {rule}")
    except CallboardError as error:
        return replace(found, error=str(error))
    missing = tuple(name for name in manifest.requires if not _installed(name))
    return replace(found, manifest=manifest, manifest_path=str(path), missing=missing)


def _manifest_path(found: Found) -> Path:
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", found.package):
        raise PluginError(found.id, f"its entry point must name a package, not {found.package!r}")
    spec = _find(found.package)
    if spec is None:
        raise PluginError(found.id, f"package {found.package!r} is not installed where {found.distribution!r} says")
    if not spec.submodule_search_locations:
        raise PluginError(found.id, f"{found.package!r} is a module; a plugin is a package with a {FILE_NAME}")
    folders = [Path(folder) for folder in spec.submodule_search_locations]
    return next((folder / FILE_NAME for folder in folders if (folder / FILE_NAME).is_file()), folders[0] / FILE_NAME)


def _find(name: str) -> ModuleSpec | None:
    """Find a module without importing it: ``importlib.util.find_spec`` imports the parents of a dotted name."""
    first, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(first)
    except (ImportError, ValueError):
        return None
    done = first
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        done = f"{done}.{part}"
        spec = PathFinder.find_spec(done, list(spec.submodule_search_locations))
    return spec


def _installed(name: str) -> bool:
    return _find(name) is not None


def check(found: Found) -> list[str]:
    """Import *found* in a process of its own and say everything that is wrong with it.

    Returns:
        Problems in words; empty when the plugin loads and answers ``callboard_handle``.
    """
    problems = [found.error.split("\n")[0]] if found.error else []
    problems += [f"needs {name!r}, which is not installed{_extras(found)}" for name in found.missing]
    if found.manifest is None or problems:
        return problems
    command = [sys.executable, "-P", "-m", "callboard.plugin.check", found.package, found.id]
    try:
        # stdout is the plugin's to print on; the answer comes on the last line
        done = subprocess.run(
            command, capture_output=True, timeout=CHECK_SECONDS, check=False, env=clean_environment("check")
        )
    except subprocess.TimeoutExpired:
        return [f"importing {found.package!r} did not end in {CHECK_SECONDS:g} s"]
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    try:
        answer = json.loads(lines[-1]) if lines else None
    except ValueError:
        answer = None
    if isinstance(answer, list):
        return [str(problem) for problem in answer]
    return [f"importing {found.package!r} ended the process: {signal_name(done.returncode)}"]


def _extras(found: Found) -> str:
    if found.manifest is None or not found.manifest.extras:
        return ""
    return f"; install it with: pip install '{found.distribution}[{','.join(found.manifest.extras)}]'"


__all__ = ["GROUP", "Found", "check", "discover", "entries", "load_manifest", "nearest", "resolve_parameters"]
