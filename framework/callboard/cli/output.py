"""What the command line prints: Rich on a terminal, plain lines in a pipe, one JSON document with ``--json``."""

from __future__ import annotations

import sys
import unicodedata
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table


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


def table(*columns: str, title: str = "") -> Table:
    """Begin a table; in a pipe it is plain columns."""
    from rich import box

    piped = not sys.stdout.isatty()
    made = Table(title=title or None, box=None if piped else box.SIMPLE, title_justify="left", pad_edge=not piped)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def duration(seconds: float) -> str:
    """Write a time that something takes: ``0.4 s``, ``12 s``, ``3 min 05 s``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


__all__ = ["cell", "console", "duration", "plain", "print_error", "print_json", "table"]
