"""Runs a command: finds it, suggests the nearest name for a wrong one, and prints every error on one screen."""

from __future__ import annotations

import os
import sqlite3
import sys
from importlib import import_module
from typing import Any, NamedTuple

import click

from callboard.cli import COMMANDS
from callboard.cli.options import Group
from callboard.cli.output import print_error, print_json
from callboard.errors import CallboardError, Interrupted


class _Commands(Group):
    """The commands of the table, and those that packages contribute; each is imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            from callboard.hosting.packages import contributed

            return contributed(cmd_name)
        command: click.Command = import_module(entry.module).command
        return command


_app = _Commands("callboard", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})


def run(arguments: list[str]) -> int:
    """Run a command and return the exit code: 0 all well, 1 something failed, 2 wrong usage, 130 or 143 stopped."""
    as_json = "--json" in arguments
    try:
        code: Any = _app.main(arguments, prog_name="callboard", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        return _pipe_closed()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _tell(_named(Interrupted()), as_json=as_json)
    except Exception as error:  # noqa: BLE001 - no traceback reaches a user; a fault's is kept in a file to be sent to us
        return _tell(_named(error), as_json=as_json)


class _Told(NamedTuple):
    """An error as it is told."""

    code: str
    message: str
    hint: str = ""
    exit_code: int = 1


def _named(error: BaseException) -> _Told:
    """Say any error in the same words; those of libraries and of the system too."""
    if isinstance(error, CallboardError):
        return _Told(error.code, error.message, error.hint, error.exit_code)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return _Told("usage", f"{error.ctx.command_path if error.ctx else 'callboard'}: which one?", error.message, 2)
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "callboard"
        return _Told("usage", error.format_message(), f"See '{path} --help'.", 2)
    if isinstance(error, click.ClickException):
        return _Told("usage", error.format_message(), "", 2)
    if isinstance(error, OSError):
        what = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
        return _Told(
            "system",
            f"{what}{error.strerror or error}",
            "Check that it is there and that you may use it, then try again.",
        )
    if isinstance(error, sqlite3.Error):
        return _Told("catalog", f"the catalog cannot be used: {error}", "'callboard doctor' checks it and its disk.")
    return _Told("internal", f"a fault of Callboard itself: {error}", _kept())


def _tell(told: _Told, *, as_json: bool) -> int:
    try:
        if as_json:
            print_json({"error": {"code": told.code, "message": told.message, "hint": told.hint}})
            sys.stdout.flush()
    except BrokenPipeError:
        _pipe_closed()
    print_error(told.message, told.hint)
    return told.exit_code


def _pipe_closed() -> int:
    """The reader has seen enough; keep Python from complaining of it when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _kept() -> str:
    """Write the traceback into a file and say where."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="callboard-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(traceback.format_exc())
    return f"Nothing is lost. The details are in {file.name}; please send them with a report."


__all__ = ["run"]
