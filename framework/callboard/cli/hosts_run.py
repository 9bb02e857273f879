"""``callboard hosts run``: serves an application from outside, where Callboard's part is not inside it."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import click

from callboard.cli.hosts import chosen, project_option
from callboard.cli.options import json_flag
from callboard.cli.output import print_json
from callboard.config import require_project


@click.command("run")
@click.argument("name")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@project_option
@json_flag
def command(name: str, paths: Sequence[Path], project: Path | None, as_json: bool) -> int:
    """Serve the application NAME until Ctrl-C.

    PATHS are its project files, where its part works on those.
    """
    package = chosen(name)
    folder = require_project(project or Path.cwd()).folder
    given = [path.absolute() for path in paths]
    with _asked_to_stop() as stopping, contextlib.redirect_stdout(sys.stderr if as_json else sys.stdout):
        code = package.run(folder, given, stop=stopping.is_set)
    if as_json:
        print_json({"host": name, "project": str(folder), "code": code})
    return code


@contextlib.contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C or SIGTERM sets; a second one of them ends the process at once."""
    stopping = threading.Event()
    before: dict[int, Any] = {}

    def stop(number: int, _frame: FrameType | None) -> None:
        stopping.set()
        signal.signal(number, before[number])

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, stop)
    try:
        yield stopping
    finally:
        for caught, handler in before.items():
            signal.signal(caught, handler)


__all__ = ["command"]
