"""Which devices are used, and in which order: what is here, as the settings and the pack allow."""

from __future__ import annotations

import csv
import functools
import io
import platform
import shutil
import subprocess
from collections.abc import Iterable
from typing import Final

import psutil

from callboard.config import RuntimeSettings
from callboard.packs import Pack
from callboard.runtime.engines import Device

CPU: Final = "cpu"
_ONLY_IF_ASKED: Final = frozenset({"tensorrt"})
"""TensorRT builds an engine for each model and shape, which takes minutes: only for those who want that."""
_NVIDIA_SECONDS: Final = 10.0


def kind_of(device: str) -> str:
    """Give the kind of a device as the settings name it: ``cuda`` of ``cuda:0``."""
    return device.partition(":")[0]


def ordered(here: Iterable[str], pack: Pack, settings: RuntimeSettings | None) -> tuple[str, ...]:
    """Put the devices that are *here*, fastest first, in the order to try them; the CPU is always the last.

    The order is that of ``settings.devices`` where it names any. A pack may narrow the choice by its option
    ``devices``, such as an int8 graph whose operators only the CPU has.
    """
    wanted = settings.devices if settings is not None else ()
    found = [device for device in here if kind_of(device) != CPU]
    if wanted:
        kinds: list[str] = list(wanted)
        found = sorted((each for each in found if kind_of(each) in kinds), key=lambda each: kinds.index(kind_of(each)))
    else:
        found = [each for each in found if kind_of(each) not in _ONLY_IF_ASKED]
    allowed = pack.options.get("devices")
    if allowed is not None:
        kept = (allowed,) if isinstance(allowed, str) else allowed if isinstance(allowed, tuple) else ()
        found = [each for each in found if kind_of(each) in kept]
    return (*found, CPU)


def processor(engine: str) -> Device:
    """Describe the CPU as a device of *engine*."""
    name = platform.processor() or platform.machine()
    return Device(engine, CPU, name, psutil.virtual_memory().total >> 20)


@functools.cache
def nvidia() -> tuple[tuple[str, int], ...]:
    """Name and memory in MiB of each NVIDIA GPU, as the driver's own tool tells; empty without one."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    command = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=_NVIDIA_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    rows = csv.reader(io.StringIO(told), skipinitialspace=True)
    return tuple((row[0], int(row[1])) for row in rows if len(row) == 2 and row[1].strip().isdigit())


__all__ = ["CPU", "kind_of", "nvidia", "ordered", "processor"]
