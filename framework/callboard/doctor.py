"""The doctor: looks at everything Callboard needs on this machine, and says how to mend what is missing.

Each check is a small function that gives findings; none of them changes anything.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from callboard import filesystems, glossary, vocabulary
from callboard.bus import binary, dial
from callboard.catalog import view
from callboard.catalog.migrations import version
from callboard.checkups import Finding, Level, checkups
from callboard.config import Project
from callboard.discovery import discover
from callboard.errors import CallboardError, UsageError
from callboard.hosting.packages import hosts, look
from callboard.lock import held
from callboard.manifests import resolve_parameters
from callboard.own_files import missing
from callboard.packs import download_size, packs_of, status
from callboard.sending import sent
from callboard.sources.roots import filesystem

_ROOM = 1 << 30
"""Bytes that should be free on the disk of the data folder: the catalog, the broker's store and logs grow."""
_WATCHES = 65536
"""inotify watches under which a large tree falls back to polling."""


def examine(project: Project) -> list[Finding]:
    """Look at everything; a check that breaks is itself a finding."""
    findings: list[Finding] = []
    for check in _CHECKS:
        try:
            findings += check(project)
        except (CallboardError, OSError, sqlite3.Error) as error:
            message = getattr(error, "message", str(error))
            findings.append(Finding(_name(check), "problem", message, getattr(error, "hint", "")))
    return findings


def _name(check: Callable[[Project], Iterator[Finding]]) -> str:
    return check.__name__.strip("_").replace("_", " ")


def _python(_project: Project) -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    yield Finding(
        "python",
        "ok" if good else "problem",
        f"{found} at {sys.executable}",
        "" if good else "Install Python 3.11 or newer.",
    )


def _extras(_project: Project) -> Iterator[Finding]:
    for what, modules, extra in (
        ("decoding (PyAV, Pillow)", ("av", "PIL", "numpy"), "media"),
        ("onnxruntime", ("onnxruntime",), "cpu"),
        ("speech (faster-whisper)", ("faster_whisper", "ctranslate2"), "caption"),
        ("on-screen text (rapidocr)", ("rapidocr", "cv2"), "autotag"),
    ):
        missing = [name for name in modules if importlib.util.find_spec(name) is None]
        if missing:
            yield Finding(what, "problem", f"not installed: {', '.join(missing)}", f"pip install 'callboard[{extra}]'")
        else:
            yield Finding(what, "ok", "installed")


def _ffmpeg_libraries(_project: Project) -> Iterator[Finding]:
    if importlib.util.find_spec("av") is None:
        return
    code = "import av; print(av.__version__, *(f'{name} {number[0]}' for name, number in av.library_versions.items()))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    if told.returncode:
        last = (told.stderr.strip().splitlines() or ["no reason given"])[-1]
        yield Finding("ffmpeg libraries", "problem", last, "pip install --force-reinstall av")
    else:
        yield Finding("ffmpeg libraries", "ok", "PyAV " + told.stdout.strip())


def _models(project: Project) -> Iterator[Finding]:
    must = {
        name
        for one in discover(project.settings.allow_plugins)
        if one.manifest is not None and one.allowed
        for name in one.manifest.models
    }
    for pack in packs_of(project.settings.runtime).values():
        one = status(pack)
        if one.state == "ready":
            yield Finding(f"model {one.name}", "ok", f"{one.bytes / 1e6:.1f} MB, {one.license}")
        elif one.state == "missing" and (size := download_size(pack)):
            found = f"needs a pull of {size / 1e6:.1f} MB ({one.license}): {pack.summary}"
            yield Finding(f"model {one.name}", "problem" if one.name in must else "note", found, one.hint)
        else:
            yield Finding(f"model {one.name}", "problem", f"{one.state}: {one.problem}", one.hint)


def _plugins(project: Project) -> Iterator[Finding]:
    for one in discover(project.settings.allow_plugins):
        if one.error:
            yield Finding(f"plugin {one.id}", "problem", one.error, f"callboard plugins check {one.id}")
        elif one.missing:
            extras = ",".join(one.manifest.extras) if one.manifest else ""
            needs = f"{one.distribution}[{extras}]" if extras else " ".join(one.missing)
            yield Finding(f"plugin {one.id}", "problem", f"needs {', '.join(one.missing)}", f"pip install '{needs}'")
        elif not one.allowed:
            yield Finding(
                f"plugin {one.id}",
                "note",
                "installed, not allowed to run",
                f'allow_plugins = ["{one.id}"] in callboard.toml',
            )
        else:
            yield Finding(f"plugin {one.id}", "ok", one.manifest.version if one.manifest else "")


def _settings(project: Project) -> Iterator[Finding]:
    """Look for settings that fit their types and still name what is not there."""
    settings, plugins = project.settings, {one.id: one for one in discover(project.settings.allow_plugins)}
    known = ", ".join(plugins) or "none"
    for name in sorted({*settings.plugins, *settings.policy.thresholds, *settings.allow_plugins} - {*plugins}):
        yield Finding("settings", "problem", f"no plugin {name!r} is installed", f"Installed: {known}.")
    for name, given in settings.plugins.items():
        manifest = plugins[name].manifest if name in plugins else None
        try:
            if manifest is not None:
                whole = resolve_parameters(manifest, given.parameters)
                for error in missing(manifest, whole, project.folder):
                    yield Finding(f"settings of {name}", "problem", error.message, error.hint)
        except UsageError as error:
            yield Finding(f"settings of {name}", "problem", error.message, error.hint)
    broker = settings.broker
    files = (broker.creds, broker.nkey_seed, broker.tls_ca, broker.tls_cert, broker.tls_key)
    for path in filter(None, (settings.runtime.models, *files)):
        if not Path(path).exists():
            yield Finding("settings", "problem", f"{path} is not there", "Mend the path in callboard.toml, or make it.")


def _sending(project: Project) -> Iterator[Finding]:
    """Say where plugins send what they work on: nothing leaves the machine unasked."""
    for manifest, places in sent(discover(project.settings.allow_plugins), project.settings):
        where = ", ".join(places)
        hint = f"To keep it here: empty {', '.join(manifest.sends_to)} of {manifest.id} in callboard.toml."
        yield Finding("privacy", "note", f"{manifest.id} sends what it works on to {where}", hint)


def _vocabulary(project: Project) -> Iterator[Finding]:
    path = project.vocabulary
    if path is not None and path.exists():
        yield Finding("vocabulary", "ok", f"{len(vocabulary.load(path).concepts)} concepts, nothing wrong")


def _glossary(project: Project) -> Iterator[Finding]:
    path = project.glossary
    if path is not None and path.exists():
        yield Finding("glossary", "ok", f"{len(glossary.load(path).term)} terms, nothing wrong")


def _broker(project: Project) -> Iterator[Finding]:
    own = project.settings.broker
    if own.url:
        places = ", ".join(dial.places(own))
        yield Finding("broker", "note", f"your own at {places}; 'callboard status' says if it answers")
        for place in dial.in_the_clear(own):
            mend = "Write tls:// for nats:// in [broker] url, and name its CA as tls_ca if it is your own."
            yield Finding("broker", "note", f"{place} is spoken to without TLS: others on the way can read it", mend)
        return
    path = binary.find_binary()
    yield Finding("broker", "ok", f"nats-server {asyncio.run(binary.check_version(path))} at {path}")
    kind = filesystems.kind_of(project.data)
    if filesystems.is_remote(kind):
        mend = "Move the project to a local disk, or set [broker] url in callboard.toml."
        yield Finding(
            "broker store", "problem", f"{project.data} is on {kind}, which does not keep what is synced", mend
        )


def _data_folder(project: Project) -> Iterator[Finding]:
    folder = project.data
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        yield Finding(
            "data folder",
            "problem",
            f"{folder} cannot be written",
            "Give yourself write permission, or init elsewhere.",
        )
    free = shutil.disk_usage(folder).free
    level: Level = "ok" if free > _ROOM else "problem"
    yield Finding(
        "disk",
        level,
        f"{free / 1e9:.1f} GB free at {folder}",
        "" if level == "ok" else "Make room; work is kept meanwhile.",
    )


def _catalog(project: Project) -> Iterator[Finding]:
    with view(project.data) as catalog:
        if not catalog.path.exists():
            yield Finding("catalog", "ok", "none yet")
            return
        problem = catalog.read(lambda conn: conn.execute("PRAGMA quick_check(1)").fetchone()[0])
        if problem == "ok":
            yield Finding("catalog", "ok", f"version {catalog.read(version)}, intact")
        else:
            yield Finding("catalog", "problem", problem, "Stop the board and put back a .bak copy, or move it aside.")
    owner = held(project.data)
    yield Finding("board", "note", owner or "not running")


def _watch_folders(project: Project) -> Iterator[Finding]:
    for watch in project.settings.watch:
        folder = (project.folder / watch.path).absolute()
        what = f"watch folder {watch.name}"
        if not folder.is_dir():
            yield Finding(
                what, "problem", f"{folder} is not there", "Make it or mount it; nothing is forgotten meanwhile."
            )
            continue
        where = filesystem(str(folder))
        how = "listened to" if where.local and watch.mode != "poll" else f"looked at every {watch.poll:g} s"
        yield Finding(what, "ok", f"{folder} on {where.kind or 'an unknown file system'}, {how}")


def _watch_limits(_project: Project) -> Iterator[Finding]:
    limit = Path("/proc/sys/fs/inotify/max_user_watches")
    if not limit.exists():
        return
    watches = int(limit.read_text())
    if watches < _WATCHES:
        mend = f"sudo sysctl fs.inotify.max_user_watches={_WATCHES * 8}; until then a larger tree is polled"
        yield Finding("watch limit", "note", f"{watches} folders", mend)
    else:
        yield Finding("watch limit", "ok", f"{watches} folders")


def _hosts(_project: Project) -> Iterator[Finding]:
    """Say in which applications Callboard is, or could be; 'callboard hosts doctor' looks closer."""
    for one in map(look, hosts()):
        name = one.found.name
        if one.problem is not None:
            yield Finding(f"host {name}", "problem", one.problem.message, one.problem.hint)
        for place in one.installations:
            if not place.folder:
                run = f"callboard hosts run {name} PATH serves its projects"
                yield Finding(f"host {name}", "ok", f"{place.application} is here", run)
            elif place.installed:
                yield Finding(f"host {name}", "ok", f"Callboard {place.installed} is in {place.application}")
            else:
                put = f"callboard hosts install {name}" + (f" --where {place.version}" if place.version else "")
                yield Finding(f"host {name}", "note", f"Callboard is not in {place.application}", put)


_CHECKS: tuple[Callable[[Project], Iterator[Finding]], ...] = (
    _python,
    _extras,
    _ffmpeg_libraries,
    _models,
    _plugins,
    checkups,
    _settings,
    _sending,
    _vocabulary,
    _glossary,
    _broker,
    _data_folder,
    _catalog,
    _watch_folders,
    _watch_limits,
    _hosts,
)

__all__ = ["Finding", "examine"]
