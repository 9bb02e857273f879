"""The governor: knows when the machine belongs to the artist, and has the models make way until it is given back.

The machine is busy while an application renders or plays, in quiet hours, and while a person says so.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec
from callboard_schemas import HostEvent, Presence
from msgspec import Struct

from callboard import codec
from callboard.config import RuntimeSettings
from callboard.errors import MessageRefused

Mode = Literal["", "pause", "cpu"]
"""What the models do: work, hold what nobody waits for, or go on without the devices."""

ACTIVITIES: Final = {"host.render": "renders", "host.playback": "plays"}
LONGEST: Final = 24 * 3600.0
"""Seconds after which a render or playback whose end was never told is taken for over: its application died."""


class _Activity(Struct, frozen=True):
    host: str
    does: str


class Governor:
    """What keeps the machine busy, by the clock and by what was heard.

    Args:
        settings: ``when_busy`` and ``quiet_hours``.
        clock: Seconds since 1970.
    """

    def __init__(self, settings: RuntimeSettings, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._when_busy: Literal["pause", "cpu", "ignore"] = settings.when_busy
        self._quiet = tuple(_span(text) for text in settings.quiet_hours)
        self._since: dict[_Activity, float] = {}
        self._paused_until: float | None = None
        self._awake_until = 0.0

    def hear(self, kind: str, host: str, at: float) -> bool:
        """Take note of an event of type *kind*, *at* in seconds since 1970. Returns whether it matters here."""
        subject, _, verb = kind.rpartition(".")
        does = ACTIVITIES.get(subject)
        if does is None or verb not in ("started", "ended"):
            return False
        activity = _Activity(host, does)
        if verb == "ended":
            self._since.pop(activity, None)
        elif self._clock() - at < LONGEST:
            self._since[activity] = at
        return True

    def left(self, host: str) -> None:
        """Take note that an application is gone, and with it whatever it did."""
        self._since = {activity: at for activity, at in self._since.items() if activity.host != host}

    def pause(self, seconds: float) -> None:
        """Hold everything that nobody waits for, because a person says so; 0 until ``resume``."""
        self._paused_until = self._clock() + seconds if seconds else float("inf")

    def resume(self) -> None:
        """Go on in spite of everything that is known to keep the machine busy now."""
        self._paused_until = None
        self._since.clear()
        now = self._clock()
        self._awake_until = now + (self._boundary(_local(now)) or 0.0) if self._in_quiet_hours(_local(now)) else 0.0

    def state(self) -> tuple[Mode, str]:
        """Say what the models shall do now, and why."""
        now = self._clock()
        if self._paused_until is not None and now < self._paused_until:
            return "pause", "paused by hand"
        reason = self._reason(now)
        if not reason or self._when_busy == "ignore":
            return "", ""
        return self._when_busy, reason

    def _reason(self, now: float) -> str:
        for activity, at in self._since.items():
            if now - at < LONGEST:
                return f"{activity.host} {activity.does}"
        quiet = now >= self._awake_until and self._in_quiet_hours(_local(now))
        return "quiet hours" if quiet else ""

    def wait(self) -> float | None:
        """Seconds until ``state`` may change by itself; ``None`` for never."""
        now = self._clock()
        times = [at + LONGEST - now for at in self._since.values()]
        if self._paused_until is not None and self._paused_until != float("inf"):
            times.append(self._paused_until - now)
        boundary = self._boundary(_local(now))
        if boundary is not None:
            times.append(boundary)
        ahead = [seconds for seconds in times if seconds > 0]
        return min(ahead) + 0.05 if ahead else None

    def _in_quiet_hours(self, now: datetime) -> bool:
        minute = timedelta(hours=now.hour, minutes=now.minute)
        return any(
            start <= minute < end if start <= end else minute >= start or minute < end for start, end in self._quiet
        )

    def _boundary(self, now: datetime) -> float | None:
        """Seconds until the next beginning or end of quiet hours."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        times = [
            (midnight + timedelta(days=day) + time_of_day - now).total_seconds()
            for span in self._quiet
            for time_of_day in span
            for day in (0, 1)
        ]
        return min((seconds for seconds in times if seconds > 0), default=None)


def _local(now: float) -> datetime:
    return datetime.fromtimestamp(now)  # noqa: DTZ006 - quiet hours are local times of day


def _span(text: str) -> tuple[timedelta, timedelta]:
    start, _, end = text.partition("-")
    return _time_of_day(start), _time_of_day(end)


def _time_of_day(text: str) -> timedelta:
    hours, _, minutes = text.partition(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


class Governing:
    """Has a governor's word carried out until cancelled.

    Args:
        governor: Whose word.
        make_way: Carries a mode and its reason out; called whenever they change.
    """

    def __init__(self, governor: Governor, make_way: Callable[[Mode, str], Awaitable[None]]) -> None:
        self.governor, self._make_way = governor, make_way
        self._wake = asyncio.Event()
        self._told: tuple[Mode, str] = ("", "")

    def remember(self, conn: sqlite3.Connection) -> None:
        """Take up what the journal says was begun and not ended before this board was started."""
        rows = conn.execute(
            "SELECT type, received, body FROM events WHERE received > ? AND type GLOB 'host.*.*ed' ORDER BY seq",
            (time.time() - LONGEST,),
        )
        for kind, at, body in rows:
            try:
                data = codec.decode(body).data
            except MessageRefused:
                continue
            if isinstance(data, HostEvent):
                self.governor.hear(kind, data.host, at)

    def heard(self, kind: str, data: object) -> None:
        """Hear of an event that was journalled."""
        if isinstance(data, HostEvent) and self.governor.hear(kind, data.host, time.time()):
            self._wake.set()

    async def presence(self, _subject: str, body: bytes) -> None:
        """Hear that an application came or went."""
        try:
            data = codec.decode(body).data
        except (MessageRefused, msgspec.MsgspecError):
            return
        if isinstance(data, Presence) and data.state == "offline":
            self.governor.left(data.host)
            self._wake.set()

    def pause(self, seconds: float) -> None:
        """Pause by hand."""
        self.governor.pause(seconds)
        self._wake.set()

    def resume(self) -> None:
        """Resume by hand."""
        self.governor.resume()
        self._wake.set()

    async def run(self) -> None:
        """Carry out each change."""
        while True:
            self._wake.clear()
            state = self.governor.state()
            if state != self._told:
                await self._make_way(*state)
                self._told = state
            try:
                await asyncio.wait_for(self._wake.wait(), self.governor.wait())
            except TimeoutError:
                continue


__all__ = ["ACTIVITIES", "LONGEST", "Governing", "Governor", "Mode"]
