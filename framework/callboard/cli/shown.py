"""What every display of progress has in common: it runs while it is entered."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.progress import Progress


class Shown:
    """A display of progress, as a context manager."""

    _progress: Progress

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


__all__ = ["Shown"]
