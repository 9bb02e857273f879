"""A thread that makes blocking calls in order, so that a share that hangs stalls nothing but its own root."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Lane:
    """One daemon thread, started at the first call; a hung call never keeps the program from ending.

    The executors of the standard library wait for their threads at exit, which a dead share would make for ever.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(self, call: Callable[[], T]) -> T:
        """Make *call* in the thread, after those before it, and give back what it returns or raises."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def tell(result: T | None, error: BaseException | None) -> None:
            if answer.done():  # whoever asked has gone
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)  # type: ignore[arg-type]  # a result is there where no error is

        def work() -> None:
            if answer.cancelled():
                return
            try:
                result, error = call(), None
            except BaseException as caught:  # noqa: BLE001 - whatever it is belongs to whoever asked
                result, error = None, caught
            with contextlib.suppress(RuntimeError):  # the loop closed meanwhile: nobody waits any more
                loop.call_soon_threadsafe(tell, result, error)

        self._calls.put(work)
        return await answer

    def close(self) -> None:
        """Let the thread end after the call it is in."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
