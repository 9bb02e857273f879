"""Kdenlive while it runs, over D-Bus: what is open in it, and the little that it can be asked for.

Its interface (``org.kde.kdenlive.MainWindow``) adds media to the bin and a subtitle at the playhead. It sets no guide,
no tag and no place on the timeline, so none of that is offered; a project without unsaved changes can be changed on
disk and loaded again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from callboard.errors import HostError, MissingExtra
from callboard.strict_xml import parser as strict_parser
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs
from msgspec import Struct

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection

SERVICE: Final = "org.kde.kdenlive-"
WINDOW: Final = "/kdenlive/MainWindow_1"
_MAIN: Final = "org.kde.kdenlive.MainWindow"
_WIDGET: Final = "org.qtproject.Qt.QWidget"
_ACTION: Final = "org.qtproject.Qt.QAction"
_SECONDS: Final = 2.0
"""For one answer, and for the bus to let us in: a dialog that waits for a person blocks all answers."""


class Session(Struct, frozen=True):
    """A Kdenlive that runs and answers."""

    service: str
    title: str
    """Of its window: the project's name, then its profile."""
    modified: bool
    """There are changes that are not saved."""
    bus: str = ""
    """The address of its bus; empty for this session's own."""

    def shows(self, path: str) -> bool:
        """Tell whether a project of that name is open in it; the title does not say the folder."""
        name = self.title.partition("/")[0].partition("[*]")[0].rstrip(" *")
        return name in (Path(path).name, Path(path).stem)


class Live:
    """A connection with the session bus. Use ``connected``."""

    def __init__(self, connection: DBusConnection, address: str = "") -> None:
        self._bus, self._address = connection, address

    def sessions(self) -> list[Session]:
        """List the sessions of Kdenlive on this bus.

        Raises:
            HostError: one is there and does not answer; a dialog may be open in it.
        """
        from jeepney.bus_messages import message_bus

        (names,) = self._send(message_bus.ListNames())
        services = sorted(name for name in names if name.startswith(SERVICE))
        return [self._session(service) for service in services]

    def _session(self, service: str) -> Session:
        title = str(self._property(service, WINDOW, _WIDGET, "windowTitle"))
        modified = bool(self._property(service, WINDOW, _WIDGET, "windowModified"))
        return Session(service, title, modified, self._address)

    def add_clip(self, session: Session, path: str) -> None:
        """Add a file to the top of the bin; the person's undo takes it back."""
        self._call(session.service, WINDOW, _MAIN, "addProjectClip", "ss", (path, "-1"))

    def add_subtitle(self, session: Session, text: str) -> None:
        """Add a subtitle at the playhead, wherever that is."""
        self._call(session.service, WINDOW, _MAIN, "slotAddSubtitle", "s", (text,))

    def reload(self, session: Session) -> None:
        """Load the project from disk again. Kdenlive asks the person first where there are unsaved changes.

        Raises:
            HostError: it cannot just now, or does not answer.
        """
        action = f"{WINDOW}/actions/file_revert"
        if not self._property(session.service, action, _ACTION, "enabled"):
            raise HostError("kdenlive", "does not offer to load the project again", "Close and open it.")
        self._call(session.service, action, _ACTION, "trigger")

    def methods(self, session: Session) -> list[str]:
        """Name what its interface offers, as it says itself."""
        (text,) = self._call(session.service, WINDOW, "org.freedesktop.DBus.Introspectable", "Introspect")
        tree = etree.fromstring(str(text).encode(), strict_parser())
        return sorted({str(m.get("name")) for m in tree.iterfind(f"interface[@name='{_MAIN}']/method")})

    def _property(self, service: str, path: str, interface: str, name: str) -> Any:
        from jeepney import DBusAddress, Properties

        ((_, value),) = self._send(Properties(DBusAddress(path, service, interface)).get(name))
        return value

    def _call(
        self, service: str, path: str, interface: str, name: str, signature: str = "", values: tuple[str, ...] = ()
    ) -> Any:
        from jeepney import DBusAddress, new_method_call

        return self._send(new_method_call(DBusAddress(path, service, interface), name, signature or None, values))

    def _send(self, message: Any) -> Any:
        from jeepney import DBusErrorResponse
        from jeepney.wrappers import unwrap_msg

        try:
            return unwrap_msg(self._bus.send_and_get_reply(message, timeout=_SECONDS))
        except TimeoutError:
            hint = "A dialog may be open in it; answer that."
            raise HostError("kdenlive", f"does not answer within {_SECONDS:.0f} s over D-Bus", hint) from None
        except (DBusErrorResponse, OSError) as error:
            raise HostError("kdenlive", f"refuses over D-Bus: {error}") from None


@contextmanager
def connected(address: str = "") -> Iterator[Live]:
    """Connect with a session bus for a while.

    Args:
        address: of the bus; empty for this session's own.

    Raises:
        MissingExtra: ``jeepney`` is not installed.
        HostError: there is no session bus here.
    """
    try:
        from jeepney.io.blocking import open_dbus_connection
    except ImportError:
        raise MissingExtra("asking Kdenlive over D-Bus", "jeepney", "kdenlive") from None
    if sys.platform == "win32":
        raise HostError("kdenlive", "has no session bus on Windows", "Close the project to have it changed.")
    try:
        connection = open_dbus_connection(bus=address or "SESSION", auth_timeout=_SECONDS)
    except (OSError, KeyError, ValueError) as error:
        hint = "Start this in the desktop session in which Kdenlive runs."
        why = f"{error.args[0]} is not set" if isinstance(error, KeyError) else str(error)
        raise HostError("kdenlive", f"there is no session bus here ({why})", hint) from None
    try:
        yield Live(connection, address)
    finally:
        connection.close()


__all__ = ["SERVICE", "WINDOW", "Live", "Session", "connected"]
