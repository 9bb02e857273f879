"""The postman: takes the outbox to the bus, and compares it with the stream after each connect."""

from __future__ import annotations

import asyncio
import logging

from callboard.bus import OUTBOX, Bus
from callboard.catalog import Catalog, outbox
from callboard.errors import Blocked, BrokerError, MessageRefused

log = logging.getLogger(__name__)

_PAUSE = 1.0
"""Seconds before a message that the broker did not take is sent again."""


class Postman:
    """Sends what the outbox holds, oldest first, until it is stopped.

    Args:
        catalog: Whose outbox.
        bus: Where to.
        lasting: Whether the bus keeps streams that can be compared with the outbox.
    """

    def __init__(self, catalog: Catalog, bus: Bus, *, lasting: bool = True) -> None:
        self._catalog, self._bus = catalog, bus
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        if lasting:
            bus.on_connect(self.reconcile)

    def wake(self) -> None:
        """Say that the outbox has something new."""
        self._idle.clear()
        self._wake.set()

    async def drained(self) -> None:
        """Wait until everything was sent that is in the outbox now."""
        self.wake()  # what was committed a moment ago may not have been told yet
        await self._idle.wait()

    async def reconcile(self) -> None:
        """Send again what was sent but is not in the stream: a stream can vanish, wedge or shrink without a word."""
        stored = await self._stored()
        lost = await self._catalog.write(lambda conn: outbox.reconcile(conn, stored))
        if lost:
            log.warning("the stream had lost %d messages; they are sent again", lost)
        self.wake()

    async def _stored(self) -> set[str]:
        """Ask the stream until it answers; the bus ends this when the connection is lost, and begins anew."""
        while True:
            try:
                return await self._bus.stored(OUTBOX)
            except BrokerError as error:
                log.info("the stream is not compared yet: %s", error.message)
                await asyncio.sleep(_PAUSE)

    async def run(self) -> None:
        """Send until cancelled."""
        await self._catalog.write(outbox.forget_old)
        while True:
            self._wake.clear()
            letters = self._catalog.read(outbox.unsent)
            if not letters:
                self._idle.set()
                await self._wake.wait()
            elif not await self._send(letters):
                await asyncio.sleep(_PAUSE)

    async def _send(self, letters: list[outbox.Letter]) -> bool:
        results = await asyncio.gather(*(self._send_one(letter) for letter in letters))
        gone = [letter.seq for letter, ok in zip(letters, results, strict=True) if ok]
        if gone:
            try:
                await self._catalog.write(lambda conn: outbox.sent(conn, gone))
            except Blocked:
                return False
        return len(gone) == len(letters)

    async def _send_one(self, letter: outbox.Letter) -> bool:
        try:
            await self._bus.publish(letter.subject, letter.body, msg_id=letter.subject, once=True)
        except BrokerError:
            return False
        except MessageRefused as error:
            log.warning("%s was not sent: %s", letter.subject, error)
        return True
