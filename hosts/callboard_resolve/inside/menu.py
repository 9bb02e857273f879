"""What the menu scripts do: connect this Resolve with a Callboard project, or leave a wish for the part that is."""

from typing import TYPE_CHECKING

from callboard_resolve.inside import asking
from callboard_resolve.inside.serve import APPLICATION, Service, capabilities
from callboard_resolve.inside.session import Gone, Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def main(entry: str, project: str, found: "dict[str, Any]", say: "Callable[[str], Any]" = print) -> None:
    """Do what one menu entry is for; never raises.

    Args:
        entry: ``connect``; what is asked for: ``captions``, ``tags``, ``translation``, ``placeholder``; or ``anyway``,
            which has done what was held back because the timeline had changed.
        project: the folder of the Callboard project.
        found: the names that Resolve gives to its scripts, ``resolve`` among them.
        say: takes a line for people; Resolve shows it in its console.
    """
    try:
        if entry != "connect":
            _wish(entry, project, say)
        elif asking.running(asking.folder_of(project)):
            asking.ask(asking.folder_of(project), "stop")
            say("Callboard: disconnecting")
        else:
            connect(found.get("resolve"), project, say)
    except Exception as error:  # noqa: BLE001 - a menu script has nobody above it, and Resolve would show a traceback
        say(f"Callboard: {type(error).__name__}: {error}")


def connect(
    resolve: "Any",
    project: str,
    say: "Callable[[str], Any]" = print,
    stop: "Callable[[], bool]" = lambda: False,
) -> None:
    """Serve a running Resolve until it is closed or a person disconnects."""
    from callboard_bridge import Bridge  # only this entry needs it, and menu scripts shall start at once

    try:
        session = Session(resolve)
    except (Gone, AttributeError, TypeError):
        say("Callboard: DaVinci Resolve does not answer; start this from its menu Workspace > Scripts")
        return
    say(f"Callboard: {session.product} {session.version}")
    version = f"{session.version} {'Studio' if session.studio else 'free'}"
    bridge = Bridge.for_project(project, APPLICATION, version, capabilities())
    Service(session, bridge, asking.folder_of(project), say).run(stop)


def _wish(entry: str, project: str, say: "Callable[[str], Any]") -> None:
    folder = asking.folder_of(project)
    if not asking.running(folder):
        say("Callboard: choose 'Callboard' in the same menu first, then this again")
        return
    asking.ask(folder, entry)
    say(f"Callboard: {entry}: passed on")
