"""Runs a command: finds it, suggests the nearest name for a wrong one, and prints every error on one screen."""

from __future__ import annotations

import difflib
import os
import sys
from importlib import import_module
from typing import Any

import click

from callboard.cli import COMMANDS
from callboard.cli.output import print_error, print_json
from callboard.errors import CallboardError


class _Commands(click.Group):
    """The commands of the table, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = import_module(entry.module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or say which was meant."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            meant = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"No command '{args[0]}'.{meant}", ctx)
        return super().resolve_command(ctx, args)


_app = _Commands("callboard", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})


def run(arguments: list[str]) -> int:
    """Run a command and return the exit code."""
    as_json = "--json" in arguments
    try:
        code: Any = _app.main(arguments, prog_name="callboard", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.UsageError as error:
        return _usage(error, as_json=as_json)
    except click.ClickException as error:
        return _told("usage", error.format_message(), "", 2, as_json=as_json)
    except CallboardError as error:
        return _told(error.code, error.message, error.hint, error.exit_code, as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        return _told("interrupted", "interrupted", "Run the same command again to go on.", 130, as_json=as_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
        return 0
    except Exception as error:  # noqa: BLE001 - no traceback reaches a user; it is kept in a file to be sent to us
        return _told("internal", f"a fault of Callboard itself: {error}", _kept(), 70, as_json=as_json)


def _usage(error: click.UsageError, *, as_json: bool) -> int:
    path = error.ctx.command_path if error.ctx else "callboard"
    return _told("usage", error.format_message(), f"See '{path} --help'.", 2, as_json=as_json)


def _told(code: str, message: str, hint: str, exit_code: int, *, as_json: bool) -> int:
    if as_json:
        print_json({"error": {"code": code, "message": message, "hint": hint}})
    print_error(message, hint)
    return exit_code


def _kept() -> str:
    """Write the traceback into a file and say where."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="callboard-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(traceback.format_exc())
    return f"Nothing is lost. The details are in {file.name}; please send them with a report."


__all__ = ["run"]
