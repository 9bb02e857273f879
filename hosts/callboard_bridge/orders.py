"""Commands of the board: checked, made whole, and handed over once."""

from __future__ import annotations

import time
from collections import OrderedDict, deque

from callboard_bridge.contents import ContentError, read
from callboard_bridge.wire import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from typing import Any

    from callboard_bridge.guard import Guard
    from callboard_bridge.questions import Questions
    from callboard_bridge.wire import Message

MAX_WAITING, MAX_KNOWN = 256, 2048
"""Commands that wait for their content, and ids of those that were handed over."""
MAX_PARTS, MAX_PART = 64, 64 * 1024
"""Of a content; the board's parts have 32 KiB."""
ASK_AGAIN_SECONDS = 5.0
"""Until commands are asked for again whose content did not come."""


class Orders:
    """Takes commands in.

    Args:
        guard: Says what a command may be.
        questions: Asks for contents.
        host: Our own id.
        capabilities: The verbs that this application takes.
        receipt: Called with a command that may not be done, ``refused`` and why, to say so.
        hand: Called with a command that may.
    """

    def __init__(
        self,
        guard: Guard,
        questions: Questions,
        host: str,
        capabilities: Sequence[str],
        receipt: Callable[..., None],
        hand: Callable[[dict[str, Any]], None],
    ) -> None:
        self.project = ""
        self._guard, self._questions, self._host, self._capabilities = guard, questions, host, capabilities
        self._receipt, self._hand = receipt, hand
        self._known: OrderedDict[str, bool] = OrderedDict()
        self._waiting: deque[dict[str, Any]] = deque()
        self._fetching = ""
        self._parts: list[str] = []
        self._reading: Generator[None, None, dict[str, Any]] | None = None
        self._missed_at = 0.0

    def heard(self, message: Message) -> None:
        """Take a command; one for another host or project, or one that is known, is passed over."""
        command = _command(message)
        if command is None or command["host"] != self._host:
            return
        if command.get("project") and command["project"] != self.project:
            return  # it waits at the board until that project is open
        ident = command["id"]
        if ident in self._known:
            return
        self._know(ident)
        objection = self._objection(command)
        if objection:
            self._receipt(command, "refused", note=objection)
        elif command.get("content") is None and command.get("parts"):
            parts = command["parts"]
            if not isinstance(parts, int) or not 0 < parts <= MAX_PARTS:
                self._receipt(command, "refused", note="its content has too many parts")
            elif len(self._waiting) >= MAX_WAITING:
                self._miss(ident)
            else:
                self._waiting.append(command)
                if len(self._waiting) == 1:
                    self._fetch()
        else:
            self._hand(command)

    def _know(self, ident: str) -> None:
        self._known[ident] = False
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    def settled(self, ident: str) -> None:
        """Remember that a command has its receipt: it is not handed over again, whichever project is open."""
        if ident in self._known:
            self._known[ident] = True

    def forget(self) -> None:
        """Another project is open, or the connection is new: what has no receipt may come again."""
        self._waiting.clear()
        self._fetching, self._parts, self._reading = "", [], None
        for ident in [ident for ident, settled in self._known.items() if not settled]:
            del self._known[ident]

    def drop(self) -> None:
        """The connection is lost: contents that were not whole come again with their commands."""
        for command in self._waiting:
            self._known.pop(command["id"], None)
        self._waiting.clear()
        self._fetching, self._parts, self._reading = "", [], None

    def step(self, now: float, until: float) -> None:
        """Read a content on, until *until*; ask again for commands that were missed."""
        if self._reading is not None:
            self._read(until)
        if self._missed_at and now > self._missed_at and not self._waiting:
            self._missed_at = 0.0
            self.ask_again()

    @property
    def busy(self) -> bool:
        """Whether ``step`` has something to read."""
        return self._reading is not None

    def ask_again(self) -> None:
        """Have the board post what is pending once more."""
        self._questions.ask(
            "commands", {"host": self._host, "project": self.project}, lambda _value, _problem: None, _deadline()
        )

    def _objection(self, command: dict[str, Any]) -> str:
        return self._guard.objection(command, self._host, self._capabilities, time.time())

    def _miss(self, ident: str) -> None:
        self._known.pop(ident, None)
        self._missed_at = time.monotonic() + ASK_AGAIN_SECONDS

    def _fetch(self) -> None:
        """Ask for the next part of the first command that waits."""
        if not self._waiting or self._reading is not None:
            return
        command = self._waiting[0]
        if self._fetching != command["id"]:
            self._fetching, self._parts = command["id"], []
        elif not self._parts:
            return  # asked for already
        ident, part = command["id"], len(self._parts)

        def then(value: Any, problem: str) -> None:
            if self._fetching == ident and len(self._parts) == part:
                self._came(command, value, problem)

        self._questions.ask("body", {"command": ident, "part": part}, then, _deadline())

    def _came(self, command: dict[str, Any], value: Any, problem: str) -> None:
        text = value.get("text") if isinstance(value, dict) else None
        if problem or not isinstance(text, str) or len(text) > MAX_PART or value.get("part") != len(self._parts):
            self._next()
            self._miss(command["id"])
            return
        self._parts.append(text)
        if len(self._parts) < command["parts"]:
            self._fetch()
        else:
            self._reading = read("".join(self._parts))

    def _next(self) -> dict[str, Any]:
        command = self._waiting.popleft()
        self._fetching, self._parts, self._reading = "", [], None
        self._fetch()
        return command

    def _read(self, until: float) -> None:
        assert self._reading is not None
        try:
            while True:
                next(self._reading)
                if time.monotonic() > until:
                    return
        except StopIteration as done:
            command = self._next()
            command["content"] = done.value
            objection = self._objection(command)
            if objection:
                self._receipt(command, "refused", note=objection)
            else:
                self._hand(command)
        except ContentError as error:
            self._receipt(self._next(), "refused", note=str(error))


def _deadline() -> float:
    return time.monotonic() + ASK_AGAIN_SECONDS


def _command(message: Message) -> dict[str, Any] | None:
    """Give the command in a message, as far as it can be answered: it has an id and a host."""
    try:
        event = decode((message.body or b"").decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    command = event.get("data") if isinstance(event, dict) and event.get("type") == "host.command" else None
    if not isinstance(command, dict):
        return None
    for name in ("id", "host"):
        if not isinstance(command.get(name), str) or not 0 < len(command[name]) <= 256:
            return None
    return command
