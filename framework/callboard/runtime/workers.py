"""The worker threads: each takes what waits for its model, loads the model first if need be, and hands out answers.

A model has as many as its session takes calls at once. A worker that is free takes what waits at that moment: no
call ever waits for company.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from callboard.config import RuntimeSettings
from callboard.errors import Blocked, CallboardError
from callboard.runtime.budget import Budget
from callboard.runtime.calls import Batch, Call, Piece, Settled, closing, late, settle
from callboard.runtime.keeper import Keeper
from callboard.runtime.ladder import Outcome, run
from callboard.runtime.loading import Loader
from callboard.runtime.models import Model
from callboard.runtime.status import Mode


class Workers:
    """The threads of every model. *lock* guards the models and this; it is not held while anything is run or loaded."""

    def __init__(
        self, settings: RuntimeSettings, extra: Path | None, lock: threading.RLock, models: dict[str, Model]
    ) -> None:
        self._settings, self._lock, self._models = settings, lock, models
        self.budget = Budget(settings, lock, models)
        self.keeper = Keeper(lock, models, settings.keep, self.let_go, self._fail_late, lambda: self.held)
        self._loader = Loader(settings, extra, lock, models, self.budget, self.let_go)
        self.mode: Mode = ""
        """How models make way; changed under the lock."""
        self.closed = False
        self._threads: set[threading.Thread] = set()

    @property
    def held(self) -> bool:
        """Whether only urgent calls are run."""
        return self.mode == "pause"

    def staff(self, model: Model) -> None:
        """See that a worker takes what waits."""
        if self.closed or not model.wanted(held=self.held):
            return
        if model.free:
            model.work.notify()
        elif model.threads < (model.parallel if model.state == "ready" else 1):
            model.threads += 1
            thread = threading.Thread(target=self._work, args=(model,), name=f"model-{model.name}", daemon=True)
            self._threads.add(thread)
            thread.start()

    def lend(self, model: Model) -> None:
        """Run what is due in the caller's own thread, if a worker may run it now: that saves two changes of thread."""
        with self._lock:
            batch = self._take(model) if model.state == "ready" else None
            if batch is None:
                self.staff(model)
        if batch is not None:
            self._run(model, batch)

    def _run(self, model: Model, batch: Batch) -> None:
        assert model.pack is not None
        self._finish(model, batch, run(model.pack, batch))

    def _work(self, model: Model) -> None:
        try:
            while (batch := self._next(model)) is not None:
                if batch == "load":
                    self._load(model)
                elif isinstance(batch, Batch):
                    self._run(model, batch)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _next(self, model: Model) -> Batch | Literal["load"] | None:
        """Wait for what the model's worker is to do next; ``None`` when it may go."""
        with self._lock:
            while not self.closed:
                if model.state == "absent":
                    if not model.wanted(held=self.held):
                        break
                    model.state = "loading"
                    return "load"
                batch = self._take(model) if model.state == "ready" else None
                if batch is not None:
                    return batch
                model.free += 1
                model.work.wait()
                model.free -= 1
            model.threads -= 1
            return None

    def _take(self, model: Model) -> Batch | None:
        """Take the next batch, if one may run now."""
        while not model.leaving and len(model.running) < model.parallel and model.wanted(held=self.held):
            batch = model.take(held=self.held)
            if batch is not None:
                self.staff(model)
                return batch
        return None

    def _load(self, model: Model) -> None:
        error: BaseException | None = None
        loaded = False
        try:
            loaded = self._loader.load(
                model, lambda: model.wanted(held=self.held) and not self.closed, lambda: bool(self.mode)
            )
        except BaseException as raised:  # noqa: BLE001 - whatever it is, those who wait must hear it
            error = raised
        settled: Settled = []
        with self._lock:
            model.state = "ready" if loaded else "absent"
            if error is not None:
                urgent_only = self.held
                settled = [(piece.call, error) for piece in model.queue if piece.call.ticket.urgent or not urgent_only]
            elif loaded:
                settled = _prepare(model)
                model.leaving = model.device != "cpu" if self.mode else model.fallback  # it changed meanwhile
            _first(model, settled)
            self.budget.room.notify_all()
            self.keeper.expect(0.0 if model.pinned else time.monotonic() + self._settings.keep)
            leave = model.leaving
        settle(settled)
        if leave:
            self.let_go([model])

    def _finish(self, model: Model, batch: Batch, outcome: Outcome) -> None:
        """Hand out what a batch came to."""
        settled: Settled = []
        with self._lock:
            batch.end()
            model.running.discard(batch)
            model.used = time.monotonic()
            if outcome.short:
                settled += self._short(model, batch)
            elif outcome.answers and model.batches_calls:
                model.pace.ran(batch.rows, batch.work, outcome.seconds)
            for piece in outcome.again:
                piece.alone = True
                settled += self._again(model, piece)
            settled += [(piece.call, error) for piece, error in outcome.failed]
            settled += [(piece.call, None) for piece, answer in outcome.answers if piece.call.keep(piece, answer)]
            settled = _first(model, settled)
            leave = model.leaving and not model.running
            self.budget.room.notify_all()
            self.keeper.expect(0.0 if model.pinned else model.used + self._settings.keep)
            self.staff(model)
        settle(settled)
        if leave:
            self.let_go([model])

    def _short(self, model: Model, batch: Batch) -> Settled:
        """Memory ran out: half the rows, then the CPU, then no more."""
        settled: Settled = []
        if batch.rows > 1 and batch.pieces[0].call.kind is not None:
            model.pace.too_much(batch.rows)
        elif model.device != "cpu":
            model.avoid.add(model.device)
            model.leaving = True
        else:
            error = Blocked(
                f"model {model.name!r}: no memory for this call", "Close other programs, or send less at once."
            )
            return [(piece.call, error) for piece in batch.pieces]
        for piece in reversed(batch.pieces):
            settled += self._again(model, piece)
        return settled

    def _again(self, model: Model, piece: Piece) -> Settled:
        if piece.call.gone:
            return [(piece.call, Blocked("the call was given up", ""))]
        if not piece.call.over:
            model.queue.lane(piece.call).put_back(piece)
        return []

    def let_go(self, models: Sequence[Model]) -> None:
        """Let go of models: now, or once what runs has ended."""
        for model in models:
            with self._lock:
                session = model.session
                if model.state != "ready" or session is None:
                    continue
                model.leaving = True
                if model.running:
                    continue
                model.state, model.session = "closing", None
            with contextlib.suppress(Exception):  # an engine that cannot let go must not end the thread that asked
                session.close()
            del session
            with self._lock:
                model.state, model.leaving, model.memory_mb = "absent", False, 0
                if model.device not in model.avoid:
                    model.avoid.clear()  # the next load may find more room where there was none
                self.budget.room.notify_all()
                model.work.notify_all()
                self.staff(model)

    def _fail_late(self, calls: Sequence[Call]) -> None:
        """Answer calls that have waited past their deadlines."""
        settled: Settled = []
        with self._lock:
            for call in calls:
                settled += _first(self._models[call.model], [(call, late(call))])
            self.budget.room.notify_all()
        settle(settled)

    def close(self) -> None:
        """Fail what waits, wait for what runs, and let go of every model."""
        settled: Settled = []
        with self._lock:
            self.closed = True
            for model in self._models.values():
                settled += _first(model, [(piece.call, closing()) for piece in model.queue])
                model.work.notify_all()
            self.budget.room.notify_all()
            threads = list(self._threads)
        self.keeper.close()
        settle(settled)
        for thread in threads:
            thread.join()
        self.let_go(list(self._models.values()))


def _first(model: Model, settled: Settled) -> Settled:
    """Mark what is settled, and take it out of the queue; what was settled before is left out."""
    first = [(call, result) for call, result in settled if not call.over]
    seen: dict[int, tuple[Call, BaseException | None]] = {}
    for call, result in first:
        call.over = True
        model.queue.drop(call)
        seen.setdefault(call.number, (call, result))
    settled[:] = seen.values()
    return settled


def _prepare(model: Model) -> Settled:
    """See with what each waiting call may be run, now that the pack is known; give those that do not fit it."""
    assert model.pack is not None
    settled: Settled = []
    for lane in (model.queue.urgent, model.queue.bulk):
        for piece in [piece for piece in lane if not piece.call.begun]:
            lane.drop(piece.call)
            try:
                piece.call.prepare(model.pack)
            except CallboardError as error:
                settled.append((piece.call, error))
            lane.put(Piece(piece.call))
    return settled


__all__ = ["Workers"]
