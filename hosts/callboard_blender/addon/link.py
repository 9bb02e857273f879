"""What the add-on and the board say to each other. It knows the bridge, and nothing of Blender."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from . import words
from .inbox import Inbox, Then
from .telling import Telling

FAST, IDLE, AWAY = 0.02, 0.1, 0.25
"""Seconds between two polls: while an answer is awaited, while nothing is, and while there is no board."""
_EAGER_SECONDS = 10.0
"""After something was asked for, its command is likely to come."""
_INBOX_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
"""For an answer: where Blender and models share a machine, a picture may take long, and is not asked for twice."""
_RECEIPTS = 6


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
        self.telling = Telling(self._ask, self._told)
        self.strange = ""
        """What is to be said of files that the board does not know."""
        self.done: deque[Done] = deque(maxlen=_RECEIPTS)
        self.stale: dict[str, dict[str, Any]] = {}
        """Commands made for an older revision, by id, until a person agrees or dismisses them."""
        self._commands: deque[dict[str, Any]] = deque()
        self._waiting = 0
        self._eager_until = self._inbox_at = 0.0
        self._was = self._project = ""

    def use(self, folder: str, closed: str = "") -> None:
        """Talk to the Callboard project in *folder* from now on; to nobody if it is empty, or *closed* says why not."""
        if (folder, closed) == (self.folder, self.closed):
            return
        self.close()
        self.folder, self.closed = folder, closed
        if folder and not closed:
            self.bridge = self._connect(folder)
            self.bridge.on_command(self._take)
        self._look()

    def close(self) -> None:
        """Say goodbye to the board."""
        if self.bridge is not None:
            self.bridge.close()
        self.bridge, self._was, self._waiting = None, "", 0
        self._commands.clear()
        self.inbox.forget()
        self.telling.forget()

    def touch(self) -> None:
        """Note that there is something else to draw."""
        self.version += 1

    @property
    def waiting_to_apply(self) -> int:
        """Commands that wait until the application is free."""
        return len(self._commands)

    @property
    def saved(self) -> bool:
        """Whether the open project has a name to know it by."""
        return bool(self._project)

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
            if state == "online":
                self.telling.again()
                self._look_again()
        self._follow()
        self._apply_one()
        if state == "online":
            self._keep_up(time.monotonic())
        self._look()
        return self._rest(state)

    def _rest(self, state: str) -> float:
        if state != "online":
            return FAST if state == "connecting" else AWAY  # a login takes several polls, and the server waits briefly
        hurry = self._waiting > 0 or self._commands or self.bridge.pending or time.monotonic() < self._eager_until
        return FAST if hurry else IDLE

    def _told(self) -> None:
        strange = words.strange(*self.telling.strange)
        if strange != self.strange:
            self.strange = strange
            self.touch()
        self._look_again()

    def _look_again(self) -> None:
        """Have the inbox asked for at the next tick."""
        self._inbox_at = 0.0

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

        bridge.ask(verb, data, answered, _ANSWER_SECONDS)

    def _keep_up(self, now: float) -> None:
        if not self._project:
            return
        if self.telling.due() and not self.application.busy():
            self._tell()
        if now >= self._inbox_at:
            self._inbox_at = now + _INBOX_SECONDS
            self.inbox.refresh(self.bridge.host, self._project, self.bridge.pending == 0)
        if self._waiting == 0:
            self.telling.ask_picture(self.inbox.page())

    def _tell(self) -> None:
        uses = self.telling.read(self.application.uses)  # first: the revision is what this pass found
        project, revision = self.application.project()
        self.bridge.present(project, revision)
        self.telling.tell(self.bridge.host, project, uses)

    def _follow(self) -> None:
        """Notice that another project was opened; what waits for the one before stays with the board."""
        project = self.application.project()[0]
        if project == self._project:
            return
        self._project = project
        self._commands.clear()
        self.done.clear()
        self.stale.clear()
        self.inbox.forget()
        self.telling.forget()
        self.telling.again()
        self.bridge.present(project)
        self._look_again()
        self.touch()

    def _take(self, command: dict[str, Any]) -> None:
        """Keep a command until its turn; the board posts it again whenever we come back, and we do it once."""
        if all(one.get("id") != command.get("id") for one in self._commands):
            self._commands.append(command)
            self.touch()

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
        self._eager_until = time.monotonic() + _EAGER_SECONDS
        self._look_again()
        self.telling.dirty()
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
