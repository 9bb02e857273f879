"""Progress bars, one for each file, with rate and time left; nothing but a line for each file in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from callboard_schemas import Progress as JobProgress
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn

from callboard.cli.output import cell, console, file_cell
from callboard.cli.shown import Shown
from callboard.errors import Interrupted
from callboard.oneshot import Watcher

_READ = 0.05
"""The share of a file's bar that reading it takes."""
_SETTLED = ("done", "failed", "blocked", "cancelled")


class Silent(Watcher):
    """Draws nothing; stops the reading of a large file when the run is to stop."""

    stopping = False
    """Set when the run is to stop; read by the thread that reads files."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to take away."""

    def hashing(self, path: str, fraction: float) -> None:
        """Break off the reading when the run is to stop.

        Raises:
            Interrupted: it is.
        """
        if self.stopping:
            raise Interrupted


class Bars(Shown, Silent):
    """Draws a run: a bar for the whole, and one for each file at work."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=True),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("[dim]{task.fields[note]}[/dim]", markup=True),
            console=self._console,
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._whole: TaskID | None = None
        self._files: dict[str, TaskID] = {}
        self._shares: dict[str, dict[str, float]] = {}
        self._path_of: dict[str, str] = {}
        self._finished: set[str] = set()

    def found(self, count: int) -> None:
        """Show how many files there are."""
        if count > 1:
            self._whole = self._progress.add_task(f"[bold]{count} files[/bold]", total=count, rate="", note="")

    def hashing(self, path: str, fraction: float) -> None:
        """Show a file being read."""
        super().hashing(path, fraction)
        if fraction < 1:
            self._update(path, fraction * _READ, "reading")

    def asked(self, path: str, keys: Sequence[str]) -> None:
        """Show a file whose jobs are known."""
        self._shares[path] = dict.fromkeys(keys, 0.0)
        self._path_of.update((key, path) for key in keys)
        if not keys:
            self._finish(path)

    def more(self, path: str, keys: Sequence[str]) -> None:
        """Show a file whose results caused further jobs."""
        self._shares.setdefault(path, {}).update(dict.fromkeys(keys, 0.0))
        self._path_of.update((key, path) for key in keys)

    def progress(self, progress: JobProgress) -> None:
        """Show how far a job is."""
        path = self._path_of.get(progress.key)
        if path is not None:
            shares = self._shares[path]
            shares[progress.key] = max(shares[progress.key], progress.fraction)
            self._update(path, sum(shares.values()) / len(shares), f"{progress.plugin} {progress.note}".strip())

    def state(self, key: str, state: str) -> None:
        """Show a job that is settled."""
        path = self._path_of.get(key)
        if path is None or state not in _SETTLED:
            return
        self._shares[path][key] = 1.0
        if all(share >= 1.0 for share in self._shares[path].values()):
            self._finish(path)

    def _update(self, path: str, share: float, note: str) -> None:
        task = self._files.get(path)
        if task is None:
            task = self._files[path] = self._progress.add_task(file_cell(path, base=True), total=1.0, rate="", note="")
        elapsed = self._progress.tasks[self._progress.task_ids.index(task)].elapsed or 0.0
        rate = f"{share * 100 / elapsed:.1f} %/s" if share > _READ and elapsed > 1 else ""
        self._progress.update(task, completed=share, note=cell(note), rate=rate)

    def _finish(self, path: str) -> None:
        task = self._files.pop(path, None)
        if task is not None:
            self._progress.remove_task(task)
        if self._whole is not None and path not in self._finished:
            self._progress.advance(self._whole)
        self._finished.add(path)


__all__ = ["Bars", "Silent"]
