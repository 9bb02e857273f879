"""What ``callboard hosts`` knows of Blender: which are here, how our part gets in and out, and what is missing."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import psutil
from callboard.errors import HostError
from callboard.hosting import Finding, HostPackage, Installation, Step
from callboard_schemas import VERBS

from callboard_blender import build, installations
from callboard_blender.addon import whereabouts
from callboard_blender.installations import Blender, parsed

_OLDEST: Final = ".".join(str(part) for part in build.FIRST_LEGACY)
_ENABLE: Final = (
    "import bpy, sys; bpy.ops.preferences.addon_enable(module={module!r}); "
    "here = {module!r} in bpy.context.preferences.addons; here and bpy.ops.wm.save_userpref(); "
    "sys.exit(0 if here else 3)"
)
_DISABLE: Final = (
    "import bpy; {module!r} in bpy.context.preferences.addons and "
    "(bpy.ops.preferences.addon_disable(module={module!r}), bpy.ops.wm.save_userpref())"
)
_ASK: Final = "import bpy; print('CALLBOARD', {module!r} in bpy.context.preferences.addons)"
_OPEN: Final = "for Blenders that are opened from now on"
_SWITCH_ON: Final = "switch it on in Blender: Edit > Preferences > Add-ons > Callboard"


class _Act(NamedTuple):
    """A step, and what does it."""

    step: Step
    do: Callable[[], object]


class BlenderPackage:
    """Blender's host package."""

    name = "blender"
    title = "Blender"
    verbs: tuple[str, ...] = VERBS

    def __init__(self) -> None:
        self._known: dict[str, Blender] = {}
        """By program: asking one means starting it, which takes a second."""

    def installations(self) -> Sequence[Installation]:
        """Find Blender on this machine, newest first."""
        return [one.told() for one in self._find()]

    def _find(self) -> list[Blender]:
        found = installations.find()
        self._known.update({one.program: one for one in found if one.program})
        return found

    def _blender(self, where: Installation) -> Blender:
        return self._known.get(where.program) or _found(where)

    def install(self, where: Installation, project: Path | None, *, dry_run: bool) -> Sequence[Step]:
        """Put the add-on into the user's folder of that Blender, switch it on, and tell it the project's folder.

        Raises:
            HostError: the folder cannot be written, Blender refuses, or this version is not supported.
        """
        _supported(where.version, where.folder)
        blender = self._blender(where)
        acts = [*_put(blender), *(_name(blender, project) if project is not None else ())]
        return _carry_out(acts, dry_run=dry_run)

    def uninstall(self, where: Installation, *, dry_run: bool) -> Sequence[Step]:
        """Take the add-on and what it was told away again, and nothing else.

        Raises:
            HostError: a file cannot be removed.
        """
        return _carry_out(_remove(self._blender(where)), dry_run=dry_run)

    def doctor(self, where: Installation | None, project: Path | None, *, record: Path | None) -> Sequence[Finding]:
        """Say what is missing, for one Blender or for all that are here."""
        known = [self._blender(where)] if where is not None else self._find()
        found = [finding for blender in known for finding in _examine(blender, project)]
        if not known:
            hint = "Put its folder on PATH, or open it once so that it makes its folders."
            found.append(Finding(state="problem", what="no Blender was found on this machine", hint=hint))
        if project is not None:
            found.append(_board(project))
        if record is not None:
            what = "nothing to record: the add-on's calls are tried in real Blenders by Callboard's own tests"
            found.append(Finding(state="warning", what=what))
        return found

    def run(self, project: Path, paths: Sequence[Path], *, stop: Callable[[], bool]) -> int:
        """Say that the add-on runs inside Blender.

        Raises:
            HostError: always.
        """
        hint = "'callboard hosts install blender' puts it there; open Blender, and it connects by itself."
        raise HostError("blender", "our part runs inside Blender, and is not started from outside", hint)


def module(version: str) -> str:
    """Say what Blender calls our module."""
    extension = build.flavour_for(parsed(version)) == "extension"
    return f"bl_ext.user_default.{build.EXTENSION_ID}" if extension else build.LEGACY_MODULE


def _supported(version: str, folder: str) -> None:
    if not version:
        hint = "'callboard hosts list' shows those that are here; name one by its version, program or folder."
        raise HostError("blender", f"no Blender is known at {folder}", hint)
    if parsed(version)[:2] < build.FIRST_LEGACY:
        hint = f"Blender {_OLDEST} or newer is needed."
        raise HostError("blender", f"Blender {version} is not supported", hint)


def _found(where: Installation) -> Blender:
    """Find the folders of an installation again.

    Raises:
        HostError: its program does not start any more.
    """
    if where.program:
        known = installations.probe(where.program)
        if known is None:
            raise HostError("blender", f"{where.program} does not start")
        return known
    ours = Path(where.folder)
    series = ours.parents[2] if where.folder else installations.usual_places(where.version).config.parent
    places = installations.Places(series / "config", series / "scripts", series / "extensions")
    return Blender(where.version, "", "", places)


def _put(blender: Blender) -> Iterator[_Act]:
    flavour, ours = build.flavour_for(parsed(blender.version)), blender.places.ours(blender.version)
    if blender.program and flavour == "extension":
        line = f"{blender.program} -b --command extension install-file -r user_default --enable {build.name(flavour)}"
        yield _Act(
            Step(what="run", target=line, note=f"puts our part into {ours}, {_OPEN}"), lambda: _install_file(blender)
        )
        return
    on = _OPEN if blender.program else _SWITCH_ON
    yield _Act(Step(what="write", target=str(ours), note=on), lambda: _unpack(ours, flavour))
    if blender.program:
        yield _expression(blender, _ENABLE, "switches it on")


def _expression(blender: Blender, text: str, note: str) -> _Act:
    said = text.format(module=module(blender.version))
    line = f"{blender.program} -b --python-expr …"
    return _Act(
        Step(what="run", target=line, note=note),
        lambda: installations.run(blender.program, "-b", "--python-exit-code", "3", "--python-expr", said),
    )


def _install_file(blender: Blender) -> None:
    """Have Blender itself install the zip, as its preferences do."""
    with tempfile.TemporaryDirectory(prefix="callboard-") as folder:
        path = Path(folder) / build.name("extension")
        path.write_bytes(build.archive("extension"))
        arguments = ("--command", "extension", "install-file", "-r", "user_default", "--enable", str(path))
        said = installations.run(blender.program, "-b", *arguments)
    ours = blender.places.ours(blender.version)
    if installations.installed(ours) != build.version():
        raise HostError("blender", f"Blender did not put our part into {ours}: {said.strip()[-300:]}")


def _unpack(ours: Path, flavour: build.Flavour) -> None:
    _clear(ours)
    for path, body in build.files(flavour).items():
        target = ours / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)


def _name(blender: Blender, project: Path) -> Iterator[_Act]:
    path = blender.places.config / whereabouts.FILE_NAME
    text = json.dumps({"project": str(project.resolve())}, indent=2) + "\n"

    def write() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    yield _Act(Step(what="write", target=str(path), note=f"connects with {project.resolve()}"), write)


def _remove(blender: Blender) -> Iterator[_Act]:
    ours, told = blender.places.ours(blender.version), blender.places.config / whereabouts.FILE_NAME
    if blender.program and ours.is_dir():
        yield _expression(blender, _DISABLE, "switches it off")
    if ours.is_dir():
        yield _Act(Step(what="remove", target=str(ours)), lambda: _clear(ours))
    if told.is_file():
        yield _Act(Step(what="remove", target=str(told)), told.unlink)


def _clear(ours: Path) -> None:
    """Remove our files, and what Python made of them; a file that somebody else put there stays, and its folder."""
    if not ours.is_dir():
        return
    for cache in [*ours.rglob("__pycache__")]:
        shutil.rmtree(cache)
    for path in sorted(ours.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.suffix == ".py" or path.name in ("LICENSE", "blender_manifest.toml"):
            path.unlink()
    if not any(ours.iterdir()):
        ours.rmdir()


def _carry_out(acts: Iterator[_Act] | Sequence[_Act], *, dry_run: bool) -> list[Step]:
    done = []
    for act in acts:
        if not dry_run:
            try:
                act.do()
            except OSError as error:
                raise HostError("blender", f"{act.step.target}: {error.strerror or error}") from None
        done.append(act.step)
    return done


def _examine(blender: Blender, project: Path | None) -> Iterator[Finding]:
    title, here = f"Blender {blender.version}", installations.installed(blender.places.ours(blender.version))
    again = "'callboard hosts install blender' does it."
    if parsed(blender.version)[:2] < build.FIRST_LEGACY:
        yield Finding(state="warning", what=f"{title} is too old", hint=f"Blender {_OLDEST} or newer is needed.")
        return
    if not here:
        yield Finding(state="problem", what=f"{title}: our part is not installed", hint=again)
        return
    if here != build.version():
        yield Finding(state="warning", what=f"{title}: version {here} is there, {build.version()} is here", hint=again)
    else:
        yield Finding(state="ok", what=f"{title}: version {here} is installed")
    yield from _switched_on(blender, title)
    told = whereabouts.project("", str(blender.places.config))
    if not told:
        yield Finding(state="warning", what=f"{title}: no project was named", hint="Install again from the project.")
    elif project is not None and Path(told) != project.resolve():
        hint = "Install again from this project, or name it in the add-on's preferences."
        yield Finding(state="warning", what=f"{title}: it connects with {told}", hint=hint)


def _switched_on(blender: Blender, title: str) -> Iterator[Finding]:
    if not blender.program:
        return
    said = installations.run(blender.program, "-b", "--python-expr", _ASK.format(module=module(blender.version)))
    if "CALLBOARD True" not in said:
        yield Finding(state="problem", what=f"{title}: the add-on is switched off", hint=f"Do this: {_SWITCH_ON}.")


def _board(project: Path) -> Finding:
    told = whereabouts.board(str(project))
    pid = told.get("pid")
    if isinstance(pid, int) and psutil.pid_exists(pid):
        return Finding(state="ok", what=f"the board of {project} runs at {told.get('url', '')}")
    return Finding(state="warning", what=f"the board of {project} does not run", hint="Start it: 'callboard up'.")


def package() -> HostPackage:
    """Give Blender's host package."""
    return BlenderPackage()
