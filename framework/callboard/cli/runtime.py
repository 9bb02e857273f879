"""``callboard runtime``: what is loaded, queued and running, why something waits; and a pause by hand."""

from __future__ import annotations

import re
from typing import Any

import click

from callboard.cli.options import Group, json_flag
from callboard.cli.output import cell, console, count, print_json, print_table, table
from callboard.cli.project import ask_now, here_or_default
from callboard.control import Order

_UNITS = {"s": 1, "m": 60, "h": 3600}


@click.group("runtime", cls=Group, plain="status")
@json_flag
def command(as_json: bool) -> None:
    """Show what the models of the running board do, and why something waits."""


@command.command("status")
@json_flag
def status_(as_json: bool) -> int:
    """Show what is loaded, queued and running, and why something waits."""
    told: dict[str, Any] = ask_now(here_or_default(), "runtime", Order())
    if as_json:
        print_json(told)
        return 0
    out = console()
    out.print(_process(told))
    if told["held_jobs"]:
        out.print(f"[yellow]held[/yellow]    {count(told['held_jobs'], 'job')}: {cell(told['busy'])}")
    if not told["models"]:
        out.print("No model was asked for yet.")
        return 0
    shown = table("model", "on", "memory", "calls", "batch", "waiting", "state")
    for one in told["models"]:
        shown.add_row(
            cell(one["name"]),
            cell(one["device"]),
            f"{one['memory_mb']} MiB" if one["memory_mb"] else "",
            str(one["calls"]),
            f"{one['rows'] / one['batches']:.1f}" if one["batches"] else "",
            str(one["waiting"]) if one["waiting"] else "",
            _state(one),
        )
    print_table(shown)
    return 0


def _process(told: dict[str, Any]) -> str:
    mode = f"; makes way: {cell(told['busy'])}" if told["busy"] else ""
    if not told["pid"]:
        return f"The model runtime is not running; it starts with the first job{mode}."
    restarts = f", started again {count(told['restarts'], 'time')}" if told["restarts"] else ""
    return f"runtime process {told['pid']}, {told['rss_mb']} MiB{restarts}{mode}"


def _state(one: dict[str, Any]) -> str:
    if one["why"]:
        return cell(one["why"])
    if one["running"]:
        return "running"
    loaded = "ready" if one["memory_mb"] else "let go of"
    return loaded + (", pinned" if one["pinned"] else "")


@command.command("pause")
@click.option("--for", "length", default="", metavar="TIME", help="Such as 30m or 2h; until 'resume' when left out.")
@json_flag
def pause(length: str, as_json: bool) -> int:
    """Give devices back, and hold everything that nobody waits for."""
    seconds = _seconds(length)
    ask_now(here_or_default(), "pause", Order(seconds=seconds))
    if as_json:
        print_json({"paused": True, "seconds": seconds})
        return 0
    console().print(f"Paused for {length}." if seconds else "Paused until 'callboard runtime resume'.")
    return 0


@command.command("resume")
@json_flag
def resume(as_json: bool) -> int:
    """Go on, whatever keeps the machine busy now."""
    ask_now(here_or_default(), "resume", Order())
    if as_json:
        print_json({"paused": False})
        return 0
    console().print("Going on.")
    return 0


def _seconds(length: str) -> float:
    if not length:
        return 0.0
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", length.strip())
    if found is None or not float(found[1]):
        raise click.UsageError(f"{length!r} is no length of time; say 90s, 30m or 2h.", click.get_current_context())
    return float(found[1]) * _UNITS[found[2]]


__all__ = ["command"]
