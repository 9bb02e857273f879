"""The clock of a scheduler: lets go of models that were not used for long, and ends calls whose time is over."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence

from callboard.runtime.budget import Close
from callboard.runtime.calls import Call
from callboard.runtime.models import Model


class Keeper:
    """One thread, which sleeps until a model or call is due. *held* says whether bulk calls' time stands still."""

    def __init__(
        self,
        lock: threading.RLock,
        models: dict[str, Model],
        keep: float,
        close: Close,
        fail: Callable[[Sequence[Call]], None],
        held: Callable[[], bool],
    ) -> None:
        self._models, self._keep, self._close, self._fail, self._held = models, keep, close, fail, held
        self._wake = threading.Condition(lock)
        self._until = math.inf
        """When it wakes; 0 while it sleeps until it is woken, infinite before it has looked at all."""
        self._closed = False
        self._thread: threading.Thread | None = None

    def expect(self, when: float) -> None:
        """Have it look at ``time.monotonic()`` *when*, at the latest; 0 asks for nothing. Called under the lock."""
        if not when or self._closed:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="runtime-keeper", daemon=True)
            self._thread.start()
        elif not self._until or when < self._until:
            self._wake.notify()

    def close(self) -> None:
        """End it."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while True:
            with self._wake:
                if self._closed:
                    return
                now = time.monotonic()
                calls, models = self._due(now)
                if not calls and not models:
                    self._until = self._next()
                    self._wake.wait(max(0.0, self._until - now) if self._until else None)
                    continue
            self._fail(calls)
            self._close(models)

    def _due(self, now: float) -> tuple[list[Call], list[Model]]:
        calls = [call for call in self._timed() if call.deadline <= now]
        models = [model for model in self._unused() if model.used + self._keep <= now]
        return calls, models

    def _next(self) -> float:
        times = [call.deadline for call in self._timed()]
        times += [model.used + self._keep for model in self._unused()]
        return min(times, default=0.0)

    def _timed(self) -> list[Call]:
        held = self._held()
        return [
            piece.call
            for model in self._models.values()
            for piece in model.queue
            if piece.call.deadline and not piece.call.begun and (piece.call.ticket.urgent or not held)
        ]

    def _unused(self) -> list[Model]:
        return [
            model
            for model in self._models.values()
            if model.state == "ready"
            and not (model.pinned or model.leaving or model.running or model.wanted(held=self._held()))
        ]


__all__ = ["Keeper"]
