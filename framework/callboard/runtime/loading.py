"""Loads a model on the best device that has room for it: less than that where memory runs out, at last the CPU."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from callboard.config import RuntimeSettings
from callboard.errors import Blocked, ModelMissing
from callboard.packs import Pack, find_packs, locate, named
from callboard.packs.store import store_folder
from callboard.runtime import Engine, NoMemory, Session, make_engine
from callboard.runtime.budget import Budget, Close
from callboard.runtime.models import Model


class Loader:
    """Loads models. *lock* and *models* are the scheduler's; *close* lets go of models."""

    def __init__(
        self,
        settings: RuntimeSettings,
        extra: Path | None,
        lock: threading.RLock,
        models: dict[str, Model],
        budget: Budget,
        close: Close,
    ) -> None:
        self._settings, self._extra, self._lock, self._models = settings, extra, lock, models
        self._budget, self._close = budget, close

    def load(self, model: Model, wanted: Callable[[], bool], cpu_only: Callable[[], bool]) -> bool:
        """Load *model*; False when meanwhile nobody wants it.

        Args:
            model: Its state is ``loading``; what was loaded is put into it.
            wanted: Says, under the lock, whether a call waits that may run.
            cpu_only: Says whether other devices are given to somebody else.

        Raises:
            ModelMissing: its pack is not here or not intact.
            Blocked: there is no memory for it.
        """
        # Looked up at each load: a pack may have been added or mended since.
        settings = self._settings
        pack = named(find_packs(self._extra, store_folder(settings.store), settings.allow_pickles), model.name)
        if pack is None:
            raise ModelMissing(model.name, "no such pack", "'callboard models list' shows those that are known.")
        folder = locate(pack)
        engine = make_engine(pack)
        devices = engine.devices(pack, self._settings)
        fit = [device for device in devices if device not in model.avoid and (device == "cpu" or not cpu_only())]
        fit = fit or ["cpu"]
        for device in fit:
            self._budget.limit(device)  # asked once without the lock: it may take a while
            loaded = self._try(model, pack, folder, engine, device, wanted, last=device == fit[-1])
            if loaded is not None:
                model.fallback = loaded and device == "cpu" and devices[0] != "cpu" and cpu_only()
                return loaded
        raise Blocked(f"model {model.name!r}: no memory to load it", "Close other programs, or use a smaller model.")

    def _try(
        self,
        model: Model,
        pack: Pack,
        folder: Path,
        engine: Engine,
        device: str,
        wanted: Callable[[], bool],
        *,
        last: bool,
    ) -> bool | None:
        """Load on one device; ``None`` when its memory does not suffice, False when nobody wants it."""
        need = model.measured.get((pack.digest, device), pack.memory_mb)
        if not last and not self._budget.could_ever(model, device, need):
            return None
        for again in (True, False):
            if not self._budget.reserve(model, device, need, wanted, self._close):
                return False
            try:
                self._put(model, pack, device, lambda: engine.load(pack, folder, self._settings, device))
            except (NoMemory, MemoryError):
                self._release(model)
                if not again or not self._let_go_of_idle(device):
                    return None
            except BaseException:
                self._release(model)
                raise
            else:
                return True
        return None

    def _put(self, model: Model, pack: Pack, device: str, load: Callable[[], Session]) -> None:
        before, quiet = psutil.Process().memory_info().rss, self._activity()
        began = time.monotonic()
        session = load()
        seconds = time.monotonic() - began
        grown = (psutil.Process().memory_info().rss - before) >> 20
        memory_mb = session.memory_mb
        if session.device == "cpu" and quiet == self._activity():
            memory_mb = max(memory_mb, min(grown, self._budget.limit("cpu")))
        with self._lock:
            model.pack, model.session, model.device = pack, session, session.device
            model.memory_mb = model.measured[pack.digest, device] = memory_mb
            model.loads += 1
            model.since = model.used = time.monotonic()
            model.load_seconds = seconds
            going = self._budget.excess(model)
        self._close(going)

    def _activity(self) -> tuple[int, ...]:
        """Changes when a model runs or is loaded; with it, growth of the process is not one model's."""
        with self._lock:
            busy = [model for model in self._models.values() if model.running or model.state in ("loading", "closing")]
            return (len(busy), *(model.batches for model in self._models.values()))

    def _release(self, model: Model) -> None:
        with self._lock:
            model.memory_mb = 0
            self._budget.room.notify_all()

    def _let_go_of_idle(self, device: str) -> bool:
        with self._lock:
            idle = [
                model
                for model in self._models.values()
                if model.device == device
                and model.state == "ready"
                and not (model.running or model.pinned or model.wanted(held=False))
            ]
        self._close(idle)
        return bool(idle)


__all__ = ["Loader"]
