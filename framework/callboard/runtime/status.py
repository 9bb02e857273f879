"""What the runtime says of itself."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Mode = Literal["", "pause", "cpu"]
"""How models make way for an application: not at all; nothing but urgent calls, on the CPU; everything on the CPU."""


class ModelStatus(Struct, frozen=True):
    """One model's state."""

    name: str
    memory_mb: int
    """What it takes where it is loaded, in MiB; 0 while it is not."""
    loads: int
    """How often it was loaded."""
    calls: int
    """Calls that were begun."""
    waiting: int
    """Calls that have not begun."""
    running: int
    """Batches that run now."""
    device: str = ""
    """Where it is loaded; empty while it is not."""
    urgent: int = 0
    """Of *waiting*, those that a person waits for."""
    rows: int = 0
    """Rows that were run."""
    batches: int = 0
    """Runs that took; ``rows / batches`` is the mean batch."""
    pinned: bool = False
    idle_seconds: float = 0.0
    """Since it last ran; 0 while it runs."""
    why: str = ""
    """Why calls wait, in words; empty when none do."""


class DeviceStatus(Struct, frozen=True):
    """The memory that models take on one device, and may take, in MiB."""

    name: str
    memory_mb: int
    limit_mb: int


class RuntimeStatus(Struct, frozen=True):
    """The runtime process; *pid* is 0 while there is none, *rss_mb* its resident memory in MiB."""

    pid: int = 0
    rss_mb: int = 0
    restarts: int = 0
    models: tuple[ModelStatus, ...] = ()
    devices: tuple[DeviceStatus, ...] = ()
    busy: Mode = ""
    """How models make way now."""
    reason: str = ""
    """Why they do."""


__all__ = ["DeviceStatus", "Mode", "ModelStatus", "RuntimeStatus"]
