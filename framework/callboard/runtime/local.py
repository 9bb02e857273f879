"""The runtime in this process: the same contract for tests and notebooks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from callboard.config import RuntimeSettings
from callboard.context import Arrays
from callboard.runtime import Progress
from callboard.runtime.sessions import Sessions
from callboard.runtime.status import ModelStatus


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
        self._sessions = Sessions(settings, extra)

    async def run(self, model: str, inputs: Arrays, **options: Any) -> dict[str, Any]:
        """Run *model* once; ``progress=`` may be a function that takes 0 to 1.

        Raises:
            ModelMissing: the pack is not here or not intact.
            JobError: inputs or options are wrong.
            Blocked: there is no memory for it now.
        """
        progress: Progress | None = options.pop("progress", None)
        future = self._sessions.submit(model, inputs, options, progress)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            self._sessions.stop(future)
            raise

    def call(self, model: str, inputs: Arrays, **options: Any) -> dict[str, Any]:
        """Do ``run`` from a plain function; raises the same."""
        progress: Progress | None = options.pop("progress", None)
        return self._sessions.submit(model, inputs, options, progress).result()

    def status(self) -> list[ModelStatus]:
        """What each model that was asked for is doing."""
        return self._sessions.status()

    def close(self) -> None:
        """Wait for what runs and let go of every model."""
        self._sessions.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


__all__ = ["LocalRuntime"]
