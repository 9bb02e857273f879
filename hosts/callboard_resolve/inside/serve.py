"""The part that runs beside Resolve: answers the board, and tells it what happens in the application.

Resolve has no tick of ours to call us, and its menu scripts are programs of their own, so this one sleeps between two
looks and holds up nothing.
"""

import time
from typing import TYPE_CHECKING

from callboard_resolve.inside import asking, uses
from callboard_resolve.inside.ledger import digest
from callboard_resolve.inside.outcome import Refused
from callboard_resolve.inside.studio import VERBS, Studio
from callboard_resolve.inside.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from callboard_bridge import Bridge

    from callboard_resolve.inside.session import Session

APPLICATION = "Resolve"
NAP = 0.05
"""Seconds between two looks at the bus; auto-subs' server sleeps twice as long, and nobody complains of it."""
LOOK = 1.0
"""Seconds between two looks at the project and the render queue."""
COUNT = 5.0
"""Seconds between two walks through all that the project uses."""
SLICE = 0.02
"""Seconds that a walk takes at a time, so that Resolve can answer its own window in between."""
PAGE = 32 * 1024
"""Characters of uses in one message; a message holds 64 KiB."""


class Service:
    """Serves one running Resolve to one board.

    Args:
        session: the running Resolve.
        bridge: the way to the board.
        folder: ours, in the data folder of the Callboard project.
        say: takes a line for people.
    """

    def __init__(self, session: "Session", bridge: "Bridge", folder: str, say: "Callable[[str], Any]" = print) -> None:
        self.session, self.bridge, self.folder = session, bridge, folder
        self.studio = Studio(session, folder)
        self.watch = Watch(session)
        self.stopped = False
        self._say = say
        self._told = self._mishap = ""
        self._next_look = self._next_count = 0.0
        self._walk: Iterator[dict[str, Any]] | None = None
        self._found: list[dict[str, Any]] = []
        self._sent = ""
        self._stale: dict[str, dict[str, Any]] = {}
        bridge.on_command(self._command)

    def run(self, stop: "Callable[[], bool]" = lambda: False) -> None:
        """Serve until Resolve is closed, a person disconnects, or *stop* says so."""
        asking.asked(self.folder)
        try:
            while not (self.stopped or stop()):
                self.tick(time.monotonic())
                time.sleep(NAP)
        finally:
            asking.rest(self.folder)
            self.bridge.close()

    def tick(self, now: float) -> None:
        """Do what is due; *now* is in seconds, and only ever grows."""
        self.bridge.poll()
        self._tell_state()
        try:
            if now >= self._next_look:
                self._next_look = now + LOOK
                self._look(now)
            if self._walk is not None:
                self._go_on()
        except Exception as error:  # noqa: BLE001 - what belonged to a project that was closed just now answers None, or raises
            self._walk, self._found = None, []
            if not self.session.alive():
                self._leave()
            elif f"{error}" != self._mishap:
                self._mishap = f"{error}"
                self._say(f"Callboard: {type(error).__name__}: {error}")

    def _leave(self) -> None:
        self._say("Callboard: Resolve is closed")
        self.stopped = True

    def _look(self, now: float) -> None:
        if not self.session.alive():
            self._leave()
            return
        asking.beat(self.folder)
        before = self.watch.project, self.watch.timeline
        for kind, data in self.watch.look():
            self.bridge.post(kind, data)
        for wish in asking.asked(self.folder):
            self._wish(wish)
        if (self.watch.project, self.watch.timeline) != before:
            self._walk, self._sent, self._next_count = None, "", now
            self._stale.clear()
            self.bridge.present(self.watch.project, "")
        if self.watch.project and self._walk is None and now >= self._next_count:
            self._next_count = now + COUNT
            self._walk, self._found = uses.scan(self.session), []

    def _go_on(self) -> None:
        deadline = time.monotonic() + SLICE
        for use in self._walk or ():
            self._found.append(use)
            if time.monotonic() > deadline:
                return
        self._walk = None
        self._send()

    def _send(self) -> None:
        project = self.watch.project
        revision = digest("\n".join(f"{use['ref']} {use['path']} {use.get('revision')}" for use in self._found))
        if self._sent == f"{project} {revision}":
            return
        self._sent = f"{project} {revision}"
        self.bridge.present(project, revision)
        pages = _pages(self._found)
        for page, found in enumerate(pages):
            asked = {"host": self.bridge.host, "project": project, "uses": found, "page": page, "pages": len(pages)}
            self.bridge.ask("uses", asked, self._heard)

    def _heard(self, value: "Any", problem: str) -> None:
        if problem:
            # said again at the next walk
            self._sent = ""

    def _command(self, command: "dict[str, Any]") -> None:
        self._do(command, agreed=False)

    def _do(self, command: "dict[str, Any]", agreed: bool) -> None:
        state, landed, missing, note = self.studio.apply(command, agreed)
        self._say(f"Callboard: {command.get('verb')}: {state}{': ' + note if note else ''}")
        if state == "stale":
            self._stale[str(command["id"])] = command
            self._say("Callboard: choose 'Callboard - apply anyway' in the menu to have it all the same")
        self.bridge.receipt(command, state, landed=landed, missing=missing, note=note)
        self._next_count = 0.0

    def _agree(self) -> None:
        """Do what was held back because the timeline had changed."""
        waiting, self._stale = list(self._stale.values()), {}
        if not waiting:
            self._say("Callboard: nothing waits to be applied")
        for command in waiting:
            self._do(command, agreed=True)

    def _wish(self, wish: "dict[str, Any]") -> None:
        what = str(wish.get("what", ""))
        if what == "stop":
            self._say("Callboard: disconnected")
            self.stopped = True
            return
        if what == "anyway":
            self._agree()
            return
        try:
            self._request(what, dict(wish.get("arguments") or {}))
        except Refused as why:
            self._say(f"Callboard: {why}")

    def _request(self, what: str, arguments: "dict[str, Any]") -> None:
        if what not in asking.WHAT:
            return
        request: dict[str, Any] = {"project": self.session.project_name(), "what": what}
        if arguments.get("languages"):
            request["languages"] = arguments["languages"]
        if what == "placeholder":
            found = uses.gap(self.session)
            if found is None:
                raise Refused("mark the gap with in and out on the timeline first")
            request["gap"] = found
            self._say(f"Callboard: asked for a stand-in of {found['duration']:.2f} s")
        else:
            chosen, how = uses.selected(self.session)
            if not chosen:
                raise Refused("nothing is selected")
            request["uses"] = chosen[:100]
            self._say(f"Callboard: asked for {what} of {len(request['uses'])} clips: {how}")
        self.bridge.post("host.request", request)

    def _tell_state(self) -> None:
        state = self.bridge.state if self.bridge.state == "online" else self.bridge.problem or self.bridge.state
        if state != self._told:
            self._told = state
            self._say(f"Callboard: {state}")


def capabilities() -> "tuple[str, ...]":
    """Give the verbs that a bridge to this adapter offers."""
    return tuple(VERBS)


def _pages(found: "list[dict[str, Any]]") -> "list[list[dict[str, Any]]]":
    pages: list[list[dict[str, Any]]] = [[]]
    size = 0
    for use in found:
        length = len(repr(use))
        if pages[-1] and size + length > PAGE:
            pages.append([])
            size = 0
        pages[-1].append(use)
        size += length
    return pages
