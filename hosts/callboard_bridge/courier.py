"""Brings the outbox to JetStream: each event its id as ``Nats-Msg-Id``, taken away once the stream says it has it."""

from __future__ import annotations

import time

from callboard_bridge.wire import decode, pub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from callboard_bridge.link import Link
    from callboard_bridge.outbox import Outbox
    from callboard_bridge.spool import Spool
    from callboard_bridge.wire import Message

ACK_SECONDS = 10.0
"""For the stream's word that it has an event, before all that is under way is sent again."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds until events are sent again that the stream did not take."""
TOO_LONG = 10054
"""JetStream's code for an event that it will never take."""


class Courier:
    """Sends what waits in *outbox* over *link*; answers come below *inbox*."""

    def __init__(self, link: Link, outbox: Outbox, inbox: str) -> None:
        self.problem = ""
        self._link, self._outbox, self._inbox = link, outbox, inbox
        self._flying: dict[int, tuple[Spool, int, float]] = {}
        self._number = 0
        self._not_before, self._pause = 0.0, FIRST_PAUSE

    @property
    def flying(self) -> int:
        """Events that are sent and not answered."""
        return len(self._flying)

    @property
    def waiting(self) -> bool:
        """Whether another event can be sent at once."""
        return self._link.ready and self._outbox.waiting and time.monotonic() >= self._not_before

    def send(self, now: float, until: float) -> None:
        """Send what waits, until *until* or until enough is under way."""
        while self._link.ready and self._link.room and now >= self._not_before:
            found = self._outbox.next()
            if found is None:
                return
            spool, key, event, line = found
            self._number += 1
            self._flying[self._number] = spool, key, now
            headers = b"Nats-Msg-Id: " + event["id"].encode("utf-8") + b"\r\n"
            self._link.send(pub("cb.in." + event["type"], line, f"{self._inbox}.e{self._number}", headers))
            if time.monotonic() > until:
                return

    def heard(self, number: int, message: Message, now: float) -> None:
        """Take the stream's answer to an event."""
        found = self._flying.get(number)
        if found is None:
            return
        said = _said(message)
        error = said.get("error")
        if error is None and isinstance(said.get("seq"), int):
            self._pause, self.problem = FIRST_PAUSE, ""
        elif isinstance(error, dict) and error.get("err_code") == TOO_LONG:
            self.problem = "an event is too long for the stream, and is lost"
        else:
            why = error.get("description") if isinstance(error, dict) else None
            self.problem = "events are kept here: {}".format(
                str(why)[:200] if why else "the board's stream is not there"
            )
            self._later(now)
            return
        del self._flying[number]
        found[0].done(found[1])

    def watch(self, now: float) -> None:
        """Send again what was not answered."""
        oldest = next(iter(self._flying.values()), None)
        if oldest is not None and now - oldest[2] > ACK_SECONDS:
            self.problem = "events are kept here: the board's stream does not answer"
            self._later(now)

    def lost(self) -> None:
        """The connection is gone, and with it every answer."""
        if self._flying:
            self._flying.clear()
            self._outbox.rewind()

    def _later(self, now: float) -> None:
        self.lost()
        self._not_before = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)


def _said(message: Message) -> dict[str, Any]:
    try:
        said = decode((message.body or b"null").decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
