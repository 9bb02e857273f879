"""What the add-on and the board say to each other. It knows the bridge, and nothing of Blender."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from . import words
from .inbox import Inbox, Then

FAST, IDLE, AWAY = 0.02, 0.1, 0.25
"""Seconds between two polls: while an answer is awaited, while nothing is, and while there is no board."""
_EAGER_SECONDS = 10.0
"""After something was asked for, its command is likely to come."""
_INBOX_SECONDS = 5.0
_USES_SECONDS = 0.5
"""Rest after the last change of the project, before its uses are told again."""
_PAGE_BYTES = 32 * 1024
_RECEIPTS = 6
_THUMBNAIL_WIDTH = 192
_THUMBNAILS = 512
"""That are asked for in one session; each stays in memory."""


class Done(NamedTuple):
    """What became of a command, in words."""

    icon: str
    line: str
    more: tuple[str, ...]
    command: str
    stale: bool = False


class Application(Protocol):
    """What the link needs of the application that it lives in; every call comes from its tick."""

    def project(self) -> tuple[str, str]:
        """Say which project is open (a path; empty if none), and its revision."""
        ...

    def uses(self) -> list[dict[str, Any]]:
        """List every use of media in the project."""
        ...

    def run(self, command: dict[str, Any], agreed: bool) -> dict[str, Any]:
        """Do what a command asks; if *agreed*, on a newer revision too. Returns a receipt."""
        ...

    def busy(self) -> bool:
        """Say whether the project must not be touched now."""
        ...


class Link:
    """One project's board, seen from inside an application.

    Args:
        application: The application.
        connect: Makes a bridge to the Callboard project in a folder.
        by: Who decides here.
    """

    def __init__(self, application: Application, connect: Callable[[str], Any], by: str) -> None:
        self.application, self._connect, self.by = application, connect, by
        self.bridge: Any = None
        self.folder = ""
        self.closed = ""
        """Why the board may not be talked to; empty where it may."""
        self.version = 0
        """Grows whenever there is something else to draw."""
        self.status = words.status("unset")
        self.inbox = Inbox(self._ask, self.touch)
        self.done: deque[Done] = deque(maxlen=_RECEIPTS)
        self.stale: dict[str, dict[str, Any]] = {}
        """Commands made for an older revision, by id, until a person agrees or dismisses them."""
        self.pictures: deque[tuple[str, bytes]] = deque()
        """Thumbnails that came, as (ref, JPEG), for the application to take."""
        self.known: dict[str, str] = {}
        """Ref of each use to its media's digest, as far as the board knows it."""
        self.places: dict[str, dict[str, Any]] = {}
        """Each use by its ref, as it was told last."""
        self._commands: deque[dict[str, Any]] = deque()
        self._pictured: set[str] = set()
        self._waiting = 0
        self._eager_until = self._uses_at = self._inbox_at = 0.0
        self._was = self._told = ""

    def use(self, folder: str, closed: str = "") -> None:
        """Talk to the Callboard project in *folder* from now on; to nobody if it is empty, or *closed* says why not."""
        if (folder, closed) == (self.folder, self.closed):
            return
        self.close()
        self.folder, self.closed = folder, closed
        if folder and not closed:
            self.bridge = self._connect(folder)
            self.bridge.on_command(self._commands.append)
        self._look()

    def close(self) -> None:
        """Say goodbye to the board."""
        if self.bridge is not None:
            self.bridge.close()
        self.bridge, self._was, self._told, self._waiting = None, "", "", 0
        self._commands.clear()
        self.inbox.forget()
        self.known, self.places = {}, {}

    def touch(self) -> None:
        """Note that there is something else to draw."""
        self.version += 1

    def dirty(self) -> None:
        """Note that the project may have changed."""
        self._uses_at = time.monotonic() + _USES_SECONDS

    @property
    def waiting_to_apply(self) -> int:
        """Commands that wait until the application is free."""
        return len(self._commands)

    @property
    def online(self) -> bool:
        """Whether the board answers."""
        return self.bridge is not None and self.bridge.state == "online"

    def tick(self) -> float:
        """Go on; never blocks. Returns the seconds after which it wants to be called again."""
        bridge = self.bridge
        if bridge is None:
            self._look()
            return AWAY
        bridge.poll()
        state = bridge.state
        if state != self._was:
            self._was = state
            if state == "online":  # the board may be another one, or have forgotten: tell it everything again
                self._uses_at, self._inbox_at, self._told = 1e-9, 0.0, ""
        self._apply_one()
        if state == "online":
            self._keep_up(time.monotonic())
        self._look()
        return self._rest(state)

    def _rest(self, state: str) -> float:
        if state != "online":
            return AWAY
        hurry = self._waiting > 0 or self._commands or self.bridge.pending or time.monotonic() < self._eager_until
        return FAST if hurry else IDLE

    def _look(self) -> None:
        bridge = self.bridge
        if bridge is None:
            said = words.status("closed", self.closed) if self.closed else words.status("unset")
        else:
            said = words.status(bridge.state, bridge.problem, bridge.pending, self.folder)
        if said != self.status:
            self.status = said
            self.touch()

    def _ask(self, verb: str, data: dict[str, Any], then: Then) -> None:
        bridge = self.bridge
        if bridge is None:
            then(None, "Callboard is not connected.")
            return
        self._waiting += 1

        def answered(value: Any, problem: str) -> None:
            if bridge is self.bridge:
                self._waiting = max(self._waiting - 1, 0)
                then(value, problem)

        bridge.ask(verb, data, answered)

    def _keep_up(self, now: float) -> None:
        if self._uses_at and now >= self._uses_at and not self.application.busy():
            self._uses_at = 0.0
            self._tell_uses()
        if now >= self._inbox_at:
            self._inbox_at = now + _INBOX_SECONDS
            self.inbox.refresh(self.bridge.host, self.application.project()[0], self.bridge.pending == 0)
        if self._waiting == 0:
            self._ask_picture()

    def _tell_uses(self) -> None:
        """Tell which media the project uses, if that is not what was told last."""
        project, revision = self.application.project()
        uses = self.application.uses()
        self.places = {str(use.get("ref", "")): use for use in uses}
        self.bridge.present(project, revision)
        told = json.dumps([project, uses], sort_keys=True, default=str)
        if told == self._told:
            return
        self._told = told
        known: dict[str, str] = {}

        def then(value: Any, problem: str) -> None:
            if problem:
                self._told, self._uses_at = "", time.monotonic() + _INBOX_SECONDS
            elif isinstance(value, Mapping):
                known.update(value.get("known") or {})
                self.known, self._inbox_at = dict(known), 0.0

        parted = pages(uses)
        for number, page in enumerate(parted):
            data = {"host": self.bridge.host, "project": project, "uses": page, "page": number, "pages": len(parted)}
            self._ask("uses", data, then)

    def _ask_picture(self) -> None:
        """Ask for one thumbnail that a row needs and nobody asked for yet."""
        if len(self._pictured) >= _THUMBNAILS:
            return
        refs = (row.refs[0] for row in self.inbox.rows if row.refs)
        ref = next((one for one in refs if one in self.places and one not in self._pictured), "")
        if not ref:
            return
        self._pictured.add(ref)
        use = self.places[ref]
        middle = float(use.get("source_in", 0.0)) + float(use.get("duration", 0.0)) * float(use.get("speed", 1.0)) / 2
        which = {"digest": self.known[ref]} if self.known.get(ref) else {"path": use.get("path", "")}

        def then(value: Any, problem: str) -> None:
            try:
                jpeg = base64.b64decode(value["jpeg"]) if not problem else b""
            except (TypeError, KeyError, ValueError, binascii.Error):
                return
            if jpeg:
                self.pictures.append((ref, jpeg))

        self._ask("thumbnail", {**which, "width": _THUMBNAIL_WIDTH, "seconds": max(middle, 0.0)}, then)

    def _apply_one(self) -> None:
        """Do at most one command a tick, and none while the application is busy."""
        if self._commands and not self.application.busy():
            self._apply(self._commands.popleft(), agreed=False)

    def _apply(self, command: dict[str, Any], *, agreed: bool) -> None:
        answer = self.application.run(command, agreed)
        state, note = str(answer.get("state", "failed")), str(answer.get("note") or "")
        landed, missing = (tuple(str(one) for one in answer.get(name) or ()) for name in ("landed", "missing"))
        self.bridge.receipt(command, state, landed=landed, missing=missing, note=note)
        ident = str(command.get("id", ""))
        self.dismiss(ident)
        if state == "stale":
            self.stale[ident] = command
        icon, line, more = words.receipt(command, answer)
        self.done.appendleft(Done(icon, line, tuple(more), ident, state == "stale"))
        self._eager_until, self._inbox_at = time.monotonic() + _EAGER_SECONDS, 0.0
        self.dirty()
        self.touch()

    def apply_anyway(self, ident: str) -> bool:
        """Do a stale command after all. Returns whether it was there and the application was free."""
        command = self.stale.get(ident)
        if command is None or self.bridge is None or self.application.busy():
            return False
        self._apply(command, agreed=True)
        return True

    def dismiss(self, ident: str) -> None:
        """Leave a stale command undone; the board has its receipt already."""
        self.stale.pop(ident, None)
        for old in [one for one in self.done if one.command == ident]:
            self.done.remove(old)
        self.touch()

    def decide(self, ident: str, decision: str, reason: str = "") -> None:
        """Tell what a person decided; it is kept and sent later while the board is away."""
        told: dict[str, Any] = {"proposal": ident, "decision": decision, "by": self.by, "reason": reason}
        if self.inbox.opened == ident and decision == "accept" and self.inbox.without:
            told["without"] = sorted(self.inbox.without)
        self.post("host.decided", {"decision": told})
        self.inbox.decide(ident)
        self._inbox_at = time.monotonic() + 1.0

    def request(self, what: str, **more: Any) -> None:
        """Ask the board for captions, tags, a translation or a placeholder."""
        self.post("host.request", {"project": self.application.project()[0], "what": what, **more})

    def post(self, kind: str, data: dict[str, Any]) -> None:
        """Tell the board of an event, now or when it is back."""
        if self.bridge is not None:
            self.bridge.post(kind, data)
            self._eager_until = time.monotonic() + _EAGER_SECONDS


def pages(uses: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Part uses into pages that fit into a message each; an empty project has one empty page."""
    found: list[list[dict[str, Any]]] = [[]]
    room = _PAGE_BYTES
    for use in uses:
        size = len(json.dumps(use))
        if size > room and found[-1]:
            found.append([])
            room = _PAGE_BYTES
        found[-1].append(use)
        room -= size
    return found
