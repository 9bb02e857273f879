"""One project, served: what it uses and misses goes to the board, what was accepted comes into the project.

Where Kdenlive has the project open, commands wait until it is closed: their receipt is still to come. With
``hosts.live_reload`` a project without unsaved changes is changed on disk and loaded again at once.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import msgspec
from callboard.errors import CallboardError, TimelineError
from callboard_bridge import Bridge
from callboard_schemas import Command, Gap, HostUses, Use

from callboard_kdenlive import opened, saving
from callboard_kdenlive.atonce import at_once
from callboard_kdenlive.live import Session, connected
from callboard_kdenlive.measure import measure
from callboard_kdenlive.outcome import Outcome
from callboard_kdenlive.uses import missing, open_gaps, revision, uses

_PAGE: Final = 40 * 1024
"""Bytes of uses in one message, which holds 64 KiB."""
_LOOK: Final = 2.0
"""Seconds between two looks at whether a project that waits was closed."""
_LATER: Final = 10.0
"""The same, where Kdenlive does not answer: each look waits for it."""
_PATIENCE: Final = 3
"""Times that a project is read again after it was saved by someone else meanwhile."""


class Served:
    """A project and its connection with the board.

    Args:
        path: absolute path of the project.
        bridge: its connection; one for each project.
        say: takes a line for the person who started this.
        ask_placeholders: ask for a stand-in at each gap that a save shows.
        live_reload: change a project that is open without unsaved changes, and have it loaded again.
        wrote: called with the path when we changed the project.
    """

    def __init__(
        self,
        path: str,
        bridge: Bridge,
        *,
        say: Callable[[str], None],
        ask_placeholders: bool = False,
        live_reload: bool = False,
        wrote: Callable[[str], None] = lambda _path: None,
    ) -> None:
        self.path, self.bridge, self.say = path, bridge, say
        self._ask, self._reload, self._wrote = ask_placeholders, live_reload, wrote
        self._waiting: dict[str, dict[str, Any]] = {}
        self._looked, self._pause = 0.0, _LOOK
        self._said: set[str] = set()
        self._found: list[Use] = []
        self._loaded = self._told = self._online = False
        self._tell_at = 0.0
        bridge.on_command(self.take)

    def saved(self, *, ours: bool = False) -> None:
        """Tell the board of the project as it is on disk now; also of what it misses.

        Args:
            ours: We wrote it: that is no event, but what the project uses may be another.
        """
        try:
            project, _ = saving.read(self.path)
        except TimelineError as error:
            self.say(str(error))
            return
        self._found, empty, lost = uses(project), open_gaps(project), missing(project)
        self._told = False
        now = revision(self._found, empty)
        self.bridge.present(self.path, now)
        if not ours:
            kind = "host.scene.saved" if self._loaded else "host.scene.loaded"
            self._loaded = True
            detail = {"gaps": len(empty), "missing": len(lost), "rate": float(project.fps)}
            self.bridge.post(kind, {"project": self.path, "revision": now, "detail": detail}, self.path)
        for one in lost:
            self._once(f"{one.name} is not there ({one.path})")
        for gap in empty:
            self._gap(gap)

    def _tell(self, now: float) -> None:
        """Say what the project uses, once the board is there; again after it was away."""
        online = self.bridge.state == "online"
        if online and not self._online:
            self._told = False
        self._online = online
        if online and not self._told and now >= self._tell_at:
            self._told = True
            for page in _pages(self.bridge.host, self.path, self._found):
                self.bridge.ask("uses", msgspec.to_builtins(page), self._heard)

    def _heard(self, _value: Any, problem: str) -> None:
        if problem:
            self._told, self._tell_at = False, time.monotonic() + _LOOK
            self.say(f"{os.path.basename(self.path)}: {problem}")

    def _gap(self, gap: Gap) -> None:
        if self._once(f"a gap of {gap.duration:.2f} s at {gap.start:.2f} s") and self._ask:
            request = {"project": self.path, "what": "placeholder", "gap": msgspec.to_builtins(gap)}
            self.bridge.post("host.request", request, self.path)

    def _once(self, line: str) -> bool:
        """Say a line that was not said before; tell whether it was not."""
        new = line not in self._said
        if new:
            self._said.add(line)
            self.say(f"{os.path.basename(self.path)}: {line}")
        return new

    def take(self, command: dict[str, Any]) -> None:
        """Take a command; ``tick`` does it, once Kdenlive does not have the project open."""
        self._waiting[str(command.get("id", ""))] = command
        self._looked, self._pause = 0.0, _LOOK

    def tick(self, *, now: float | None = None) -> None:
        """Do what waits, if that can be done now; call it often."""
        now = time.monotonic() if now is None else now
        self._tell(now)
        if not self._waiting or now - self._looked < self._pause:
            return
        first = self._looked == 0.0
        self._looked = now
        here = opened.look(self.path)
        self._pause = _LATER if here.state == "unknown" else _LOOK
        if here.state == "closed" or (self._reload and _reloadable(here)):
            waiting, self._waiting = self._waiting, {}
            done = [self._do(command) for command in waiting.values()]
            if any(done):
                self._changed(here)
            return
        if here.session is not None:
            for ident in [ident for ident, raw in self._waiting.items() if self._live(here.session, raw)]:
                del self._waiting[ident]
        if first and self._waiting:
            self.say(f"{here.why}; {len(self._waiting)} change(s) wait until it is closed")

    def _live(self, session: Session, raw: dict[str, Any]) -> bool:
        """Do in the open project what asks for no more than can be done there; tell whether it was that."""
        try:
            command = msgspec.convert(raw, Command)
            outcome = at_once(session, command)
        except (msgspec.ValidationError, CallboardError):
            return False
        if outcome is not None:
            self._answer(raw, command, outcome)
        return outcome is not None

    def _answer(self, raw: dict[str, Any], command: Command, outcome: Outcome) -> str:
        state, note = _state(command, outcome)
        self.bridge.receipt(raw, state, landed=outcome.landed, missing=outcome.missing, note=note)
        self.say(f"{os.path.basename(self.path)}: {command.verb} {state}{': ' + note if note else ''}")
        return state

    def _changed(self, here: opened.Opened) -> None:
        self._wrote(self.path)
        if here.session is not None:
            try:
                with connected(here.session.bus) as live:
                    live.reload(here.session)
            except CallboardError as error:
                self.say(f"{os.path.basename(self.path)}: load it again in Kdenlive ({error.message})")
        self.saved(ours=True)

    def _do(self, raw: dict[str, Any]) -> bool:
        """Do one command and send its receipt; tell whether the project may have changed."""
        try:
            command = msgspec.convert(raw, Command)
        except msgspec.ValidationError as error:
            self.bridge.receipt(raw, "refused", note=f"not a command: {error}")
            return False
        if command.expires and command.expires < time.time():
            self.bridge.receipt(raw, "refused", note="it came too late")
            return False
        try:
            outcome = self._patched(command)
        except CallboardError as error:
            self.bridge.receipt(raw, "failed", note=saving.problem(error))
            return False
        except Exception as error:  # noqa: BLE001 - one project of a kind never seen must not end the service of all
            self.bridge.receipt(raw, "failed", note=f"{type(error).__name__}: {error}"[:500])
            return False
        return self._answer(raw, command, outcome) in ("applied", "partial")

    def _patched(self, command: Command) -> Outcome:
        for _ in range(_PATIENCE - 1):
            with suppress(TimelineError):
                return saving.patch(self.path, command, measure)
        return saving.patch(self.path, command, measure)

    @property
    def waiting(self) -> int:
        """How many commands wait until the project is closed."""
        return len(self._waiting)


def _reloadable(here: opened.Opened) -> bool:
    return here.state == "open" and here.session is not None and not here.session.modified


def _state(command: Command, outcome: Outcome) -> tuple[str, str]:
    """Say in one word what came of a command, and why where nothing did."""
    if outcome.stale:
        return "stale", outcome.stale
    if outcome.refused:
        return "refused", outcome.refused
    if outcome.missing:
        return ("partial" if outcome.landed or command.verb == "clear" else "failed"), "; ".join(outcome.notes[:3])
    return "applied", "; ".join(outcome.notes[:3])


def _pages(host: str, project: str, found: list[Use]) -> Iterator[HostUses]:
    pages: list[list[Use]] = [[]]
    room = _PAGE
    for use in found:
        size = len(msgspec.json.encode(use))
        if size > room and pages[-1]:
            pages.append([])
            room = _PAGE
        pages[-1].append(use)
        room -= size
    for number, page in enumerate(pages):
        yield HostUses(host=host, project=project, uses=tuple(page), page=number, pages=len(pages))


def host_id(path: str) -> str:
    """Name the host that serves a project: the same at each start, so that its outbox is found again."""
    return f"kdenlive-{hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:8]}"


__all__ = ["Served", "host_id"]
