"""When a question counts as unanswered."""

from __future__ import annotations

import asyncio
import time

import pytest
from callboard.bus.patience import LATE_SECONDS, expire, unless
from callboard.errors import BrokerError


async def test_what_lies_in_the_pipe_is_read_however_often_this_process_stands_still() -> None:
    """An answer that is a few turns of the loop away counts, though the extra time is over before they are done."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()

    def read(turns: int) -> None:
        if turns:
            loop.call_soon(read, turns - 1)
        else:
            answer.set_result(b"x")

    expire(answer, "cb.ctl.x", 1.0)
    time.sleep(2 * LATE_SECONDS)  # this is the standing still
    loop.call_soon(read, 5)
    assert await answer == b"x"


async def test_a_question_that_nobody_answers_ends() -> None:
    """Once all that could arrive was read, the wait is over, and says on what and for how long."""
    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    expire(answer, "cb.ctl.x", 1.5)
    with pytest.raises(BrokerError, match=r"no answer on cb\.ctl\.x in 1\.5 s"):
        await answer


async def test_work_ends_with_the_connection() -> None:
    """What waits for a server is done, raises, or ends at once when the connection is lost."""
    lost = asyncio.Event()

    async def fail() -> None:
        raise ValueError("no")

    assert await unless(lost, asyncio.sleep(0))
    with pytest.raises(ValueError, match="no"):
        await unless(lost, fail())
    lost.set()
    assert not await unless(lost, asyncio.Event().wait())
