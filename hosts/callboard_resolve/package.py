"""What Callboard can say and do about DaVinci Resolve on this machine."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from callboard import __version__
from callboard.config import require_project
from callboard.errors import CallboardError, HostError
from callboard.hosting import Finding, HostPackage, Installation, Step
from callboard_schemas import VERBS

from callboard_resolve import bundle, outside
from callboard_resolve.folders import layouts, python
from callboard_resolve.inside import asking

NEVER_RUN: Final = "this adapter was never run against DaVinci Resolve: a recording from yours would change that"
"""Until tests/resolve/recordings holds one of a real Resolve."""
RECORD: Final = "callboard hosts doctor resolve --record FILE"


class ResolvePackage:
    """Menu scripts for every edition, a way from outside for Studio, and files for what neither reaches."""

    name = "resolve"
    title = "DaVinci Resolve"
    verbs: tuple[str, ...] = VERBS

    def installations(self) -> Sequence[Installation]:
        """Find Resolve, or the folders that it made for this user; all users' folder too where ours is in it."""
        found = []
        for layout in layouts():
            program = str(layout.program) if layout.program.exists() else ""
            if layout.found:
                found.append(_installation(layout.user, program))
            if bundle.version_of(layout.everyone / bundle.ARCHIVE):
                found.append(_installation(layout.everyone, program))
        return list({one.folder: one for one in found}.values())

    def usual(self) -> Sequence[Installation]:
        """Give the folders of its documents: this user's, then that of all users."""
        return [_installation(folder, "") for layout in layouts()[:1] for folder in (layout.user, layout.everyone)]

    def install(self, where: Installation, project: Path | None, *, dry_run: bool) -> Sequence[Step]:
        """Put our menu scripts into Resolve's folder, each connected with the project.

        Raises:
            HostError: no project is named, a file there is not ours, or the folder cannot be written.
        """
        if project is None:
            raise HostError(
                self.name, "its menu scripts belong to a project", "Run this in a project, or --project FOLDER."
            )
        folder = Path(where.folder)
        steps = []
        for name, text in _files(folder, project.absolute()).items():
            path = folder / name
            if path.exists() and not bundle.is_ours(path):
                raise HostError(self.name, f"{path} is there already, and not ours", "Move it away, then try again.")
            steps.append(Step(what="write", target=str(path), note=_said(name)))
            if not dry_run:
                _write(path, text)
        if not dry_run:
            # Lua cannot make folders
            Path(asking.folder_of(str(project))).mkdir(parents=True, exist_ok=True)
        return steps

    def uninstall(self, where: Installation, *, dry_run: bool) -> Sequence[Step]:
        """Take our menu scripts away; a file that is not ours stays, whatever its name.

        Raises:
            HostError: a file cannot be removed.
        """
        folder = Path(where.folder)
        names = [bundle.ARCHIVE, f"{bundle.LUA}.lua", *(f"{name}.py" for name in bundle.ENTRIES)]
        ours = [folder / name for name in names if (folder / name).is_file() and bundle.is_ours(folder / name)]
        for path in () if dry_run else ours:
            try:
                path.unlink()
            except OSError as error:
                raise HostError(self.name, f"{path} cannot be removed: {error.strerror}") from None
        return [Step(what="remove", target=str(path)) for path in ours]

    def doctor(self, where: Installation | None, project: Path | None, *, record: Path | None) -> Sequence[Finding]:
        """Say what is missing; with *record*, try each call in an empty project of the running Studio."""
        return [*_scripts(where), *_project(project), *(_recorded(record) if record else _reached())]

    def run(self, project: Path, paths: Sequence[Path], *, stop: Callable[[], bool]) -> int:
        """Serve Resolve Studio from outside; with timelines, write the files that every edition imports instead.

        Raises:
            HostError: no Resolve lets scripts in; the hint says what to do on the free edition.
            TimelineError: a timeline cannot be read.
        """
        if paths:
            for path in paths:
                _pack(project, path)
            return 0
        from callboard_resolve.inside import menu

        told = outside.who()
        print(f"{told['product']} {told['version']} answers; {NEVER_RUN}.")
        menu.connect(outside.reach(), str(project), print, stop)
        return 0


def _installation(folder: Path, program: str) -> Installation:
    return Installation(
        application="DaVinci Resolve",
        version="",
        program=program,
        folder=str(folder),
        interpreter=python(),
        installed=bundle.version_of(folder / bundle.ARCHIVE),
    )


def _files(folder: Path, project: Path) -> dict[str, bytes]:
    archive = folder / bundle.ARCHIVE
    scripts = {
        f"{name}.py": bundle.script(entry, archive, project).encode("ascii") for name, entry in bundle.ENTRIES.items()
    }
    scripts[f"{bundle.LUA}.lua"] = bundle.lua_script(project).encode("utf-8")
    return {bundle.ARCHIVE: bundle.archive(__version__), **scripts}


def _said(name: str) -> str:
    if name == bundle.ARCHIVE:
        return "what the scripts import"
    return f"Workspace > Scripts > {Path(name).stem}"


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        hint = f"'callboard hosts install resolve --where FOLDER' takes another folder; this one is {path.parent}."
        raise HostError("resolve", f"{path} cannot be written: {error.strerror}", hint) from None


def _scripts(where: Installation | None) -> Iterator[Finding]:
    if where is None:
        yield Finding(state="warning", what="DaVinci Resolve is not found on this machine", hint=outside.ALLOW)
        return
    installed = bundle.version_of(Path(where.folder) / bundle.ARCHIVE)
    if not installed:
        hint = "'callboard hosts install resolve' writes them; Resolve lists them once it was started again."
        yield Finding(state="problem", what=f"no menu scripts of ours are in {where.folder}", hint=hint)
    elif installed != __version__:
        hint = "'callboard hosts install resolve' writes the new ones."
        yield Finding(
            state="warning", what=f"the menu scripts are of {installed}, and this is {__version__}", hint=hint
        )
    else:
        yield Finding(state="ok", what=f"menu scripts {installed} in {where.folder}")
    runs = python()
    if runs:
        yield Finding(state="ok", what=f"Resolve runs its Python scripts with {runs}")
    else:
        wanted = "/usr/local/bin/python3, or one that PYTHON3HOME names" if platform.system() == "Darwin" else "python3"
        yield Finding(
            state="problem", what="no Python for menu scripts", hint=f"Install Python 3.7 or newer as {wanted}."
        )
    hint = "For a free edition that lists none of ours: 'callboard hosts run resolve TIMELINE' writes files to import."
    yield Finding(state="ok", what="menu scripts in Python need Studio, or a free edition before 21.1", hint=hint)


def _project(project: Path | None) -> Iterator[Finding]:
    if project is None:
        hint = "Run this in a project, or name one with --project FOLDER."
        yield Finding(state="warning", what="no project here, so the connection was not looked at", hint=hint)
    elif asking.running(asking.folder_of(str(project))):
        yield Finding(state="ok", what="Resolve is connected with this project")
    elif (project / ".callboard" / "nats" / "board.json").is_file():
        hint = "In Resolve: Workspace > Scripts > Callboard."
        yield Finding(state="warning", what="Resolve is not connected with this project", hint=hint)
    else:
        yield Finding(state="warning", what="no board is running in this project", hint="'callboard up' starts it.")


def _reached() -> Iterator[Finding]:
    try:
        told = outside.who()
    except HostError as error:
        what = f"from outside, Resolve is not reached: {error.problem}"
        yield Finding(state="warning", what=what, hint=error.hint)
    else:
        yield Finding(state="ok", what=f"{told['product']} {told['version']} answers from outside")
    yield Finding(state="warning", what=NEVER_RUN, hint=f"{RECORD} makes one in an empty project.")


def _recorded(path: Path) -> Iterator[Finding]:
    try:
        told = outside.record(path)
    except CallboardError as error:
        yield Finding(state="problem", what=error.message, hint=error.hint)
        return
    yield Finding(state="ok", what=f"{told['calls']} calls of {told['product']} were recorded in {path}")
    if told["left"]:
        yield Finding(state="warning", what=f"Resolve kept the project {told['left']!r}", hint="Delete it by hand.")
    for line in told["differences"]:
        yield Finding(state="warning", what=f"not as we thought: {line}")
    if not told["differences"]:
        yield Finding(state="ok", what="Resolve answered all of them as we thought")


def _pack(project: Path, timeline: Path) -> None:
    from callboard_resolve.exchange import pack

    packed = pack(require_project(project), timeline, timeline.with_name(f"{timeline.stem} for Resolve"))
    print(f"{packed.folder}:")
    for file in packed.files:
        print(f"  {file.name}")
    for note in packed.notes:
        print(f"  note: {note}")


def package() -> HostPackage:
    """Give the host package."""
    return ResolvePackage()


__all__ = ["ResolvePackage", "package"]
