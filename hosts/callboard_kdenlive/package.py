"""Kdenlive for ``callboard hosts``: found here, looked over, and served from outside."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import click
from callboard.config import Project, require_project
from callboard.errors import CallboardError, HostError
from callboard.hosting import Finding, Installation, Step
from callboard_schemas.hosts import Verb

from callboard_kdenlive import opened
from callboard_kdenlive.live import connected
from callboard_kdenlive.mlt import melt
from callboard_kdenlive.patch import VERBS
from callboard_kdenlive.serving import Served, host_id
from callboard_kdenlive.watch import SUFFIX, ProjectFiles

_TICK: Final = 0.05
"""Seconds between two looks at the board."""
_ANSWER: Final = 20.0
"""Seconds for ``kdenlive --version``, which loads most of Qt."""
_METAINFO: Final = re.compile(r'<release version="([0-9.]+)"')
"""The newest release comes first; the program itself says its version on a session bus only."""
_ADVICE: Final = "Serve its projects with 'callboard hosts run kdenlive FOLDER'; nothing is put into Kdenlive."


class Kdenlive:
    """Kdenlive's adapter lives outside of it: it reads and changes project files, and talks to it over D-Bus."""

    name = "kdenlive"
    title = "Kdenlive"
    verbs: tuple[Verb, ...] = VERBS

    def installations(self) -> Sequence[Installation]:
        """Find the program on the search path."""
        program = shutil.which("kdenlive")
        if program is None:
            return ()
        version = _version(program)
        return (Installation(application=f"Kdenlive {version}".strip(), version=version, program=program),)

    def install(self, where: Installation, project: Path | None, *, dry_run: bool) -> Sequence[Step]:
        """Nothing is put into Kdenlive; say how its projects are served."""
        del project, dry_run
        return (Step(what="run", target="callboard hosts run kdenlive FOLDER", note=f"{where.application}: {_ADVICE}"),)

    def uninstall(self, where: Installation, *, dry_run: bool) -> Sequence[Step]:
        """Nothing was put into Kdenlive, so nothing is taken away."""
        del where, dry_run
        return ()

    def doctor(self, where: Installation | None, project: Path | None, *, record: Path | None) -> Sequence[Finding]:
        """Say which version is here, whether D-Bus reaches it, and what is missing to render."""
        del project, record
        return [*_program(where), *_melt(), *_lock(), *_bus()]

    def run(self, project: Path, paths: Sequence[Path], *, stop: Callable[[], bool]) -> int:
        """Serve projects, given by file or by folder, until *stop* says so.

        Raises:
            HostError: no project or folder is given, or one of them is not there.
        """
        for path in paths:
            if not path.exists() or (path.is_file() and path.suffix != SUFFIX):
                raise HostError("kdenlive", f"{path} is no folder and no {SUFFIX} file", "Give what is served.")
        if not paths:
            raise HostError("kdenlive", "nothing is given to serve", "Give .kdenlive files, or folders that hold them.")
        _Run(require_project(project), [path.absolute() for path in paths]).until(stop)
        return 0


class _Run:
    """Serves what is in files and folders, each project with a connection of its own."""

    def __init__(self, project: Project, paths: Sequence[Path]) -> None:
        self._project, self._files = project, ProjectFiles(paths)
        self._served: dict[str, Served] = {}

    def until(self, stop: Callable[[], bool]) -> None:
        with self._files:
            try:
                while not stop():
                    for path in self._files.saved():
                        self._at(path).saved()
                    for served in self._served.values():
                        served.bridge.poll()
                        served.tick()
                    self._files.wait(_TICK)
            finally:
                for served in self._served.values():
                    served.bridge.close()

    def _at(self, path: str) -> Served:
        if path not in self._served:
            from callboard_bridge import Bridge

            hosts = self._project.settings.hosts
            version = _version(shutil.which("kdenlive") or "") or "file"
            bridge = Bridge.for_project(str(self._project.folder), "Kdenlive", version, VERBS, host_id(path))
            self._served[path] = Served(
                path,
                bridge,
                say=click.echo,
                ask_placeholders=hosts.gap_placeholders,
                live_reload=hosts.live_reload,
                wrote=self._files.ours,
            )
            click.echo(f"Serving {path}")
        return self._served[path]


def _version(program: str) -> str:
    """Ask a program for its version; empty where it does not say within a few seconds."""
    if not program:
        return ""
    said = _METAINFO.search(_read(Path(program).parent.parent / "share/metainfo/org.kde.kdenlive.appdata.xml"))
    if said is not None and Path(program).stem == "kdenlive":
        return said[1]
    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=_ANSWER,
            check=False,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},  # it loads Qt before it reads its arguments
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = done.stdout.split()
    return next((word for word in words if word[:1].isdigit()), "")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeError):
        return ""


def _program(where: Installation | None) -> Iterator[Finding]:
    if where is None or not where.program:
        hint = "On Debian and Ubuntu: sudo apt-get install kdenlive. Project files are served without it, too."
        yield Finding(state="warning", what="Kdenlive is not on the search path", hint=hint)
        return
    known = where.version.split(".")[0].isdigit() and int(where.version.split(".")[0]) < 23
    if known:
        yield Finding(state="ok", what=f"{where.application} in {where.program}")
    else:
        hint = "Projects with sequences are refused; use OpenTimelineIO and 'callboard timeline' there."
        yield Finding(state="problem", what=f"{where.application}: its projects cannot be changed", hint=hint)


def _melt() -> Iterator[Finding]:
    try:
        program = melt()
    except HostError as error:
        yield Finding(state="warning", what=f"{error.problem}; only rendering needs it", hint=error.hint)
    else:
        yield Finding(state="ok", what=f"melt {_version(program)} in {program}")


def _lock() -> Iterator[Finding]:
    lock = opened.stale_lock()
    if lock is not None:
        yield Finding(
            state="warning",
            what=f"{lock} was left by a Kdenlive that crashed while starting",
            hint="The next start asks a question before it answers over D-Bus; remove the file to be spared it.",
        )


def _bus() -> Iterator[Finding]:
    try:
        with connected() as live:
            for session in live.sessions():
                offers = [name for name in live.methods(session) if name in ("addProjectClip", "slotAddSubtitle")]
                yield Finding(state="ok", what=f"{session.title} runs; over D-Bus: {', '.join(offers) or 'nothing'}")
    except CallboardError as error:
        yield Finding(state="warning", what=error.message, hint=error.hint)
    else:
        yield Finding(state="ok", what="the session's D-Bus answers")


def package() -> Kdenlive:
    """Give what ``callboard hosts`` can do with Kdenlive."""
    return Kdenlive()


__all__ = ["Kdenlive", "package"]
