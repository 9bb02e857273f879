"""The runtime in this process: the same contract for tests and notebooks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from callboard.config import RuntimeSettings
from callboard.context import Arrays
from callboard.runtime import Progress, Ticket
from callboard.runtime.gate import Gate
from callboard.runtime.scheduler import Scheduler
from callboard.runtime.status import Mode, ModelStatus, RuntimeStatus
from callboard.runtime.tickets import NOBODY, Bound


class LocalRuntime:
    """Implements ``callboard.context.Runtime`` without a process of its own."""

    def __init__(
        self, settings: RuntimeSettings | None = None, models: Path | None = None, gate: Gate | None = None
    ) -> None:
        """Make a runtime that has loaded nothing yet.

        Args:
            settings: Threads and memory; the defaults where None.
            models: A folder of further packs; that of *settings* where None.
            gate: How much may be under way at once.
        """
        settings = settings or RuntimeSettings()
        extra = models or (Path(settings.models) if settings.models else None)
        self._scheduler = Scheduler(settings, extra)
        self._gate = gate or Gate()

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
        ticket: Ticket = options.pop("ticket", NOBODY)
        leave = await self._gate.enter(model, inputs, urgent=ticket.urgent)
        progress: Progress | None = options.pop("progress", None)
        call = self._scheduler.submit(model, inputs, options, progress, ticket)
        call.add_done_callback(lambda _: leave())
        try:
            return await asyncio.wrap_future(call)
        except asyncio.CancelledError:
            self._scheduler.stop(call)
            raise

    def call(self, model: str, inputs: Arrays, **options: Any) -> dict[str, Any]:
        """Do ``run`` from a plain function; raises the same."""
        ticket: Ticket = options.pop("ticket", NOBODY)
        leave = self._gate.enter_blocking(model, inputs, urgent=ticket.urgent)
        try:
            progress: Progress | None = options.pop("progress", None)
            return self._scheduler.submit(model, inputs, options, progress, ticket, lend=True).result()
        finally:
            leave()

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
