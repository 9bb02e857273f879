"""A recording: each call of the contract made in a running Resolve, in a project that is made for it and deleted after.

Nothing of a person's is touched: it begins only where the open project is empty, since opening another one throws away
what was never saved; it saves nothing but its own project, and never one without a name.
"""

import json
import os
import platform
import time
from typing import TYPE_CHECKING

from callboard_resolve.inside.outcome import Refused
from callboard_resolve.inside.scenes import SCENES
from callboard_resolve.inside.session import Session

if TYPE_CHECKING:
    from typing import Any

FORMAT = 1
PROJECT = "Callboard recording"
KINDS = ("Resolve", "ProjectManager", "Project", "MediaPool", "Folder", "MediaPoolItem", "Timeline", "TimelineItem")


class Recorder:
    """Makes calls and writes down what came of them.

    Objects are written as ``{"object": KIND, "is": NAME}``: the same name wherever Resolve gives the same unique id.
    Paths and names of our own media become ``<NAME>``, so that a recording says little of the machine it was made on.
    """

    def __init__(self, resolve: "Any", media: "dict[str, str]") -> None:
        self.resolve = resolve
        self.media = media
        self.lines: list[dict[str, Any]] = []
        self.scene = ""
        self._names: dict[str, str] = {}
        self._kinds: dict[int, str] = {}
        self._held: list[Any] = []
        self.known(resolve, "Resolve", "resolve")

    def known(self, thing: "Any", kind: str, name: str = "") -> "Any":
        """Take an object into the books; gives it back."""
        if thing is not None and not isinstance(thing, (bool, int, float, str)):
            self._held.append(thing)
            self._kinds[id(thing)] = kind
            if name:
                self._names[f"#{id(thing)}"] = name
        return thing

    def call(self, thing: "Any", method: str, *arguments: "Any", gives: str = "") -> "Any":
        """Make one call, and write it down with its answer.

        Args:
            thing: an object in the books; ``None`` makes no call.
            method: a name of the contract.
            arguments: as Resolve takes them.
            gives: the kind of object that the answer is, or is a list of.
        """
        if thing is None or thing is False:
            return None
        line: dict[str, Any] = {"scene": self.scene, "on": self._plain(thing), "call": method}
        line["with"] = [self._plain(one) for one in arguments]
        self.lines.append(line)
        if method not in dir(thing):
            line["absent"] = True
            return None
        began = time.perf_counter()
        try:
            answer = getattr(thing, method)(*arguments)
        except Exception as error:  # noqa: BLE001 - that it raises, and what, is what a recording is for
            line["raises"] = type(error).__name__
            return None
        line["seconds"] = round(time.perf_counter() - began, 4)
        for one in answer if isinstance(answer, list) else [answer]:
            if gives:
                self.known(one, gives)
        line["gives"] = self._plain(answer)
        return answer

    def _plain(self, value: "Any") -> "Any":
        if id(value) in self._kinds and not isinstance(value, (str, int, float, bool)):
            return {"object": self._kinds[id(value)], "is": self._name(value)}
        if isinstance(value, (list, tuple)):
            return [self._plain(one) for one in value]
        if isinstance(value, dict):
            return {str(key): self._plain(one) for key, one in value.items()}
        if isinstance(value, str):
            return self._masked(value)
        return value if value is None or isinstance(value, (bool, int, float)) else {"object": "?", "is": "?"}

    def _name(self, thing: "Any") -> str:
        given = self._names.get(f"#{id(thing)}")
        if given:
            return given
        kind = self._kinds[id(thing)]
        unique = str(thing.GetUniqueId()) if "GetUniqueId" in dir(thing) else f"#{id(thing)}"
        if unique not in self._names:
            self._names[unique] = f"{kind} {sum(name.startswith(kind + ' ') for name in self._names.values()) + 1}"
        return self._names[unique]

    def _masked(self, text: str) -> "Any":
        if text in self._names:
            return {"id": self._names[text]}
        for name, path in sorted(self.media.items(), key=lambda one: -len(one[1])):
            # Windows gives paths back with other slashes than it was given
            for written in (path, path.replace("\\", "/"), os.path.basename(path)):
                text = text.replace(written, f"<{name}>")
        return text


def record(resolve: "Any", media: "dict[str, str]", folder: str) -> "dict[str, Any]":
    """Play all scenes in a project of our own, and give the recording.

    Args:
        resolve: the running Resolve.
        media: our synthetic media: ``picture`` and ``other`` (films of two seconds at 24 frames a second), ``sound``
            (a WAV) and ``subtitles`` (an SRT of two), each an absolute path.
        folder: for what a render job would write; nothing is rendered.

    Raises:
        Refused: the open project is not empty, or no project can be made; nothing was done.

    Returns:
        The recording; ``left`` names our project where Resolve did not delete it.
    """
    session = ready(resolve)
    recorder = Recorder(resolve, media)
    recorder.scene = "projects"
    manager = recorder.call(resolve, "GetProjectManager", gives="ProjectManager")
    before = str(manager.GetCurrentProject().GetName() or "")
    saved = [str(name) for name in manager.GetProjectListInCurrentFolder() or []]
    name = "{} {}".format(PROJECT, time.strftime("%Y-%m-%d %H%M%S"))
    recorder.media = {**media, "our project": name, "folder": folder}
    project = recorder.call(manager, "CreateProject", name, gives="Project")
    if not project or str(manager.GetCurrentProject().GetName()) != name:
        raise Refused("Resolve made no new project; it may ask something in a dialog. Close it, and try again")
    try:
        for scene, play in SCENES:
            recorder.scene = scene
            play(recorder, manager, project, folder)
    finally:
        recorder.scene = "leaving"
        _leave(recorder, manager, name, before if before in saved else "")
    left = name in [str(one) for one in manager.GetProjectListInCurrentFolder() or []]
    return {**_written(session, recorder), "left": name if left else ""}


def ready(resolve: "Any") -> Session:
    """Make sure that nothing can be lost.

    Raises:
        Refused: the open project is not empty, or none can be made; the reason says what to do.
    """
    session, manager = Session(resolve), resolve.GetProjectManager()
    if not manager.GetCurrentDatabase():
        raise Refused("Resolve runs without a database; quit it, start it again, and try again")
    project = manager.GetCurrentProject()
    if not project:
        raise Refused("no project is open; make a new empty one, and leave it open")
    if project.GetTimelineCount() or next(iter(session.clips()), None) is not None:
        raise Refused("the open project is not empty; save it, open a new empty one, and try again")
    return session


def _leave(recorder: Recorder, manager: "Any", name: str, before: str) -> None:
    """Close and delete our project, and no other: closing first is what makes a deletion work."""
    current = manager.GetCurrentProject()
    if current and str(current.GetName()) == name:
        recorder.call(manager, "SaveProject")
        recorder.call(manager, "DeleteProject", name)
        recorder.call(manager, "CloseProject", recorder.known(current, "Project"))
    if before:
        manager.LoadProject(before)
    recorder.call(manager, "DeleteProject", name)


def _written(session: Session, recorder: Recorder) -> "dict[str, Any]":
    return {
        "format": FORMAT,
        "product": session.product,
        "version": list(session.resolve.GetVersion() or []),
        "system": platform.system(),
        "made": time.strftime("%Y-%m-%d"),
        "methods": {kind: sorted(name for name in dir(one) if name[:1].isupper()) for kind, one in _samples(recorder)},
        "calls": recorder.lines,
    }


def _samples(recorder: Recorder) -> "list[tuple[str, Any]]":
    found: dict[str, Any] = {}
    for thing in recorder._held:  # noqa: SLF001 - its own module
        found.setdefault(recorder._kinds[id(thing)], thing)  # noqa: SLF001 - its own module
    return [(kind, found[kind]) for kind in KINDS if kind in found]


def save(recording: "dict[str, Any]", path: str) -> None:
    """Write a recording as JSON."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        json.dump(recording, file, ensure_ascii=False, indent=1)
        file.write("\n")
