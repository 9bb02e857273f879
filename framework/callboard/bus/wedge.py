"""Notice a store that takes no more writes although its server answers.

A stream whose file could not be written once (a full disk, say) stays dead when there is room again: JetStream drops
each message without a word until the server is started again, while everything else works.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from callboard.bus.link import Link

UNANSWERED = 5
"""Messages for one stream that found no answer, with none between them that did."""
WEDGED_SECONDS = 30.0
"""Seconds that this must last: a disk may be slow for a while."""
BETWEEN_SECONDS = 60.0
"""Seconds from one alarm to the next, at least."""

log = logging.getLogger("callboard.bus")


@dataclass
class _Row:
    since: float
    count: int = 0


class WedgeWatch:
    """Counts unanswered messages by stream and raises the alarm.

    Args:
        link: Asked whether the server still answers before any alarm.
        on_wedged: Called at an alarm; ``None`` only logs it.
    """

    def __init__(self, link: Link, on_wedged: Callable[[], Awaitable[None]] | None) -> None:
        self._link, self._on_wedged = link, on_wedged
        self._rows: dict[str, _Row] = {}
        self._quiet_until = 0.0

    def answered(self, stream: str) -> None:
        """Note that *stream* stored or refused a message."""
        self._rows.pop(stream, None)

    def forget(self) -> None:
        """Count from nothing: the connection is a new one, and the server perhaps too."""
        self._rows.clear()

    async def unanswered(self, stream: str, asked: float) -> None:
        """Note that a message sent at *asked* (the loop's clock) got no answer, and raise the alarm if it is time."""
        row = self._rows.setdefault(stream, _Row(asked))
        row.count += 1
        now = asyncio.get_running_loop().time()
        if row.count < UNANSWERED or now - row.since < WEDGED_SECONDS or now < self._quiet_until:
            return
        self._quiet_until = now + BETWEEN_SECONDS
        if await self._link.answers():
            await self._alarm(stream, row.count, now - row.since)
        else:
            self._quiet_until = 0.0  # it may be wedged all the same: asked again at the next message

    async def _alarm(self, stream: str, count: int, seconds: float) -> None:
        what = "it is started again" if self._on_wedged else "free its disk and start it again"
        log.error(
            "the broker answers, but stream %s took none of %d messages in %.0f s: %s", stream, count, seconds, what
        )
        self._rows.clear()
        if self._on_wedged is not None:
            try:
                await self._on_wedged()
            except Exception as error:  # noqa: BLE001 - whatever it raises, it is tried again at the next alarm
                log.warning("starting the broker again: %s: %s", type(error).__name__, error)
