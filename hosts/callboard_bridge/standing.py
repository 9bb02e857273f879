"""How we stand with the board: told every few seconds that we are there, greeted once, asked now and then."""

from __future__ import annotations

import time

from callboard_bridge.says import envelope
from callboard_bridge.wire import encode, pub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from callboard_bridge.link import Link
    from callboard_bridge.questions import Questions

PRESENCE_SECONDS = 5.0
HELLO_SECONDS, PING_SECONDS, HEARD_SECONDS = 2.0, 15.0, 5.0
"""Until a board that did not answer is greeted again, until one that did is asked whether it is still there, and how
long it may take to say so."""


class Standing:
    """Greets the board over *link*, with *presence* as what is said of us."""

    def __init__(self, link: Link, questions: Questions, presence: dict[str, Any]) -> None:
        self.greeted, self.problem = False, ""
        self._link, self._questions, self._presence = link, questions, presence
        self._turn = 0
        self._tell_at = self._hello_at = 0.0

    def present(self, project: str, revision: str) -> None:
        """Say which project is open, at which revision."""
        if project != self._presence.get("project", ""):
            self.restart()
        if revision != self._presence.get("revision", ""):
            self._tell_at = 0.0
        self._presence.update({"project": project, "revision": revision})

    def restart(self) -> None:
        """Greet anew: the connection or the project is another."""
        self.greeted, self.problem = False, ""
        self._questions.greeted(False)
        self._turn += 1
        self._tell_at = self._hello_at = 0.0

    def step(self, now: float) -> bool:
        """Do what is due on a connection that is ready; say whether we told that we are there."""
        if now >= self._hello_at:
            self._hello_at = now + HEARD_SECONDS + 1.0
            self._ask()
        if now < self._tell_at:
            return False
        self._tell_at = now + PRESENCE_SECONDS
        self.tell("online")
        return True

    def tell(self, state: str) -> None:
        """Tell whoever listens that we are ``online`` or ``offline``."""
        event = envelope("host.presence", {**self._presence, "state": state})
        self._link.send(pub("cb.now.host.presence", encode(event)))

    def _ask(self) -> None:
        turn = self._turn

        def then(_value: Any, problem: str) -> None:
            if turn == self._turn:
                self.greeted, self.problem = not problem, problem
                self._questions.greeted(self.greeted)
                self._hello_at = time.monotonic() + (HELLO_SECONDS if problem else PING_SECONDS)

        verb, data = ("ping", {}) if self.greeted else ("hello", self._presence)
        self._questions.ask(verb, data, then, time.monotonic() + HEARD_SECONDS, first=True)
