"""Does what a command asks, in the open file: a fixed list of verbs, one step of undo each, read back afterwards."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from .. import ours, uses, versions
from ..inside import bpy
from . import clear, markers, offline, placeholders, relink, subtitles, tags
from .task import Task

log = logging.getLogger(__name__)


def _insert(task: Task) -> None:
    """Put a stand-in at a strip, where one is named, else at a gap."""
    return offline.insert(task) if task.ref else placeholders.insert(task)


_DO: Final[dict[str, Callable[[Task], None]]] = {
    "tags.write": tags.write,
    "description.write": tags.describe,
    "markers.write": markers.write,
    "subtitles.write": subtitles.write,
    "placeholder.insert": _insert,
    "relink": relink.relink,
    "clear": clear.clear,
}
VERBS: Final = tuple(_DO)
"""All that this host does."""
_NAMED: Final = 200
"""How many names a receipt lists: it must fit into one message."""


def run(
    command: Mapping[str, Any], agreed: bool = False, allowed: Callable[[str], bool] | None = None
) -> dict[str, Any]:
    """Do what a command asks, and say what is there now.

    Args:
        command: As it was heard, with its content whole.
        agreed: A person agreed that it is for an older revision, or is old.
        allowed: Tells whether a path may be touched; without it, whoever heard the command has looked.

    Returns:
        ``state``, ``landed``, ``missing`` and ``note``, as a receipt has them. Never raises.
    """
    try:
        use = _use(command)
        refusal = _refusal(command, use, agreed, allowed)
        return refusal if refusal is not None else _run(Task(command, use, agreed))
    except Exception as error:
        log.exception("callboard: a command could not be done")
        return _receipt("failed", [], [], f"{type(error).__name__}: {error}")


def _refusal(
    command: Mapping[str, Any], use: Mapping[str, Any] | None, agreed: bool, allowed: Callable[[str], bool] | None
) -> dict[str, Any] | None:
    verb, expires = command.get("verb"), float(command.get("expires", 0) or 0)
    file = str((command.get("content") or {}).get("file", ""))
    if verb not in _DO:
        return _receipt("refused", [], [], f"Blender does not do {verb!r}")
    if not command.get("proposal"):
        return _receipt("refused", [], [], "the command names no proposal")
    meant = str(command.get("project", ""))
    if meant and not _same_file(meant, uses.project()):
        return _receipt("refused", [], [], f"it is for {meant}, which is not open")
    if expires and time.time() > expires and not agreed:
        return _receipt("refused", [], [], "it has expired")
    if file and allowed is not None and not allowed(file):
        return _receipt("refused", [], [], f"{file} is in no folder that the board watches, nor in its project")
    return _stale(command, use, agreed)


def _stale(command: Mapping[str, Any], use: Mapping[str, Any] | None, agreed: bool) -> dict[str, Any] | None:
    ref = str((command.get("use") or {}).get("ref", ""))
    if not ref or command.get("verb") == "clear":
        return None
    if use is None:
        return _receipt("failed", [], [], "what it is for is no longer in this file")
    found = uses.find_strip(ref) if command.get("verb") == "placeholder.insert" else None
    if found is not None and ours.LOST in found[1] and found[1].get(ours.ID) == command.get("proposal"):
        return None  # what we put there is exchanged wherever a person moved it
    wanted = str(command.get("revision", ""))
    if wanted and wanted != use["revision"] and not agreed:
        return _receipt("stale", [], [], f"{use['name']} was moved, cut or retimed since")
    return None


def _use(command: Mapping[str, Any]) -> dict[str, Any] | None:
    ref = str((command.get("use") or {}).get("ref", ""))
    return uses.find(ref) if ref else None


def _same_file(one: str, other: str) -> bool:
    return bool(other) and os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


def _run(task: Task) -> dict[str, Any]:
    failure = ""
    try:
        with contextlib.ExitStack() as stack:
            for scene in bpy.data.scenes:
                stack.enter_context(versions.unselected(scene))
            _DO[str(task.command["verb"])](task)
    except (RuntimeError, TypeError, ValueError, KeyError, AttributeError, OSError) as error:
        log.exception("callboard: %s stopped half way", task.command["verb"])
        failure = f"stopped half way: {type(error).__name__}: {error}"
    if task.stale:
        return _receipt("stale", [], [], task.stale)
    if task.changed:
        versions.undo_step(f"Callboard: {task.command['verb']}")
    if failure:
        return _receipt("partial" if task.landed else "failed", task.landed, [*task.missing, failure], "")
    state = "applied" if not task.missing else "partial" if task.landed or task.changed else "failed"
    return _receipt(state, task.landed, task.missing, "; ".join(task.notes))


def _receipt(state: str, landed: list[str], missing: list[str], note: str) -> dict[str, Any]:
    return {"state": state, "landed": _short(landed), "missing": _short(missing), "note": note[:1000]}


def _short(names: list[str]) -> list[str]:
    kept = [name[:200] for name in names[:_NAMED]]
    return kept if len(names) <= _NAMED else [*kept, f"and {len(names) - _NAMED} more"]


__all__ = ["VERBS", "run"]
