"""A project on disk: read, changed and written whole, with the file as it was kept beside it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from callboard.effects.atomic import Changed, Folder, Found, temp_name
from callboard.errors import CallboardError, EffectConflict, TimelineError
from callboard_schemas import Command, Content

from callboard_kdenlive import srt
from callboard_kdenlive.ledger import Ledger
from callboard_kdenlive.outcome import Measured, Outcome, Work, shortened
from callboard_kdenlive.patch import apply, read_back
from callboard_kdenlive.project import Project
from callboard_kdenlive.subtitles import languages, sidecar

_SHOWN = ""
BACKUP = ".callboard-backup"
"""After the project's name: the file as it was before we last changed it."""


def read(path: str) -> tuple[Project, Found]:
    """Read a project, with its bytes as they were.

    Raises:
        TimelineError: it is not there, cannot be read, or is of a version that we do not know.
    """
    folder, name = os.path.split(os.path.abspath(path))
    try:
        with Folder.open(os.fsencode(folder)) as opened:
            found = opened.read(os.fsencode(name))
    except (EffectConflict, OSError) as error:
        raise TimelineError(path, f"cannot be read ({error})", "Look at its folder's rights.") from None
    if found is None:
        raise TimelineError(path, "is not there", "Give the path of a .kdenlive file.")
    return Project(found.data, os.path.join(folder, name)), found


def patch(path: str, command: Command, measure: Callable[[str], Measured], *, now: float | None = None) -> Outcome:
    """Apply one command to a project that no application has open, and read back what landed.

    Args:
        path: absolute path of the project.
        command: with its content whole.
        measure: tells what is in a media file.
        now: seconds since 1970, for the document's new id.

    Raises:
        CallboardError: the project or its subtitles cannot be read or written; nothing was changed.
    """
    project, found = read(path)
    with Folder.open(os.fsencode(os.path.dirname(project.path))) as folder:
        name = os.fsencode(os.path.basename(project.path))
        beside = _beside(folder, project, command)
        work = _work(project, beside, command, measure, time.time() if now is None else now)
        before = _texts(work)
        apply(work)
        if work.outcome.refused or work.outcome.stale:
            return work.outcome
        data, texts = project.to_bytes(), _texts(work)
        try:
            if data != found.data:
                _keep(folder, name, found)
                folder.replace(name, data, found, temp_name())
            for language in [one for one in texts if texts[one] != before.get(one, b"")]:
                _put(folder, _side(project, language), texts[language], beside.get(language))
        except Changed:
            raise TimelineError(path, "was saved by someone else meanwhile", "It is tried again.") from None
        except OSError as error:
            raise TimelineError(path, f"cannot be written ({error.strerror})", "Look at the disk.") from None
    there = look_up(path, command)
    there.missing = shortened([*work.outcome.missing, *there.missing])
    there.notes = work.outcome.notes
    return there


def _work(
    project: Project,
    beside: dict[str, Found | None],
    command: Command,
    measure: Callable[[str], Measured],
    now: float,
) -> Work:
    blocks = {
        language: srt.read(found.data, sidecar(project.path, language)) if found is not None else []
        for language, found in beside.items()
    }
    return Work(
        project=project,
        ledger=Ledger(project),
        command=command,
        content=command.content or Content(),
        subtitles=blocks.pop(_SHOWN),
        asides=blocks,
        measure=measure,
        stamp=int(now * 1000),
    )


def _beside(folder: Folder, project: Project, command: Command) -> dict[str, Found | None]:
    """Read the subtitle files that a command is about, by language; that of none is what the project shows."""
    others = languages(Ledger(project), command.content or Content())
    return {language: folder.read(_side(project, language)) for language in (_SHOWN, *sorted(others))}


def _side(project: Project, language: str) -> bytes:
    return os.fsencode(os.path.basename(sidecar(project.path, language)))


def _texts(work: Work) -> dict[str, bytes]:
    return {language: srt.write(blocks) for language, blocks in {_SHOWN: work.subtitles, **work.asides}.items()}


def _keep(folder: Folder, name: bytes, found: Found) -> None:
    """Keep the file as it is now beside itself."""
    backup = name + BACKUP.encode()
    folder.replace(backup, found.data, folder.read(backup), temp_name())


def _put(folder: Folder, name: bytes, data: bytes, there: Found | None) -> None:
    if data:
        folder.replace(name, data, there, temp_name())
    elif there is not None:
        folder.remove(name, there, temp_name())


def look_up(path: str, command: Command) -> Outcome:
    """Say what of a command is in a project as it is on disk now.

    Raises:
        CallboardError: the project or its subtitles cannot be read.
    """
    project, _ = read(path)
    with Folder.open(os.fsencode(os.path.dirname(project.path))) as folder:
        beside = _beside(folder, project, command)
    return read_back(_work(project, beside, command, _no_need, 0.0))


def _no_need(path: str) -> Measured:
    raise TimelineError(path, "is not measured to read a project back")


def problem(error: CallboardError) -> str:
    """Say an error in one line."""
    return f"{error.message} {error.hint}".strip()


__all__ = ["BACKUP", "look_up", "patch", "problem", "read"]
