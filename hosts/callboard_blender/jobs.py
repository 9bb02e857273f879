"""Blender without a window: tag an asset library, caption a project, render with the models making way.

    blender -b -P jobs.py -- uses FILE
    blender -b -P jobs.py -- apply FILE COMMANDS.json --root FOLDER
    blender -b -P jobs.py -- serve FILE --project FOLDER
    blender -b -P jobs.py -- render FILE --project FOLDER

or ``python jobs.py …`` where Python has the module ``bpy``. Results go to a copy beside the file unless asked for;
timers stand still in the background, so the loop here does what a timer does in a window.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
TICK_SECONDS: Final = 0.05
"""The longest wait between two polls."""
IDLE_SECONDS, MOST_SECONDS, WAIT_SECONDS = 10.0, 3600.0, 5.0


def _part(name: str) -> Any:
    """Import a module of the add-on, also where none of Callboard's packages is on Python's path, as in Blender."""
    for package, folder in (("callboard_blender", HERE), ("callboard_bridge", HERE.parent / "callboard_bridge")):
        if package not in sys.modules and importlib.util.find_spec(package) is None:
            spec = importlib.util.spec_from_file_location(
                package, folder / "__init__.py", submodule_search_locations=[str(folder)]
            )
            if spec is not None and spec.loader is not None:
                module = importlib.util.module_from_spec(spec)
                sys.modules[package] = module
                spec.loader.exec_module(module)
    return importlib.import_module(f"callboard_blender.addon.{name}")


class _Background:
    """The open file, as the link needs it; if it is kept apart, as one without a name, for which nothing is asked."""

    def __init__(self, apart: bool) -> None:
        self._apart = apart
        self._uses, self._apply, self._versions = _part("uses"), _part("apply"), _part("versions")

    def project(self) -> tuple[str, str]:
        return ("", "") if self._apart else (self._uses.project(), self._uses.revision())

    def uses(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [] if self._apart else self._uses.snapshot()
        return found

    def run(self, command: dict[str, Any], agreed: bool) -> dict[str, Any]:
        done: dict[str, Any] = self._apply.run(command, agreed)
        return done

    def busy(self) -> bool:
        return bool(self._versions.busy())


class _Held:
    """A bridge that keeps receipts until what they say is on the disk."""

    def __init__(self, bridge: Any) -> None:
        self._bridge = bridge
        self.receipts: list[tuple[dict[str, Any], str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bridge, name)

    def receipt(self, command: dict[str, Any], state: str, **said: Any) -> None:
        self.receipts.append((command, state, said))

    def settle(self, failure: str) -> None:
        for command, state, said in self.receipts:
            if failure and said.get("landed"):
                self._bridge.receipt(command, "failed", missing=[failure], note=str(said.get("note", "")))
            else:
                self._bridge.receipt(command, state, **said)
        self.receipts.clear()


class Session:
    """A connection of the open file with a Callboard project, driven by hand.

    Args:
        project: The Callboard project's folder.
        save: Writes the open file; called before receipts are sent. Without it they are sent at once.
        by: Who decides here.
        capabilities: The verbs to take; all where it is left out.
        apart: Tell of events only: the board asks for nothing, and what waits for the file goes on waiting.
    """

    def __init__(
        self,
        project: Path,
        save: Callable[[], None] | None = None,
        by: str = "blender -b",
        capabilities: Sequence[str] | None = None,
        apart: bool = False,
    ) -> None:
        self._events, self._exits, self._save = _part("events"), _part("exits"), save
        self._takes = tuple(capabilities if capabilities is not None else _part("apply").VERBS)
        self._held: _Held | None = None
        self.applied = 0
        """Commands done so far."""
        self.link = _part("link").Link(_Background(apart), self._connect, by)
        self._events.register(urgent=self._tell)
        self._exits.keep(self.close)
        self.link.use(str(project))

    def _connect(self, folder: str) -> Any:
        version = ".".join(str(part) for part in _part("inside").bpy.app.version)
        bridge = _part("connection").bridge_module().Bridge
        self._held = _Held(bridge.for_project(folder, "Blender", version, capabilities=self._takes))
        return self._held

    def step(self) -> float:
        """Go on once: tell, apply, save, send receipts. Returns the seconds after which to go on, at most."""
        self._tell()
        rest = float(self.link.tick())
        held = self._held
        if held is not None and held.receipts and not self.link.waiting_to_apply:
            self.applied += len(held.receipts)
            held.settle(self._saved())
        return min(rest, TICK_SECONDS)

    def until(self, done: Callable[[], object], seconds: float) -> bool:
        """Go on until *done* holds; False where it does not within so many seconds."""
        ends = time.monotonic() + seconds
        while not done():
            if time.monotonic() > ends:
                return False
            time.sleep(self.step())
        return True

    def close(self) -> None:
        """Disconnect, and leave no handler behind."""
        self._exits.forget(self.close)
        self._events.unregister()
        self.link.close()

    def _saved(self) -> str:
        """Write the file; say what went wrong."""
        if self._save is None:
            return ""
        try:
            self._save()
        except (RuntimeError, OSError) as error:
            return f"the file was not saved: {str(error).strip()}"
        return ""

    def _tell(self) -> None:
        """Post what happened, at once: while Blender renders in the background only its handlers come by here."""
        for kind, data in self._events.drain():
            self.link.post(kind, data)
        if self._events.changed():
            self.link.telling.dirty()
        if self._held is not None:
            self._held.poll()


def open_file(path: Path) -> None:
    """Open a .blend.

    Raises:
        RuntimeError: it cannot be read.
    """
    _part("props").register()
    _part("inside").bpy.ops.wm.open_mainfile(filepath=str(path.resolve()))


def saver(path: Path, *, in_place: bool, to: Path | None) -> tuple[Path, Callable[[], None]]:
    """Say where results go, and give what writes them there: into a copy, unless it is to be the file itself."""
    target = path.resolve() if in_place else (to or path.with_suffix(".callboard.blend")).resolve()

    def save() -> None:
        _part("inside").bpy.ops.wm.save_as_mainfile(filepath=str(target), copy=not in_place, check_existing=False)

    return target, save


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; the exit code is 0 when all landed, 1 when something did not."""
    asked = _parser().parse_args(arguments)
    try:
        open_file(asked.file)
    except (ModuleNotFoundError, RuntimeError) as error:
        none = f"This Python has no Blender in it. Try: blender -b -P {__file__} -- …"
        print(none if getattr(error, "name", "") == "bpy" else str(error).strip(), file=sys.stderr)
        return 2
    if asked.verb == "uses":
        return _print({"project": str(asked.file.resolve()), "uses": _part("uses").snapshot()})
    if asked.verb == "render":
        return _render(asked)
    target, save = saver(asked.file, in_place=asked.in_place, to=asked.to)
    return _apply(asked, target, save) if asked.verb == "apply" else _serve(asked, target, save)


def _apply(asked: argparse.Namespace, target: Path, save: Callable[[], None]) -> int:
    commands = json.loads(asked.commands.read_text("utf-8"))
    roots = [os.path.realpath(root) for root in asked.root]

    def allowed(path: str) -> bool:
        real = os.path.realpath(path)
        return any(os.path.commonpath([real, root]) == root for root in roots)

    run = _part("apply").run
    receipts = [{"command": one.get("id", ""), **run(one, asked.agree, allowed)} for one in commands]
    if any(one["landed"] or one["state"] in ("applied", "partial") for one in receipts):
        save()
    _print({"file": str(target), "receipts": receipts})
    return 0 if all(one["state"] == "applied" for one in receipts) else 1


def _serve(asked: argparse.Namespace, target: Path, save: Callable[[], None]) -> int:
    """Serve until nothing came for a while, the time is up, or a signal asks to stop."""
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: stopped.append(number))
    session = Session(asked.project, save)
    ends, quiet = time.monotonic() + asked.most, time.monotonic() + asked.idle
    applied = 0
    with contextlib.closing(session):
        while not stopped and time.monotonic() < min(ends, quiet):
            time.sleep(session.step())
            if session.applied != applied or session.link.waiting_to_apply:
                applied, quiet = session.applied, time.monotonic() + asked.idle
        problem = "" if session.link.online else session.link.status.headline
    _print({"file": str(target), "applied": applied, "problem": problem})
    return 1 if problem else 0


def _render(asked: argparse.Namespace) -> int:
    """Render a file's frames, and tell the board when that begins and ends; where there is no board, just render."""
    bpy = _part("inside").bpy
    scene = bpy.context.scene
    scene.frame_start = scene.frame_start if asked.start is None else asked.start
    scene.frame_end = scene.frame_end if asked.end is None else asked.end
    session = Session(asked.project, apart=True)
    with contextlib.closing(session):
        session.until(lambda: session.link.online, asked.wait)
        try:
            bpy.ops.render.render(animation=True)
            failure = ""
        except RuntimeError as error:
            failure = str(error).strip()
        told = session.until(lambda: session.link.online and not session.link.bridge.pending, asked.wait)
    _print({"frames": [scene.frame_start, scene.frame_end], "told": told, "problem": failure})
    return 1 if failure else 0


def _print(told: dict[str, Any]) -> int:
    print(json.dumps(told, ensure_ascii=False), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jobs.py", description="Callboard in a Blender without a window.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    uses = verbs.add_parser("uses", help="list the media and assets of a file, with their references")
    apply = verbs.add_parser("apply", help="do the commands of a file, a JSON list")
    serve = verbs.add_parser("serve", help="connect with a board, and do what it asks for this file")
    render = verbs.add_parser("render", help="render a file's animation, while the board's models make way")
    for one in (uses, apply, serve, render):
        one.add_argument("file", type=Path, help="the .blend")
    apply.add_argument("commands", type=Path)
    apply.add_argument("--root", action="append", default=[], help="a folder that commands may name files in")
    apply.add_argument("--agree", action="store_true", help="also what was made for an older revision")
    for one in (serve, render):
        one.add_argument("--project", type=Path, required=True, help="the Callboard project's folder")
    render.add_argument("--start", type=int, help="the first frame")
    render.add_argument("--end", type=int, help="the last frame")
    render.add_argument("--wait", type=float, default=WAIT_SECONDS, help="seconds for the board, before and after")
    serve.add_argument("--idle", type=float, default=IDLE_SECONDS, help="stop after so many seconds without a command")
    serve.add_argument("--most", type=float, default=MOST_SECONDS, help="stop after so many seconds anyway")
    for one in (apply, serve):
        where = one.add_mutually_exclusive_group()
        where.add_argument("--in-place", action="store_true", help="save to the file itself, not to a copy")
        where.add_argument("--to", type=Path, help="the copy; else FILE.callboard.blend beside it")
    return parser


def _arguments() -> list[str]:
    """Give our arguments: behind ``--`` where Blender has its own before."""
    given = sys.argv[1:]
    return given[given.index("--") + 1 :] if "--" in given else given


if __name__ == "__main__":
    sys.exit(main(_arguments()))
