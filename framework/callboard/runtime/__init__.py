"""The runtime contract: what an engine must do to run model packs.

One process owns every session (``runtime/process.py``); plugins reach it through ``RuntimeClient``, or
``LocalRuntime`` in tests and notebooks. An engine is looked up by the name a pack gives and imported at its first use.
"""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from msgspec import Struct

from callboard.config import RuntimeSettings
from callboard.errors import ModelMissing

if TYPE_CHECKING:
    import numpy as np

    from callboard.packs import Pack

ENGINES: Final = {
    "onnxruntime": "callboard.runtime.engines.onnx:OnnxEngine",
    "ctranslate2": "callboard.runtime.engines.ctranslation:CTranslateEngine",
    "torch": "callboard.runtime.engines.pytorch:TorchEngine",
    "library": "callboard.runtime.engines.library:LibraryEngine",
}
"""Engine name in a pack to ``module:class``."""


class NoMemory(Exception):
    """A device has no room for a model or a call. The runtime's answer: fewer rows, then the CPU, then blocked."""


Progress = Callable[[float], None]
"""Takes how far a call is, 0 to 1; called from any thread."""


class Control:
    """One call's line to whoever waits for it: progress out, a wish to stop in."""

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._halt: Callable[[], None] | None = None
        self.stopped = False

    def progress(self, fraction: float) -> None:
        """Say how far the call is, 0 to 1."""
        if self._progress is not None:
            self._progress(fraction)

    def on_stop(self, halt: Callable[[], None]) -> None:
        """Have *halt* called, from any thread, once nobody waits any more; at once if that is so already."""
        with self._lock:
            self._halt = halt
        if self.stopped:
            halt()

    def stop(self) -> None:
        """Ask the call to end as soon as it can."""
        with self._lock:
            self.stopped = True
            halt = self._halt
        if halt is not None:
            halt()


class Session(Protocol):
    """A loaded model on one device. ``run`` is called by at most ``parallel`` threads at a time."""

    @property
    def device(self) -> str:
        """Where it is: ``cpu``, ``cuda:0``, ``mps`` and so on."""
        ...

    @property
    def parallel(self) -> int:
        """Calls that may run at once."""
        ...

    @property
    def memory_mb(self) -> int:
        """What it takes, in MiB; the pack's own figure where the engine cannot tell."""
        ...

    def run(
        self, inputs: Mapping[str, np.ndarray[Any, Any]], options: Mapping[str, Any], control: Control
    ) -> dict[str, Any]:
        """Run once: arrays, or plain values that MessagePack can carry, by name.

        A call that *control* stops ends soon, with any answer or error: nobody is there to hear it.

        Raises:
            JobError: the inputs or options are wrong.
            NoMemory: the device's memory does not suffice for these inputs; fewer rows may fit.
        """
        ...

    def close(self) -> None:
        """Let go of the memory."""
        ...


class Engine(Protocol):
    """Loads packs of one kind."""

    def devices(self, pack: Pack, settings: RuntimeSettings | None = None) -> tuple[str, ...]:
        """The devices that are here and can run *pack*, best first; ``cpu`` is always the last.

        Best is the order of ``settings.devices`` where that names any, else fastest.

        Raises:
            ModelMissing: the engine's package is not installed.
        """
        ...

    def load(self, pack: Pack, folder: Path, settings: RuntimeSettings, device: str = "cpu") -> Session:
        """Read the pack's files from *folder*, compare each with its digest, and make a session of those bytes.

        The session says in ``device`` where it really is: a device may turn out to be unusable, and then it is the CPU.

        Raises:
            ModelMissing: a file is not what the pack says.
            NoMemory: it does not fit on *device* now.
        """
        ...


def make_engine(pack: Pack) -> Engine:
    """Import and make the engine of *pack*.

    Raises:
        ModelMissing: it is not known or not installed.
    """
    where = ENGINES.get(pack.engine)
    if where is None:
        known = ", ".join(sorted(ENGINES))
        raise ModelMissing(pack.name, f"engine {pack.engine!r} is not known", f"This version has: {known}.")
    module, _, name = where.partition(":")
    try:
        engine: Engine = getattr(importlib.import_module(module), name)()
    except ImportError as error:
        extra = getattr(pack.source, "extra", "") or "cpu"
        raise ModelMissing(
            pack.name, f"engine {pack.engine!r} cannot be imported ({error})", f"pip install 'callboard[{extra}]'"
        ) from None
    return engine


def cores() -> int:
    """The cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


class Ticket(Struct, frozen=True):
    """Who calls, and how long they may wait."""

    caller: str = ""
    """Calls of different callers take turns: the job's key, or the plugin's id."""
    urgent: bool = False
    """A person waits: goes before everything that is not urgent."""
    deadline: float = 0.0
    """``time.monotonic()`` after which nobody wants the answer; 0 for never."""


__all__ = ["ENGINES", "Control", "Engine", "NoMemory", "Progress", "Session", "Ticket", "cores", "make_engine"]
