"""Questions to the board, and their answers or the lack of them."""

from __future__ import annotations

from callboard_bridge.wire import decode, encode, pub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from callboard_bridge.link import Link
    from callboard_bridge.wire import Message

    Then = Callable[[Any, str], None]

MAX_QUESTIONS = 256
"""Unanswered at once."""
MAX_BODY = 60 * 1024
"""Bytes of a question; the board takes 64 KiB."""
NOBODY = "the board does not answer: is 'callboard up' running?"


class _Question:
    __slots__ = ("body", "deadline", "first", "sent", "then", "verb")

    def __init__(self, verb: str, body: bytes, then: Then, deadline: float, first: bool) -> None:
        self.verb, self.body, self.then, self.deadline, self.first = verb, body, then, deadline, first
        self.sent = False


class Questions:
    """Asks over *link*, with answers below *inbox*; each ``then`` is called once, by ``call``.

    The board answers those it knows: all questions but the first wait until it was greeted.
    """

    def __init__(self, link: Link, inbox: str, call: Callable[..., object]) -> None:
        self._link, self._inbox, self._call = link, inbox, call
        self._open: dict[int, _Question] = {}
        self._failed: list[tuple[Then, str]] = []
        self._number, self._greeted = 0, False

    def ask(self, verb: str, data: Any, then: Then, deadline: float, first: bool = False) -> None:
        """Ask now, or as soon as it can be asked before *deadline* (``time.monotonic``); *first* need no greeting."""
        try:
            body = encode(data)
        except (TypeError, ValueError, RecursionError) as error:
            self._failed.append((then, f"the question cannot be written as JSON: {error}"))
            return
        if not verb.replace("_", "").isalnum() or not verb.isascii():
            self._failed.append((then, f"there is no verb {verb[:40]!r}"))
        elif len(body) > MAX_BODY:
            self._failed.append((then, f"the question has {len(body)} bytes, at most {MAX_BODY} can be asked"))
        elif len(self._open) >= MAX_QUESTIONS:
            self._failed.append((then, "too many questions wait for an answer"))
        else:
            self._number += 1
            question = self._open[self._number] = _Question(verb, body, then, deadline, first)
            self._send(self._number, question)

    def _send(self, number: int, question: _Question) -> None:
        if self._link.ready and self._link.room and (self._greeted or question.first):
            reply = f"{self._inbox}.q{number}"
            self._link.send(pub("cb.ctl.host." + question.verb, question.body, reply))
            question.sent = True

    def heard(self, number: int, message: Message) -> None:
        """Take the answer to a question."""
        question = self._open.pop(number, None)
        if question is not None:
            value, problem = _answer(message)
            self._call(question.then, value, problem)

    def greeted(self, well: bool) -> None:
        """Ask what waited for the board to know us, or wait again."""
        self._greeted = well
        for number, question in list(self._open.items()) if well else ():
            if not question.sent:
                self._send(number, question)

    def lost(self) -> None:
        """The connection is gone, and with it the answers to what was asked."""
        for number, question in list(self._open.items()):
            if question.sent:
                del self._open[number]
                self._failed.append((question.then, "the connection was lost before the answer"))

    def watch(self, now: float, problem: str) -> None:
        """Answer for a board that does not; *problem* is why nothing can be asked, where that is known."""
        failed, self._failed = self._failed, []
        for then, why in failed:
            self._call(then, None, why)
        if not self._open:
            return
        for number, question in list(self._open.items()):
            if now > question.deadline or (problem and not question.sent and not (question.first and self._link.ready)):
                del self._open[number]
                self._call(question.then, None, problem or (NOBODY if question.sent else "there is no connection"))
            elif not question.sent:
                self._send(number, question)


def _answer(message: Message) -> tuple[Any, str]:
    if message.body is None:
        return None, "the answer is too long"
    if message.status == 503:
        return None, NOBODY
    failure = message.header("Nats-Service-Error")
    if failure:
        return None, failure[:500]
    try:
        said = decode(message.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None, "the answer cannot be read"
    if not isinstance(said, dict):
        return None, "the answer cannot be read"
    if said.get("code") or said.get("message"):
        words = " ".join(str(said.get(name) or "") for name in ("message", "hint"))
        return None, words.strip()[:1000] or str(said["code"])[:100]
    return said.get("value"), ""
