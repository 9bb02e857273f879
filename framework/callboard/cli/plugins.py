"""``callboard plugins``: list, describe and check plugins, without importing one."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from callboard.cli.options import Group, json_flag, unknown
from callboard.cli.output import cell, console, print_json, print_table, table
from callboard.cli.project import here_or_default
from callboard.discovery import Found, check, discover
from callboard.sending import sent


@click.group("plugins", cls=Group, plain="list")
@json_flag
def command(as_json: bool) -> None:
    """List, describe and check plugins."""


@command.command("list")
@json_flag
def list_(as_json: bool) -> int:
    """List the installed plugins, also those that cannot be used, with the reason."""
    found = _found()
    if as_json:
        print_json({"plugins": [_document(one) for one in found]})
        return 0
    shown = table("plugin", "version", "kind", "state", "what it does", whole=("plugin", "version", "kind"))
    for one in found:
        manifest = one.manifest
        version, kind, what = (manifest.version, manifest.kind, manifest.summary) if manifest else ("", "", one.error)
        shown.add_row(cell(one.id), version, kind, _state(one), cell(what))
    print_table(shown)
    return 0


@command.command()
@click.argument("name")
@json_flag
def info(name: str, as_json: bool) -> int:
    """Describe one plugin: events, results, models and parameters."""
    one = _one(name)
    if as_json:
        print_json(_document(one))
        return 0
    out = console()
    manifest = one.manifest
    out.print(f"[bold]{cell(one.id)}[/bold] {_state(one)}")
    if manifest is None:
        out.print(cell(one.error))
        return 1
    rows = (
        ("what", manifest.summary),
        ("kind", manifest.kind),
        ("version", f"{manifest.version} ({manifest.license}), from {one.distribution} {one.distribution_version}"),
        ("answers", ", ".join(manifest.events)),
        ("media", ", ".join(manifest.media)),
        ("gives", ", ".join(manifest.results)),
        ("models", ", ".join(manifest.models) or "none"),
        ("may", ", ".join(manifest.permissions) or "only read the media"),
        ("accepted", f"from confidence {manifest.threshold:.0%}" if manifest.kind == "analyse" else "by a person"),
        ("sends", _sends(one)),
    )
    for label, value in rows:
        out.print(f"{label:<9} {cell(value)}")
    shown = table("parameter", "type", "default", "what it does")
    for key, parameter in manifest.parameters.items():
        shown.add_row(key, parameter.type, cell(msgspec.json.encode(parameter.default).decode()), cell(parameter.help))
    print_table(shown)
    return 0


def _sends(one: Found) -> str:
    manifest = one.manifest
    if manifest is None or not manifest.sends_to:
        return "nothing" if manifest is None or "network" not in manifest.permissions else "whatever it likes"
    told = ", ".join(where for _, places in sent([one], here_or_default().settings) for where in places)
    text = f"what it works on to {told}: it leaves Callboard, and this machine unless that is on it"
    return text if told else f"nothing, while {', '.join(manifest.sends_to)} is empty"


@command.command("check")
@click.argument("name")
@json_flag
def check_(name: str, as_json: bool) -> int:
    """Import one plugin in a process of its own and say what is wrong with it. Exit code 1 if anything is."""
    problems = check(_one(name))
    if as_json:
        print_json({"plugin": name, "problems": problems})
    elif problems:
        for problem in problems:
            console().print(f"[red]problem:[/red] {cell(problem)}")
    else:
        console().print(f"{cell(name)}: nothing wrong.")
    return 1 if problems else 0


def _found() -> list[Found]:
    return discover(here_or_default().settings.allow_plugins)


def _one(name: str) -> Found:
    found = {one.id: one for one in _found()}
    if name not in found:
        raise unknown("plugin", name, found, click.get_current_context())
    return found[name]


def _state(one: Found) -> str:
    if one.error:
        return "[red]broken[/red]"
    if not one.allowed:
        return "[yellow]not allowed[/yellow] (name it in allow_plugins)"
    return "[yellow]needs " + ", ".join(one.missing) + "[/yellow]" if one.missing else "[green]ready[/green]"


def _document(one: Found) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(one)
    return told


__all__ = ["command"]
