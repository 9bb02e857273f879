"""What happens in Blender, told as events: saved, loaded, rendered, played; and that the project may have changed.

Handlers run on another thread while a render runs in a window, so all they do is append to a queue; Blender's data are
read when the queue is drained, on the main thread.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from . import exits, props, uses, versions
from .inside import bpy

HANDLERS: Final = (
    "save_post",
    "load_post",
    "render_init",
    "render_complete",
    "render_cancel",
    "render_post",
    "depsgraph_update_post",
    "undo_post",
    "redo_post",
)
_NAMED: Final = 100
"""How many references an event lists."""
_CHANGES: Final = ("depsgraph_update_post", "undo_post", "redo_post")
_queue: deque[dict[str, Any]] = deque(maxlen=1000)
_registered: list[tuple[list[Any], Any]] = []
_state: dict[str, Any] = {"changed": False, "rendering": False, "playing": False, "urgent": None, "stamp": ("", 0)}


def register(urgent: Callable[[], None] | None = None) -> None:
    """Begin to listen.

    Args:
        urgent: Called in the background when a render begins, ends, or has done a frame, on the main thread: nothing
            else drains the queue while Blender renders there.
    """
    if _registered:
        return
    _state.update(changed=True, rendering=False, playing=False, urgent=urgent, stamp=_stamp(uses.project()))
    props.register()
    for name in HANDLERS:
        listening = getattr(bpy.app.handlers, name)
        handler = _handler(name)
        listening.append(handler)
        _registered.append((listening, handler))
    exits.keep(unregister)


def unregister() -> None:
    """Stop listening; what was heard and not drained is forgotten."""
    exits.forget(unregister)
    while _registered:
        listening, handler = _registered.pop()
        with contextlib.suppress(ValueError):
            listening.remove(handler)
    _queue.clear()
    _state["urgent"], versions.render["runs"] = None, False


def changed() -> bool:
    """Tell, once, that strips or assets may have changed since the last call."""
    was, _state["changed"] = _state["changed"], False
    return bool(was)


def drain() -> list[tuple[str, dict[str, Any]]]:
    """Give the events since the last call: each its type, and its data but for the host. On the main thread only."""
    found = []
    while _queue:
        heard = _queue.popleft()
        found += _TOLD[heard["handler"]](heard)
    found += _added()
    playing = versions.playing()
    if playing != _state["playing"]:
        _state["playing"] = playing
        found.append(_event(f"host.playback.{'started' if playing else 'ended'}"))
    return found


def _handler(name: str) -> Any:
    def heard(*arguments: Any) -> None:
        if name in _CHANGES:
            _state["changed"] = True
        else:
            _hear(name, arguments)

    return bpy.app.handlers.persistent(heard)


def _hear(name: str, arguments: tuple[Any, ...]) -> None:
    path = arguments[0] if arguments and isinstance(arguments[0], str) else ""
    if name in _TOLD:
        _queue.append({"handler": name, "path": path})
    if name.startswith("render_"):
        versions.render["runs"] = name in ("render_init", "render_post")
    urgent = _state["urgent"]
    if urgent is not None and name.startswith("render_") and threading.current_thread() is threading.main_thread():
        with contextlib.suppress(Exception):
            urgent()


def _event(kind: str, **detail: Any) -> tuple[str, dict[str, Any]]:
    return kind, {"project": uses.project(), "revision": uses.revision(), "detail": detail}


def _added() -> list[tuple[str, dict[str, Any]]]:
    """Tell of strips added and assets marked, by their references, as far as the last snapshot of uses saw them."""
    new = [use["ref"] for use in uses.news()]
    if not new:
        return []
    strips = [ref for ref in new if ref.startswith("strip-")]
    assets = [ref for ref in new if not ref.startswith("strip-")]
    told = {"added": strips[:_NAMED], "marked": assets[:_NAMED], "count": len(new)}
    return [_event("host.scene.changed", **told)]


def _saved(heard: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Say which file was written. Blender 3 does not name it; a save that left the project as it was is a copy."""
    _state["changed"] = True
    project, before = uses.project(), _state["stamp"]
    _state["stamp"] = _stamp(project)
    if heard["path"]:
        path = os.path.abspath(heard["path"])
        copy = os.path.normcase(path) != os.path.normcase(project)
    else:
        copy = before == _state["stamp"]
        path = "" if copy else project
    return [_event("host.scene.saved", path=path, copy=copy)]


def _stamp(path: str) -> tuple[str, int]:
    try:
        return path, os.stat(path).st_mtime_ns if path else 0
    except OSError:
        return path, 0


def _loaded(_heard: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    _state["changed"], _state["stamp"] = True, _stamp(uses.project())
    return [_event("host.scene.loaded", path=uses.project())]


def _render(heard: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Tell of the first beginning and the first end: an animation may begin once for each frame."""
    begins = heard["handler"] == "render_init"
    if begins == _state["rendering"]:
        return []
    _state["rendering"] = begins
    if begins:
        return [_event("host.render.started")]
    return [_event("host.render.ended", complete=heard["handler"] == "render_complete")]


_TOLD: Final = {
    "save_post": _saved,
    "load_post": _loaded,
    "render_init": _render,
    "render_complete": _render,
    "render_cancel": _render,
}
