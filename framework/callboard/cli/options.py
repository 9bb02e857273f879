"""What several commands share: the ``--json`` flag, and groups that suggest the nearest name for a wrong one."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def _wanted(ctx: click.Context, _parameter: click.Parameter, value: bool) -> bool:
    """Let ``--json`` count wherever it stands: ``callboard plugins --json list`` too."""
    return value or bool(ctx.parent and ctx.parent.params.get("as_json"))


def json_flag(function: F) -> F:
    """Give a command the flag ``--json``, as the argument ``as_json``."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        is_eager=True,
        callback=_wanted,
        help="Print one JSON document on stdout, and nothing else.",
    )(function)


def unknown(what: str, given: str, there_are: Iterable[str], ctx: click.Context, hint: str = "") -> click.UsageError:
    """Make the error for a name that is not there, with the one that was probably meant, or else with *hint*."""
    near = difflib.get_close_matches(given, list(there_are), n=1)
    meant = f" Did you mean {near[0]!r}?" if near else f" {hint}" if hint else ""
    return click.UsageError(f"No {what} {given!r}.{meant}", ctx)


class Group(click.Group):
    """A command with subcommands, of which it may do one where none is named.

    Args:
        arguments: As ``click.Group`` takes them.
        later: Name to the module of a subcommand, its ``command``, which is imported when it is called.
        plain: The subcommand that is done where none is named; it takes the group's ``--json``.
        options: As ``click.Group`` takes them.
    """

    def __init__(
        self, *arguments: Any, later: Mapping[str, str] | None = None, plain: str = "", **options: Any
    ) -> None:
        super().__init__(*arguments, **{"invoke_without_command": bool(plain), **options})
        self._later, self._plain = dict(later or {}), plain

    def invoke(self, ctx: click.Context) -> Any:
        """Do the subcommand that was named, or the one that is done where none is."""
        done = super().invoke(ctx)
        command = None if ctx.invoked_subcommand or not self._plain else self.get_command(ctx, self._plain)
        if command is None:
            return done
        with command.make_context(self._plain, [], parent=ctx) as plain:
            return command.invoke(plain)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names, those of modules that are installed among them."""
        there = (name for name, module in self._later.items() if importlib.util.find_spec(module) is not None)
        return sorted({*super().list_commands(ctx), *there})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give one subcommand."""
        if cmd_name in self._later and importlib.util.find_spec(self._later[cmd_name]) is not None:
            found: click.Command = importlib.import_module(self._later[cmd_name]).command
            return found
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a subcommand, or say which was meant."""
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise unknown("command", args[0], self.list_commands(ctx), ctx)
        return super().resolve_command(ctx, args)


__all__ = ["Group", "json_flag", "unknown"]
