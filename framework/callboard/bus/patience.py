"""When waiting for the server is over: when its time is over and all that arrived is read, or with the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from callboard.errors import BrokerError

LATE_SECONDS = 0.1
"""For reading what arrived while this process itself stood still, before a question counts as unanswered."""
LATE_TURNS = 20
"""Turns of the loop after that, however often the process stands still: bytes become an answer in five."""
HINT = "It is tried again all the time; 'callboard doctor' checks the broker."


def expire(future: asyncio.Future[Any], subject: str, timeout: float, turns: int = LATE_TURNS + 1) -> None:
    """End the wait for an answer that did not come: an answer may lie in the socket, and timers run before it is read.

    Args:
        future: Waited on.
        subject: What was asked.
        timeout: Seconds that were waited.
        turns: Of the loop that are left.
    """
    if future.done():
        return
    loop = future.get_loop()
    if turns > LATE_TURNS:
        loop.call_later(LATE_SECONDS, expire, future, subject, timeout, LATE_TURNS)
    elif turns > 0:
        loop.call_soon(expire, future, subject, timeout, turns - 1)
    else:
        future.set_exception(BrokerError(f"no answer on {subject} in {timeout:g} s", HINT))


async def unless(lost: asyncio.Event, work: Coroutine[Any, Any, object]) -> bool:
    """Do *work* until *lost* is set; say whether it was done. What it raises is raised."""
    doing, losing = asyncio.ensure_future(work), asyncio.ensure_future(lost.wait())
    try:
        await asyncio.wait((doing, losing), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
        return doing.done()
    finally:
        doing.cancel()
        losing.cancel()
        await asyncio.gather(doing, losing, return_exceptions=True)


__all__ = ["HINT", "LATE_SECONDS", "expire", "unless"]
