"""What the command line prints: Rich on a terminal, plain lines in a pipe, one JSON document with ``--json``."""

from __future__ import annotations

import io
import sys
import unicodedata
from pathlib import Path
from typing import Any

import msgspec
from callboard_schemas import Failure, decode_path
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_NAME = 34
"""Characters of a file name in a table on a terminal of 80 columns."""


def console(*, stderr: bool = False) -> Console:
    """Give a console; in a pipe it neither colours nor wraps."""
    stream = sys.stderr if stderr else sys.stdout
    piped = not stream.isatty()
    return Console(file=stream, highlight=False, soft_wrap=piped, width=100_000 if piped else None)


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_error(message: str, hint: str = "") -> None:
    """Print what went wrong and what to do next, on stderr."""
    out = console(stderr=True)
    out.print(f"[red]error:[/red] {escape(plain(message))}")
    if hint:
        out.print(f"[dim]{escape(plain(hint))}[/dim]")


def plain(text: str) -> str:
    """Make text safe for a terminal: control characters, such as in a file's name, are shown, not sent."""
    return "".join(
        char if char == "\n" or unicodedata.category(char)[0] != "C" else char.encode("unicode_escape").decode("ascii")
        for char in text.encode("utf-8", "backslashreplace").decode("utf-8")
    )


def cell(text: str) -> str:
    """Make text safe for a table: no markup, no control characters, one line."""
    return escape(plain(text).replace("\n", " "))


def file_cell(encoded: str, *, base: bool = False) -> str:
    """Show a path that came percent-encoded as the user knows it, safe for a table; *base* leaves its folders out.

    What is below the current folder is shown relative to it; on a terminal a long name loses its middle.
    """
    name = decode_path(encoded).decode("utf-8", "backslashreplace").replace("\n", "\\n")
    if base:
        name = name.rpartition("/")[2]
    elif name.startswith("/"):
        here = str(Path.cwd()).rstrip("/") + "/"
        name = name.removeprefix(here)
    if base and sys.stdout.isatty() and len(name) > _NAME:
        name = name[: _NAME // 2] + "…" + name[1 - _NAME // 2 :]
    return escape(plain(name))


def place_path(root: str, encoded: str) -> str:
    """Give the percent-encoded path of a place as people know it: inside its watched folder, else absolute."""
    from callboard.following import LOCAL_ROOT

    return f"/{encoded}" if root == LOCAL_ROOT else encoded


def held_cell(reason: str) -> str:
    """Say why jobs are held, and what to do about it."""
    return f"[yellow]held: {cell(reason)}[/yellow]; 'callboard runtime resume' goes on"


def failed_cell(state: str, failure: Failure) -> str:
    """Show why something failed, and what to do about it."""
    said = f"[red]{state}:[/red] {cell(failure.message)}"
    first, *more = [cell(line) for line in failure.hint.splitlines()] or [""]
    if more:
        return "\n  ".join([said, *(f"[dim]{line}[/dim]" for line in (first, *more))])
    return f"{said} [dim]({first})[/dim]" if first else said


def table(*columns: str, title: str = "", whole: tuple[str, ...] = ()) -> Table:
    """Begin a table; in a pipe it is plain columns. Columns in *whole* keep to one line."""
    from rich import box

    piped = not sys.stdout.isatty()
    style = None if piped else box.SIMPLE_HEAD
    made = Table(title=title or None, box=style, title_justify="left", pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        made.add_column(column, overflow="ellipsis" if column in whole else "fold", no_wrap=column in whole)
    return made


def print_table(made: Table) -> None:
    """Print a table; in a pipe no line ends in blanks."""
    if sys.stdout.isatty():
        console().print(made)
        return
    text = io.StringIO()
    Console(file=text, highlight=False, soft_wrap=True, width=100_000).print(made)
    sys.stdout.write("".join(line.rstrip() + "\n" for line in text.getvalue().splitlines()))


def count(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 file``, ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """Write a time that something takes: ``0.4 s``, ``12 s``, ``3 min 05 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


__all__ = [
    "cell",
    "console",
    "count",
    "duration",
    "failed_cell",
    "file_cell",
    "held_cell",
    "place_path",
    "plain",
    "print_error",
    "print_json",
    "print_table",
    "table",
]
