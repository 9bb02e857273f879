"""The owner of every loaded model in a process: one lane per model, loaded once, let go of when memory is needed.

A lane is one thread with a queue: its first call loads the model, so however many callers come at once it is
loaded once, and a session never sees two calls at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from callboard.config import RuntimeSettings
from callboard.errors import Blocked, JobError, ModelMissing
from callboard.packs import Pack, find_packs, locate
from callboard.runtime import Control, Progress, Session, make_engine
from callboard.runtime.status import ModelStatus

if TYPE_CHECKING:
    from pathlib import Path

    from callboard.context import Arrays


class _Lane:
    def __init__(self, name: str) -> None:
        self.name = name
        self.pack: Pack | None = None
        self.thread = ThreadPoolExecutor(1, thread_name_prefix=f"model-{name}")
        self.session: Session | None = None
        self.memory_mb = 0
        self.loads = self.calls = self.waiting = 0
        self.running = False
        self.used = 0.0


class Sessions:
    """Runs models by name, each in its own thread, within ``settings.memory_mb``."""

    def __init__(self, settings: RuntimeSettings, extra: Path | None = None) -> None:
        self._settings, self._extra = settings, extra
        self._lanes: dict[str, _Lane] = {}
        self._changed = threading.Condition()
        self._controls: dict[Future[dict[str, Any]], Control] = {}
        self._closed = False

    def submit(
        self, model: str, inputs: Arrays, options: Mapping[str, Any], progress: Progress | None = None
    ) -> Future[dict[str, Any]]:
        """Queue one call; cancelling its future drops it while it has not begun, ``stop`` whenever it is."""
        with self._changed:
            if self._closed:
                refused: Future[dict[str, Any]] = Future()
                refused.set_exception(Blocked("the runtime is closing", "Try again once it is back."))
                return refused
            lane = self._lanes.get(model) or self._lanes.setdefault(model, _Lane(model))
            lane.waiting += 1
            control = Control(progress)
            future = lane.thread.submit(self._serve, lane, inputs, options, control)
            self._controls[future] = control
        future.add_done_callback(self._controls.pop)
        future.add_done_callback(lambda done: self._dropped(lane) if done.cancelled() else None)
        return future

    def stop(self, call: Future[dict[str, Any]]) -> None:
        """End a call that nobody waits for, though it has begun; its model is free for the next."""
        if not call.cancel():
            control = self._controls.get(call)
            if control is not None:
                control.stop()

    def _dropped(self, lane: _Lane) -> None:
        with self._changed:
            lane.waiting -= 1

    def _serve(self, lane: _Lane, inputs: Arrays, options: Mapping[str, Any], control: Control) -> dict[str, Any]:
        with self._changed:
            lane.waiting -= 1
            lane.running = True
        try:
            pack = lane.pack if lane.session is not None and lane.pack is not None else self._find(lane)
            _check(pack, inputs)
            session = lane.session or self._load(lane, pack)
            lane.calls += 1
            return session.run(inputs, options, control)
        except MemoryError:
            raise Blocked(f"model {lane.name!r}: no memory for this call", "Close other programs.") from None
        finally:
            with self._changed:
                lane.running = False
                lane.used = time.monotonic()
                self._changed.notify_all()

    def _find(self, lane: _Lane) -> Pack:
        # Looked up until it is loaded: a pack may have been added or mended since.
        pack = find_packs(self._extra).get(lane.name)
        if pack is None:
            raise ModelMissing(lane.name, "no such pack", "'callboard models list' shows those that are known.")
        lane.pack = pack
        return pack

    def _load(self, lane: _Lane, pack: Pack) -> Session:
        folder = locate(pack)
        engine = make_engine(pack)
        self._make_room(lane, pack)
        try:
            session = engine.load(pack, folder, self._settings)
        except BaseException:
            with self._changed:
                lane.memory_mb = 0
            raise
        with self._changed:
            lane.session, lane.memory_mb = session, session.memory_mb
            lane.loads += 1
        return session

    def _make_room(self, lane: _Lane, pack: Pack) -> None:
        need, limit = pack.memory_mb, self._settings.memory_mb
        if need > limit:
            raise Blocked(
                f"model {pack.name!r} needs {need} MiB, and the runtime may hold {limit}",
                "Raise memory_mb under [runtime] in callboard.toml.",
            )
        with self._changed:
            while sum(other.memory_mb for other in self._lanes.values()) + need > limit:
                idle = [other for other in self._lanes.values() if other.session is not None and not other.running]
                if idle:
                    _unload(min(idle, key=lambda other: other.used))
                else:
                    self._changed.wait()
            lane.memory_mb = need

    def status(self) -> list[ModelStatus]:
        """What each model that was asked for is doing."""
        with self._changed:
            return [
                ModelStatus(
                    lane.name,
                    lane.memory_mb if lane.session else 0,
                    lane.loads,
                    lane.calls,
                    lane.waiting,
                    lane.running,
                )
                for lane in self._lanes.values()
                if lane.pack is not None
            ]

    def close(self) -> None:
        """Drop what waits, wait for what runs, and let go of every model."""
        with self._changed:
            self._closed = True
            lanes = list(self._lanes.values())
        for lane in lanes:
            lane.thread.shutdown(wait=True, cancel_futures=True)
            _unload(lane)


def _unload(lane: _Lane) -> None:
    session, lane.session, lane.memory_mb = lane.session, None, 0
    if session is not None:
        session.close()


def _check(pack: Pack, inputs: Arrays) -> None:
    for tensor in pack.inputs if inputs else ():
        array = inputs.get(tensor.name)
        if array is None:
            raise JobError(f"model {pack.name!r}: input {tensor.name!r} is missing")
        fits = len(array.shape) == len(tensor.shape) and all(
            want in (-1, have) for want, have in zip(tensor.shape, array.shape, strict=True)
        )
        if array.dtype.name != tensor.dtype or not fits:
            raise JobError(
                f"model {pack.name!r}: input {tensor.name!r} is {array.dtype.name} {list(array.shape)}, "
                f"not {tensor.dtype} {list(tensor.shape)} (-1: any)"
            )


__all__ = ["Sessions"]
