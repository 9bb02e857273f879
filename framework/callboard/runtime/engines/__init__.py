"""The engines: one module each, imported when a model first asks for it.

``available_devices`` is for people and for ``callboard doctor``; the runtime asks an engine itself.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterable
from typing import Final, NamedTuple

# onnxruntime's wheels report their use to their maker, on Linux too, unless this stands in the environment before they
# are imported; nothing that Callboard does leaves the machine unasked.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

ASKABLE: Final = {
    "onnxruntime": ("onnxruntime", "callboard.runtime.engines.onnx"),
    "ctranslate2": ("ctranslate2", "callboard.runtime.engines.ctranslate"),
    "torch": ("torch", "callboard.runtime.engines.pytorch"),
}
"""Engine to the package it needs and the module whose ``present()`` tells its devices."""


class Device(NamedTuple):
    """A device that an engine can use here; *memory_mb* is its memory in MiB, 0 where nobody tells."""

    engine: str
    device: str
    name: str
    memory_mb: int


def available_devices(engines: Iterable[str] = ("onnxruntime", "ctranslate2")) -> list[Device]:
    """Look which devices each engine can use on this machine, fastest first, the CPU last.

    Args:
        engines: Those to ask. An engine whose package is not installed has no devices. Asking ``torch`` imports
            torch, which takes seconds: name it only where a person waits for the answer.
    """
    found: list[Device] = []
    for engine in engines:
        package, module = ASKABLE[engine]
        if importlib.util.find_spec(package) is not None:
            found += importlib.import_module(module).present()
    return found


__all__ = ["ASKABLE", "Device", "available_devices"]
