"""What ``callboard up`` shows: live bars on a terminal, one line for each finished job everywhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from callboard_schemas import Progress as JobProgress
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn

from callboard.catalog import jobs, proposals
from callboard.cli.output import cell, duration, failed_cell, file_cell, held_cell, place_path
from callboard.cli.shown import Shown
from callboard.cli.summary import summary

if TYPE_CHECKING:
    from callboard.daemon import Daemon
    from callboard.governor import Mode


class Feed(Shown):
    """Tells of jobs as they go; ``daemon`` is set before the first one."""

    daemon: Daemon

    def __init__(self, out: Console) -> None:
        self._out = out
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(compact=True),
            TextColumn("[dim]{task.fields[note]}[/dim]"),
            console=out,
            disable=not sys.stdout.isatty(),
            transient=True,
        )

    def progress(self, progress: JobProgress) -> None:
        """Show how far a job is."""
        task = self._tasks.get(progress.key)
        if task is None:
            name = file_cell(progress.path, base=True) if progress.path else progress.key[:12]
            name += f" [cyan]{progress.plugin}[/cyan]"
            task = self._tasks[progress.key] = self._progress.add_task(name, total=1.0, note="")
        self._progress.update(task, completed=progress.fraction, note=cell(progress.note))

    def state(self, key: str, state: str) -> None:
        """Tell of a job that is done, failed or blocked."""
        task = self._tasks.pop(key, None)
        if task is not None:
            self._progress.remove_task(task)
        if state == "queued":
            return
        row = self.daemon.board.catalog.read(lambda conn: jobs.get(conn, key))
        if row is None:
            return
        asset = row.subject
        name = file_cell(place_path(asset.place.root, asset.place.path)) if asset else cell(row.plugin)
        head = f"[dim]{time.strftime('%H:%M:%S')}[/dim] {name} [cyan]{row.plugin}[/cyan]"
        if state != "done":
            told = failed_cell(state, row.why) if row.why else f"[red]{state}[/red]"
            self._out.print(f"{head} {told}")
            return
        made = self.daemon.board.catalog.read(lambda conn: proposals.of_job(conn, key))
        told = "; ".join(f"[dim]{one.state}[/dim] {cell(summary(one.body))}" for one in made) or "nothing found"
        self._line(f"{head} {duration(row.seconds or 0.0)} {told}")

    def way(self, mode: Mode, reason: str) -> None:
        """Tell that the board makes way for whoever needs the machine, or is back."""
        does = {"": "back at work", "pause": held_cell(reason), "cpu": f"models leave the devices: {cell(reason)}"}
        self._out.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim] {does[mode]}")

    def _line(self, text: str) -> None:
        """Print one line; a terminal that is too narrow gets its beginning."""
        self._out.print(text, no_wrap=True, overflow="ellipsis", soft_wrap=not self._out.is_terminal)


__all__ = ["Feed"]
