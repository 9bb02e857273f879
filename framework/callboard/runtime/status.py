"""What the runtime says of itself."""

from __future__ import annotations

from msgspec import Struct


class ModelStatus(Struct, frozen=True):
    """One model's state; *memory_mb* is 0 while it is not loaded, *waiting* counts calls that have not begun."""

    name: str
    memory_mb: int
    loads: int
    calls: int
    waiting: int
    running: bool


class RuntimeStatus(Struct, frozen=True):
    """The runtime process; *pid* is 0 while there is none, *rss_mb* its resident memory in MiB."""

    pid: int = 0
    rss_mb: int = 0
    restarts: int = 0
    models: tuple[ModelStatus, ...] = ()


__all__ = ["ModelStatus", "RuntimeStatus"]
