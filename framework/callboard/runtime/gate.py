"""Back-pressure: how much one process may have under way to the models. Who comes on top waits at its own door.

Nothing is lost and nothing refused: a call is let in when others have been answered. Urgent calls have an account of
their own, so that nobody who waits stands behind what nobody waits for.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from callboard.context import Arrays

CALLS: Final = 512
"""Calls under way to one model: more than any batch, and few enough to be looked through."""
MODEL_BYTES: Final = 128 << 20
"""Bytes of inputs under way to one model; one call is let in whatever its size."""
BYTES: Final = 256 << 20
"""The same for all models together."""


class _Account:
    """What is under way in one lane, and who waits at the door."""

    def __init__(self) -> None:
        self.bytes = 0
        self.models: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        self.line: deque[tuple[Future[None], Pass]] = deque()


class Pass(Struct, frozen=True):
    """What a call takes up until it gives it back."""

    model: str
    bytes: int
    urgent: bool


class Gate:
    """Counts calls and bytes. Use it from any thread or event loop."""

    def __init__(self, calls: int = CALLS, model_bytes: int = MODEL_BYTES, total_bytes: int = BYTES) -> None:
        self._calls, self._model_bytes, self._bytes = calls, model_bytes, total_bytes
        self._lock = threading.Lock()
        self._accounts = {True: _Account(), False: _Account()}

    async def enter(self, model: str, inputs: Arrays, *, urgent: bool) -> Callable[[], None]:
        """Wait to be let in; give what is to be called when the call is answered."""
        wanted = _pass(model, inputs, urgent=urgent)
        door = self._ask(wanted)
        if door is not None:
            try:
                await asyncio.wrap_future(door)
            except asyncio.CancelledError:
                if not door.cancelled():  # let in at the very moment
                    self._leave(wanted)
                raise
        return lambda: self._leave(wanted)

    def enter_blocking(self, model: str, inputs: Arrays, *, urgent: bool) -> Callable[[], None]:
        """Do ``enter`` from a plain function."""
        wanted = _pass(model, inputs, urgent=urgent)
        door = self._ask(wanted)
        if door is not None:
            door.result()
        return lambda: self._leave(wanted)

    @property
    def waiting(self) -> int:
        """Calls at the door."""
        with self._lock:
            return sum(not door.cancelled() for account in self._accounts.values() for door, _ in account.line)

    def _ask(self, wanted: Pass) -> Future[None] | None:
        with self._lock:
            account = self._accounts[wanted.urgent]
            first = not any(other.model == wanted.model for _, other in account.line)
            if first and self._fits(account, wanted):
                self._count(account, wanted, 1)
                return None
            door: Future[None] = Future()
            account.line.append((door, wanted))
            return door

    def _fits(self, account: _Account, wanted: Pass) -> bool:
        calls, used = account.models[wanted.model]
        if not calls:
            return account.bytes == 0 or account.bytes + wanted.bytes <= self._bytes
        return (
            calls < self._calls
            and used + wanted.bytes <= self._model_bytes
            and account.bytes + wanted.bytes <= self._bytes
        )

    def _count(self, account: _Account, wanted: Pass, sign: int) -> None:
        account.bytes += sign * wanted.bytes
        model = account.models[wanted.model]
        model[0] += sign
        model[1] += sign * wanted.bytes

    def _leave(self, had: Pass) -> None:
        opened: list[Future[None]] = []
        with self._lock:
            account = self._accounts[had.urgent]
            self._count(account, had, -1)
            full: set[str] = set()
            waiting, account.line = account.line, deque()
            for door, wanted in waiting:
                if door.cancelled():
                    continue
                if wanted.model in full or not self._fits(account, wanted):
                    full.add(wanted.model)  # later ones of the same model stay behind it
                    account.line.append((door, wanted))
                elif door.set_running_or_notify_cancel():
                    self._count(account, wanted, 1)
                    opened.append(door)
        for door in opened:
            door.set_result(None)


def _pass(model: str, inputs: Arrays, *, urgent: bool) -> Pass:
    return Pass(model, sum(array.nbytes for array in inputs.values()), urgent)


__all__ = ["BYTES", "CALLS", "MODEL_BYTES", "Gate", "Pass"]
