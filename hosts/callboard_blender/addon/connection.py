"""Ties the link to Blender: one timer that polls it, and what it may do to the open project, and when."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import time
import uuid
from typing import Any

from . import apply, events, exits, preferences, thumbnails, uses, versions, whereabouts
from .apply import styles
from .inside import bpy
from .link import Link

log = logging.getLogger(__name__)

_AIM_SECONDS = 5.0
"""Between two looks at which project is meant, for an installer may have written it."""
_TROUBLE_SECONDS = 1.0
_PANELS = {"VIEW_3D", "SEQUENCE_EDITOR", "PREFERENCES"}
_FREE_MODES = ("OBJECT", "POSE")
"""In any other mode an undo step holds the edited object alone, not what we would change."""


class Blender:
    """This Blender, as the link needs it."""

    def project(self) -> tuple[str, str]:
        """Say which file is open, and its revision."""
        return uses.project(), uses.revision()

    def uses(self) -> list[dict[str, Any]]:
        """List every use of media in the open file."""
        return uses.snapshot()

    def run(self, command: dict[str, Any], agreed: bool) -> dict[str, Any]:
        """Do what a command asks; captions look as the person prefers."""
        return apply.run(styles.styled(command, preferences.style()), agreed)

    def busy(self) -> bool:
        """Say whether it renders, somebody drags something, or an object is being edited."""
        return versions.busy() or getattr(bpy.context, "mode", "OBJECT") not in _FREE_MODES


class _Session:
    """The add-on while it is registered."""

    def __init__(self) -> None:
        self.link = Link(Blender(), _bridge, "")
        self.drawn = -1
        self.aim_at = 0.0
        self.listening = False
        self.name = ""
        self.trouble = ""


_sessions: list[_Session] = []
"""One while the add-on is registered, else none."""


def current() -> Link | None:
    """Give the link, while the add-on is registered."""
    return _sessions[0].link if _sessions else None


def bridge_module() -> Any:
    """Import the bridge: the one beside us in the add-on as it is installed, else the package of its own."""
    beside = f"{__package__}.bridge"
    return importlib.import_module(beside if importlib.util.find_spec(beside) else "callboard_bridge")


def _bridge(folder: str) -> Any:
    name = preferences.host() or "blender"
    version = ".".join(str(part) for part in bpy.app.version)
    return bridge_module().Bridge.for_project(
        folder, "Blender", version, capabilities=apply.VERBS, host=f"{name}-{uuid.uuid4().hex[:6]}"
    )


def start() -> None:
    """Begin to connect; in a Blender without a window only when it is asked for with ``pump``."""
    _sessions.append(_Session())
    exits.keep(stop)
    if not bpy.app.background:
        bpy.app.timers.register(_tick, first_interval=0.1, persistent=True)


def stop() -> None:
    """Disconnect."""
    exits.forget(stop)
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    if _sessions:
        events.unregister()
        _sessions.pop().link.close()


def aim() -> None:
    """Look again at which project is meant, at the next tick."""
    for session in _sessions:
        session.aim_at = 0.0


def pump() -> float:
    """Go on once, where no timer does it. Returns the seconds after which to call it again."""
    return _go_on(_sessions[0]) if _sessions else _TROUBLE_SECONDS


def _urgently() -> None:
    pump()


def _tick() -> float | None:
    return _go_on(_sessions[0]) if _sessions else None


def _go_on(session: _Session) -> float:
    """Poll the link; what goes wrong is logged, for an exception would end Blender's timer for good."""
    try:
        if not session.listening:  # not when it is registered: Blender hides the open file from add-ons then
            session.listening = True
            events.register(urgent=_urgently if bpy.app.background else None)
        _take_aim(session)
        link = session.link
        for kind, data in events.drain():
            link.post(kind, data)
        if events.changed():
            link.telling.dirty()
        rest = link.tick()
        while link.telling.pictures:
            thumbnails.put(*link.telling.pictures.popleft())
            link.touch()
        if session.drawn != link.version:
            session.drawn = link.version
            redraw()
    except Exception as error:
        if session.trouble != repr(error):  # the same again every second would bury everything else
            session.trouble = repr(error)
            log.exception("callboard: the connection stumbled")
        return _TROUBLE_SECONDS
    return rest


def _take_aim(session: _Session) -> None:
    now = time.monotonic()
    if now < session.aim_at:
        return
    session.aim_at = now + _AIM_SECONDS
    folder = preferences.project()
    url = str(whereabouts.board(folder).get("url", "")) if folder else ""
    session.link.by = preferences.by()
    if session.name != preferences.host():  # another name is another host: say goodbye under the old one
        session.name = preferences.host()
        session.link.use("")
    session.link.use(folder, preferences.allowed(url) if url else "")


def redraw() -> None:
    """Have the sidebars drawn again, and nothing else: the viewport itself may be slow."""
    for window in versions.windows():
        for area in window.screen.areas:
            if area.type in _PANELS:
                for region in area.regions:
                    if region.type == ("WINDOW" if area.type == "PREFERENCES" else "UI"):
                        region.tag_redraw()
