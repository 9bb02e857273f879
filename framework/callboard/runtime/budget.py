"""The memory of each device: who holds how much, and who must go when another model wants in."""

from __future__ import annotations

import functools
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import psutil

from callboard.config import RuntimeSettings
from callboard.errors import Blocked
from callboard.runtime.models import Model

STAY: Final = 4.0
"""A model that has work stays for this many times as long as loading it took, so that two models which are used in
turn where there is room for one spend at most a fifth of the time on loading."""


class Holding(NamedTuple):
    """One model's share of a device."""

    name: str
    memory_mb: int
    pinned: bool
    active: bool
    """It runs something, or calls wait for it."""
    urgent: bool
    leaving: bool
    used: float
    stays: float
    """``time.monotonic()`` until which it is let be while it has work; infinite while it is loaded or closed."""


class Plan(NamedTuple):
    """How to make room."""

    fits: bool
    go: tuple[str, ...] = ()
    """Models that do nothing, to be let go of now."""
    ask: tuple[str, ...] = ()
    """Models that have work, to be let go of when what they run has ended."""
    wait: float | None = None
    """Seconds after which to plan again, if nothing changes before."""


def plan(need: int, limit: int, holdings: Sequence[Holding], now: float, *, urgent: bool) -> Plan:
    """Plan how to have *need* MiB free of *limit*: by the least recently used, then by those that had their time."""
    short = need + sum(holding.memory_mb for holding in holdings) - limit
    if short <= 0:
        return Plan(fits=True)
    short -= sum(holding.memory_mb for holding in holdings if holding.leaving)
    others = [holding for holding in holdings if not holding.leaving and not holding.pinned]
    go: list[str] = []
    for idle in sorted((one for one in others if not one.active), key=lambda one: one.used):
        if short > 0:
            go.append(idle.name)
            short -= idle.memory_mb
    ask: list[str] = []
    wait: float | None = None
    for working in sorted((one for one in others if one.active), key=lambda one: one.stays):
        if short <= 0:
            break
        if working.stays <= now or (urgent and not working.urgent):
            ask.append(working.name)
            short -= working.memory_mb
        elif wait is None and math.isfinite(working.stays):
            wait = working.stays - now
    return Plan(fits=False, go=tuple(go), ask=tuple(ask), wait=wait)


class Budget:
    """Books the memory of every device. *lock* is the scheduler's; *room* is notified when memory was given back."""

    def __init__(self, settings: RuntimeSettings, lock: threading.RLock, models: dict[str, Model]) -> None:
        self._settings, self._lock, self._models = settings, lock, models
        self.room = threading.Condition(lock)
        self._lines: dict[str, list[Model]] = {}

    def limit(self, device: str) -> int:
        """MiB that models may take on *device*."""
        if device == "cpu":
            return self._settings.memory_mb
        return self._settings.device_memory_mb or _total_mb(device) * 3 // 4

    def used(self, device: str) -> int:
        """MiB that models take on *device*."""
        return sum(model.memory_mb for model in self._models.values() if model.device == device)

    def could_ever(self, model: Model, device: str, need: int) -> bool:
        """Whether *need* MiB could be had for *model*: pinned models never go."""
        pinned = sum(
            other.memory_mb
            for other in self._models.values()
            if other is not model and other.pinned and other.device == device
        )
        return need + pinned <= self.limit(device)

    def refuse(self, model: Model, device: str, need: int) -> Blocked:
        """The error for a model that no letting go makes room for."""
        limit, setting = self.limit(device), "memory_mb" if device == "cpu" else "device_memory_mb"
        pinned = [other.name for other in self._models.values() if other.pinned and other.memory_mb]
        beside = f" beside the pinned {', '.join(pinned)}" if need <= limit and pinned else ""
        where = "" if device == "cpu" else f" on {device}"
        return Blocked(
            f"model {model.name!r} needs {need} MiB{beside}, and the runtime may hold {limit}{where}",
            f"Raise {setting} under [runtime] in callboard.toml{', or pin fewer models' if beside else ''}.",
        )

    def reserve(self, model: Model, device: str, need: int, wanted: Callable[[], bool], close: Close) -> bool:
        """Wait until *need* MiB of *device* are free and book them for *model*.

        Models wait in a line, the urgent first: without it each could take what another had made free.

        Args:
            model: Which is to be loaded.
            device: Where.
            need: MiB.
            wanted: Says, under the lock, whether anybody still waits for the model.
            close: Lets go of models; called without the lock.

        Returns:
            False when nobody wants the model any more.

        Raises:
            Blocked: it can never fit.
        """
        with self._lock:
            line = self._lines.setdefault(device, [])
            line.append(model)
        try:
            while True:
                with self._lock:
                    going = self._step(model, device, need, wanted)
                    if isinstance(going, bool):
                        return going
                close(going)
        finally:
            with self._lock:
                line.remove(model)
                model.room = ""
                self.room.notify_all()

    def _step(self, model: Model, device: str, need: int, wanted: Callable[[], bool]) -> bool | list[Model]:
        """Book, wait a while, or say which models must go first."""
        line = self._lines[device]
        while True:
            if not wanted():
                return False
            if not self.could_ever(model, device, need):
                raise self.refuse(model, device, need)
            wait: float | None = None
            if model is next((one for one in line if one.queue.urgent.rows), line[0]):
                way = plan(
                    need, self.limit(device), self._holdings(model, device), time.monotonic(), urgent=_urgent(model)
                )
                if way.fits:
                    model.device, model.memory_mb = device, need
                    return True
                leaving = [self._models[name] for name in (*way.go, *way.ask)]
                for other in leaving:
                    other.leaving = True
                idle = [other for other in leaving if not other.running]
                if idle:
                    return idle
                wait = way.wait
            model.room = self._why(model, device)
            self.room.wait(wait)

    def _holdings(self, model: Model, device: str) -> list[Holding]:
        return [
            Holding(
                other.name,
                other.memory_mb,
                other.pinned,
                active=other.state != "ready" or bool(other.running) or other.wanted(held=False),
                urgent=_urgent(other),
                leaving=other.leaving or other.state == "closing",
                used=other.used,
                stays=other.since + STAY * other.load_seconds if other.state == "ready" else math.inf,
            )
            for other in self._models.values()
            if other is not model and other.memory_mb and other.device == device
        ]

    def _why(self, model: Model, device: str) -> str:
        using = [
            other.name
            for other in self._models.values()
            if other is not model and other.device == device and other.memory_mb
        ]
        return f"no room on {device}: {', '.join(using)} {'is' if len(using) == 1 else 'are'} in use"

    def excess(self, model: Model) -> list[Model]:
        """Idle models to let go of, now that *model* turned out to be larger than was thought."""
        way = plan(
            model.memory_mb,
            self.limit(model.device),
            self._holdings(model, model.device),
            time.monotonic(),
            urgent=False,
        )
        return [self._models[name] for name in way.go]


Close = Callable[[Sequence[Model]], None]


def _urgent(model: Model) -> bool:
    return bool(model.queue.urgent.rows) or any(
        piece.call.ticket.urgent for batch in model.running for piece in batch.pieces
    )


@functools.cache
def _total_mb(device: str) -> int:
    """The memory of a device in MiB: of an NVIDIA GPU its own, else the machine's, which it shares."""
    from callboard.runtime.engines.devices import nvidia

    kind, _, index = device.partition(":")
    gpus = nvidia() if kind in ("cuda", "tensorrt") else ()
    return gpus[int(index or 0)][1] if int(index or 0) < len(gpus) else psutil.virtual_memory().total >> 20


__all__ = ["STAY", "Budget", "Close", "Holding", "Plan", "plan"]
