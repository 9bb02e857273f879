"""Which applications are there now: from what they say of themselves, and from their silence."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from callboard_schemas import Presence
from msgspec import Struct
from msgspec.structs import replace

from callboard.errors import UsageError

SILENCE = 15.0
"""Seconds without a word after which an application is taken for gone; it says that it is there every 5 s."""
GREETING = 3.0
"""Seconds that an application which is there has for its hello; then it knows of itself from an earlier board."""
MOST = 256
"""Applications at once; the embedded broker takes as many connections."""
_HOST = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Session(Struct, frozen=True, kw_only=True):
    """An application that is there."""

    presence: Presence
    since: float
    """Seconds since 1970."""
    turn: int
    """Grows with each hello: what was posted in an earlier turn is posted again."""
    ready_at: float = 0.0
    """By the clock of the sessions: until then its hello is waited for, with which commands would come twice."""

    @property
    def project(self) -> tuple[str, str]:
        """The application and its open project."""
        return self.presence.application, self.presence.project


class Sessions:
    """The applications that are there.

    Args:
        clock: Seconds, never going back.
        silence: Seconds without a word after which an application is taken for gone.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, silence: float = SILENCE) -> None:
        self._clock, self.silence = clock, silence
        self._turns = 0
        self._there: dict[str, Session] = {}
        self._heard: dict[str, float] = {}

    def hear(self, presence: Presence, *, hello: bool = False) -> Session | None:
        """Take note of what an application says of itself.

        Args:
            presence: What it says; ``offline`` are its last words.
            hello: It asks to be told again what waits for it.

        Returns:
            Its session where that is new, changed in what matters, or asked for; ``None`` where nothing changed, and
            where it left.

        Raises:
            UsageError: its id cannot be a part of a subject, or there are too many.
        """
        host = presence.host
        if presence.state == "offline":
            self.leave(host)
            return None
        if not _HOST.fullmatch(host):
            raise UsageError(
                f"{host!r} is no id of a host", "Give 1 to 64 letters, digits, '-' and '_', other ones at each start."
            )
        former = self._there.get(host)
        if former is None and len(self._there) >= MOST:
            raise UsageError(f"{MOST} applications are connected already", "Close some, then try again.")
        self._heard[host] = self._clock()
        again = hello or former is None or former.project != (presence.application, presence.project)
        if former is not None and former.presence == presence and not again:
            return None
        self._turns += again
        turn = self._turns if again or former is None else former.turn
        session = Session(
            presence=presence,
            since=former.since if former else time.time(),
            turn=turn,
            ready_at=0.0 if hello else former.ready_at if former else self._clock() + GREETING,
        )
        self._there[host] = session
        moved = former is not None and replace(former.presence, revision="") == replace(presence, revision="")
        return None if moved and not again else session

    def begin_anew(self) -> None:
        """Have everything that waits posted again, for what was posted may not have arrived."""
        for host, session in self._there.items():
            self._turns += 1
            self._there[host] = replace(session, turn=self._turns)

    def leave(self, host: str) -> bool:
        """Forget an application that is gone. Returns whether it was there."""
        self._heard.pop(host, None)
        return self._there.pop(host, None) is not None

    def silent(self) -> list[Session]:
        """Forget those that said nothing for too long, and give them."""
        late = self._clock() - self.silence
        gone = [self._there[host] for host, at in self._heard.items() if at < late]
        for session in gone:
            self.leave(session.presence.host)
        return gone

    def get(self, host: str) -> Session | None:
        """Give the session of a host that is there."""
        return self._there.get(host)

    def serving(self, application: str, project: str) -> Session | None:
        """Choose who is asked for a project: of those that have it open the one that said hello last."""
        found = [one for one in self._there.values() if one.project == (application, project)]
        return max(found, key=lambda one: one.turn, default=None)

    def to_wait(self, session: Session) -> float:
        """Seconds until an application is asked for anything, for its hello may come."""
        return max(session.ready_at - self._clock(), 0.0)

    def all(self) -> list[Session]:
        """Give every application that is there, the oldest first."""
        return sorted(self._there.values(), key=lambda one: one.since)

    def next_silence(self) -> float | None:
        """Seconds until somebody may have been silent for too long; ``None`` while nobody is there."""
        oldest = min(self._heard.values(), default=None)
        return None if oldest is None else max(oldest + self.silence - self._clock(), 0.0) + 0.05


__all__ = ["GREETING", "SILENCE", "Session", "Sessions"]
