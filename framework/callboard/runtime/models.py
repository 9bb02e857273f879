"""One model: what waits for it, where it is loaded, and what it has done."""

from __future__ import annotations

import threading
import time
from typing import Literal

from callboard.packs import Pack
from callboard.runtime import Session
from callboard.runtime.calls import Batch
from callboard.runtime.pace import Pace
from callboard.runtime.queue import Queue
from callboard.runtime.status import ModelStatus

State = Literal["absent", "loading", "ready", "closing"]


class Model:
    """A model that was asked for. The scheduler's lock guards all of it; *work* is notified when a worker may go on."""

    def __init__(self, name: str, lock: threading.RLock, *, pinned: bool) -> None:
        self.name, self.pinned = name, pinned
        self.pack: Pack | None = None
        self.queue = Queue()
        self.work = threading.Condition(lock)
        self.state: State = "absent"
        self.leaving = False
        """It is let go of as soon as nothing of it runs; until then nothing more is begun."""
        self.session: Session | None = None
        self.device = ""
        self.memory_mb = 0
        self.fallback = False
        """It is on the CPU because a faster device is given to somebody else."""
        self.avoid: set[str] = set()
        """Devices whose memory did not suffice even for one row."""
        self.threads = self.free = 0
        self.running: set[Batch] = set()
        self.loads = self.calls = self.rows = self.batches = 0
        self.since = self.used = time.monotonic()
        self.load_seconds = 0.0
        self.measured: dict[tuple[str, str], int] = {}
        """MiB that it took before, by the pack's digest and device."""
        self.room = ""
        """Why there is no room for it."""
        self._paces: dict[str, Pace] = {}

    @property
    def batches_calls(self) -> bool:
        """Whether its calls may be run together."""
        return self.pack is not None and self.pack.batch is not None

    @property
    def pace(self) -> Pace:
        """How many rows a batch should have where it is now."""
        most = self.pack.batch.most if self.pack is not None and self.pack.batch is not None else 1
        pace = self._paces.get(self.device)
        if pace is None or pace.most != most:
            pace = self._paces[self.device] = Pace(most)
        return pace

    @property
    def parallel(self) -> int:
        """Batches that may run at once."""
        return max(1, self.session.parallel) if self.session is not None else 1

    def wanted(self, *, held: bool) -> bool:
        """Whether a call waits that may run now."""
        return self.queue.due(held=held) is not None

    def take(self, *, held: bool) -> Batch | None:
        """Take the next batch off the queue."""
        assert self.session is not None
        limit = self.pace.limit() if self.batches_calls else 1
        pieces = self.queue.take(limit, self.parallel - len(self.running), held=held)
        pieces = [piece for piece in pieces if piece.call.begin()]
        if not pieces:
            return None
        batch = Batch(pieces, self.session)
        self.running.add(batch)
        self.rows += batch.rows
        self.batches += 1
        self.calls += sum(piece.start == 0 and not piece.alone for piece in pieces)
        return batch

    def status(self, held: str) -> ModelStatus:
        """What it is doing; *held* says why nothing is begun that is not urgent."""
        urgent, bulk = self.queue.urgent.calls, self.queue.bulk.calls
        return ModelStatus(
            name=self.name,
            memory_mb=self.memory_mb if self.session is not None else 0,
            loads=self.loads,
            calls=self.calls,
            waiting=urgent + bulk,
            running=len(self.running),
            device=self.device if self.session is not None else "",
            urgent=urgent,
            rows=self.rows,
            batches=self.batches,
            pinned=self.pinned,
            idle_seconds=0.0 if self.running else time.monotonic() - self.used,
            why=self._why(held) if urgent + bulk else "",
        )

    def _why(self, held: str) -> str:
        """Why its calls wait."""
        if held and not self.queue.urgent.rows:
            return f"held: {held}"
        if self.state == "loading":
            return self.room or "loading"
        if self.leaving or self.state == "closing":
            return "makes room"
        running = sum(len(batch.pieces) for batch in self.running)
        return f"behind {running} call{'s' if running > 1 else ''}" if running else "about to run"


__all__ = ["Model", "State"]
