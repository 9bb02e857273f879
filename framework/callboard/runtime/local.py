"""The runtime in this process: the same contract for tests and notebooks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from callboard.config import RuntimeSettings
from callboard.context import Arrays
from callboard.runtime import Progress, Ticket
from callboard.runtime.calls import Call
from callboard.runtime.scheduler import Scheduler
from callboard.runtime.status import Mode, ModelStatus, RuntimeStatus
from callboard.runtime.tickets import NOBODY, Bound


class LocalRuntime:
    """Implements ``callboard.context.Runtime`` without a process of its own."""

    def __init__(self, settings: RuntimeSettings | None = None, models: Path | None = None) -> None:
        """Make a runtime that has loaded nothing yet.

        Args:
            settings: Threads and memory; the defaults where None.
            models: A folder of further packs; that of *settings* where None.
        """
        settings = settings or RuntimeSettings()
        extra = models or (Path(settings.models) if settings.models else None)
        self._scheduler = Scheduler(settings, extra)

    async def run(self, model: str, inputs: Arrays, **options: Any) -> dict[str, Any]:
        """Run *model* once.

        Args:
            model: Its pack's name.
            inputs: Arrays by name.
            options: For the engine; and ``progress``, a function that takes 0 to 1, and ``ticket``, who calls.

        Raises:
            ModelMissing: the pack is not here or not intact.
            JobError: inputs or options are wrong.
            Blocked: there is no memory for it now.
        """
        future = self._submit(model, inputs, options)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            self._scheduler.stop(future)
            raise

    def call(self, model: str, inputs: Arrays, **options: Any) -> dict[str, Any]:
        """Do ``run`` from a plain function; raises the same."""
        return self._submit(model, inputs, options).result()

    def _submit(self, model: str, inputs: Arrays, options: dict[str, Any]) -> Call:
        progress: Progress | None = options.pop("progress", None)
        ticket: Ticket = options.pop("ticket", NOBODY)
        return self._scheduler.submit(model, inputs, options, progress, ticket)

    def status(self) -> list[ModelStatus]:
        """What each model that was asked for is doing."""
        return list(self._scheduler.status().models)

    def report(self) -> RuntimeStatus:
        """What the models, the devices and the lanes are doing."""
        return self._scheduler.status()

    def bound(self, ticket: Ticket) -> Bound:
        """Give a view whose calls all carry *ticket*."""
        return Bound(self, ticket)

    def busy(self, mode: Mode, reason: str = "") -> None:
        """Make way for an application that needs the devices, or come back with an empty *mode*."""
        self._scheduler.busy(mode, reason)

    def close(self) -> None:
        """Wait for what runs and let go of every model."""
        self._scheduler.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


__all__ = ["LocalRuntime"]
