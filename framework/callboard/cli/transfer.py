"""Shows a download: a bar with bytes, rate and time left on a terminal, a line now and then in a pipe."""

from __future__ import annotations

import sys
import time
from typing import Final

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from callboard.cli.output import cell, console, duration
from callboard.cli.shown import Shown

_EVERY: Final = 10.0
"""Seconds between two lines in a pipe."""


class Transfer(Shown):
    """Shows one download after the other on stderr. Use as a context manager; *told* hears how far one is."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar = not quiet and sys.stderr.isatty()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            console=console(stderr=True),
            disable=not self._bar,
        )
        self._name = ""
        self._task = self._progress.add_task("", total=None, visible=False)
        self._began = self._line = self._first = 0.0

    def begin(self, name: str) -> None:
        """Begin with the download of the pack *name*."""
        self._name, self._first = name, -1.0
        self._began = self._line = time.monotonic()
        if self._bar:
            self._task = self._progress.add_task(cell(name), total=None)

    def told(self, done: int, size: int) -> None:
        """Show that *done* of *size* bytes are here."""
        if self._bar:
            self._progress.update(self._task, completed=done, total=size)
            return
        now = time.monotonic()
        if self._first < 0:
            self._first = float(done)
        if self._quiet or now - self._line < _EVERY:
            return
        self._line = now
        console(stderr=True).print(self._words(done, size, now - self._began))

    def _words(self, done: int, size: int, seconds: float) -> str:
        words = f"{cell(self._name)}: {done / 1e6:.1f} of {size / 1e6:.1f} MB"
        rate = (done - self._first) / seconds
        return f"{words}, {rate / 1e6:.1f} MB/s, {duration((size - done) / rate)} left" if rate else words


__all__ = ["Transfer"]
