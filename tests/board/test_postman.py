"""The postman: what was said once is said again where the stream lost it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from callboard.bus import OUTBOX
from callboard.bus.memory import MemoryBus
from callboard.catalog import Catalog, outbox
from callboard.errors import BrokerError
from callboard.postman import Postman

SUBJECT = f"{OUTBOX}.job.state.one"


class SlowToAnswer(MemoryBus):
    """Cannot list what it holds the first time that it is asked."""

    asked = 0

    async def stored(self, prefix: str) -> set[str]:
        """Answer from the second time on."""
        self.asked += 1
        if self.asked == 1:
            raise BrokerError("no answer on $JS.API.STREAM.INFO.CB_OUT in 5 s")
        return await super().stored(prefix)


async def test_a_stream_that_does_not_answer_at_once_is_compared_later(tmp_path: Path) -> None:
    """A message that the stream lost is sent again, although the first question for its content failed."""
    bus = SlowToAnswer()
    with Catalog(tmp_path) as catalog:
        await catalog.write(lambda conn: outbox.post(conn, SUBJECT, b"{}"))
        await catalog.write(lambda conn: outbox.sent(conn, [1]))
        postman = Postman(catalog, bus)
        async with asyncio.timeout(30), bus, asyncio.TaskGroup() as tasks:
            running = tasks.create_task(postman.run())
            while await MemoryBus.stored(bus, OUTBOX) != {SUBJECT}:
                await asyncio.sleep(0.05)
            running.cancel()
    assert bus.asked == 2
