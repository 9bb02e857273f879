"""The owner of every loaded model in a process: takes calls, runs them in batches, and keeps to the budget.

Each model has its own worker threads, as many as its session takes calls at once. A worker that is free takes
what waits at that moment: no call ever waits for company.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callboard.config import RuntimeSettings
from callboard.errors import CallboardError
from callboard.runtime import Progress, Ticket
from callboard.runtime.calls import Call, Piece, closing, late
from callboard.runtime.models import Model
from callboard.runtime.status import DeviceStatus, Mode, RuntimeStatus
from callboard.runtime.tickets import NOBODY
from callboard.runtime.workers import Workers

if TYPE_CHECKING:
    from callboard.context import Arrays


class Scheduler:
    """Runs models by name. Every method may be called from any thread.

    Args:
        settings: Threads, memory, how long models are kept.
        extra: A folder of further packs.
    """

    def __init__(self, settings: RuntimeSettings, extra: Path | None = None) -> None:
        self._settings = settings
        self._lock = threading.RLock()
        self._models: dict[str, Model] = {}
        self._workers = Workers(settings, extra, self._lock, self._models)
        self._reason = ""
        self._held_since = 0.0

    def submit(
        self,
        model: str,
        inputs: Arrays,
        options: Mapping[str, Any],
        progress: Progress | None = None,
        ticket: Ticket = NOBODY,
        *,
        lend: bool = False,
    ) -> Call:
        """Queue one call and give the future of its answer; cancelling it drops it while it has not begun.

        Args:
            model: Its pack's name.
            inputs: Arrays by name.
            options: For the engine.
            progress: Told how far the call is, 0 to 1, from another thread.
            ticket: Who calls.
            lend: The caller would wait anyway: a batch may be run in its thread.
        """
        call = Call(model, inputs, options, ticket, progress)
        with self._lock:
            owner = self._models.get(model)
            if owner is None:
                owner = self._models[model] = Model(model, self._lock, pinned=model in self._settings.pin)
            refused = self._refused(owner, call)
            if refused is None:
                owner.queue.lane(call).put(Piece(call))
                if not lend:
                    self._workers.staff(owner)
                self._workers.keeper.expect(call.deadline)
        if refused is not None:
            call.set_exception(refused)
            return call
        call.add_done_callback(self._dropped)
        if lend:
            self._workers.lend(owner)
        return call

    def _refused(self, model: Model, call: Call) -> CallboardError | None:
        """Say why a call is not taken."""
        if self._workers.closed:
            return closing()
        if call.deadline and call.deadline <= time.monotonic() and not (self._workers.held and not call.ticket.urgent):
            return late(call)
        try:
            if model.session is not None and model.pack is not None:
                call.prepare(model.pack)
        except CallboardError as error:
            return error
        return None

    def stop(self, *calls: Call) -> None:
        """End calls that nobody waits for, though they may have begun; their models are free for the next.

        None of them begins while others of them are ended.
        """
        with self._lock:
            for call in [call for call in calls if not call.cancel()]:
                call.leave()

    def _dropped(self, done: Any) -> None:
        if done.cancelled():
            with self._lock:
                done.over = True
                self._models[done.model].queue.drop(done)
                self._workers.budget.room.notify_all()

    def busy(self, mode: Mode, reason: str = "") -> None:
        """Make way for an application that needs the devices, or come back with an empty *mode*."""
        now = time.monotonic()
        with self._lock:
            if self._workers.held and mode != "pause":
                for model in self._models.values():
                    _extend(model, self._held_since, now)
            elif mode == "pause" and not self._workers.held:
                self._held_since = now
            self._workers.mode, self._reason = mode, reason if mode else ""
            going: list[Model] = []
            for model in self._models.values():
                if not mode:
                    model.avoid.clear()
                if (mode and model.device != "cpu") or (not mode and model.fallback):
                    going.append(model)
                self._workers.staff(model)
            self._workers.budget.room.notify_all()
            self._workers.keeper.expect(now)
        self._workers.let_go(going)

    def status(self) -> RuntimeStatus:
        """What each model that was asked for is doing, and what the devices hold."""
        with self._lock:
            held = (self._reason or "making way") if self._workers.held else ""
            models = tuple(model.status(held) for model in self._models.values() if model.pack is not None)
            devices = sorted({"cpu", *(model.device for model in self._models.values() if model.session is not None)})
            return RuntimeStatus(
                models=models,
                devices=tuple(
                    DeviceStatus(device, self._workers.budget.used(device), self._workers.budget.limit(device))
                    for device in devices
                ),
                busy=self._workers.mode,
                reason=self._reason,
            )

    def close(self) -> None:
        """Fail what waits, wait for what runs, and let go of every model."""
        self._workers.close()


def _extend(model: Model, since: float, now: float) -> None:
    """Give held calls the time back that they were held."""
    for piece in model.queue.bulk:
        if piece.call.deadline:
            piece.call.deadline += now - max(since, piece.call.since)


__all__ = ["Scheduler"]
