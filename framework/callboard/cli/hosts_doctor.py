"""``callboard hosts doctor``: what an application still needs, and how to give it that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from callboard.cli.hosts import chosen, place, project_folder, project_option, where_option
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json
from callboard.errors import UsageError
from callboard.hosting import Finding, HostPackage
from callboard.hosting.packages import Found, hosts

_MARKS = {"ok": "[green]ok[/green]     ", "warning": "[yellow]warning[/yellow]", "problem": "[red]problem[/red]"}


@click.command("doctor")
@click.argument("name", required=False)
@where_option
@project_option
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Try each call in the running application, and keep in this file what it answers.",
)
@json_flag
def command(name: str | None, where: str, project: Path | None, record: Path | None, as_json: bool) -> int:
    """Say what is missing for the application NAME.

    Without a NAME, for every one. Exit code 1 if there is a problem.
    """
    if name is None and (record is not None or where):
        raise UsageError("'--record' and '--where' are for one application", "callboard hosts doctor NAME")
    folder = project_folder(project)
    if name is None:
        told = {one.name: _of(one, folder) for one in hosts()}
    elif where:
        package = chosen(name)
        told = {name: package.doctor(place(package, where).chosen, folder, record=record)}
    else:
        told = {name: _looked(chosen(name), folder, record)}
    problems = sum(one.state == "problem" for found in told.values() for one in found)
    if as_json:
        print_json({"hosts": told, "problems": problems})
    else:
        _show(told)
    return 1 if problems else 0


def _of(found: Found, project: Path | None) -> Sequence[Finding]:
    if found.problem is not None:
        return [Finding(state="problem", what=found.problem.message, hint=found.problem.hint)]
    package = found.use()
    if not package.installations():
        return [Finding(state="warning", what=f"{package.title} is not found on this machine")]
    return _looked(package, project, None)


def _looked(package: HostPackage, project: Path | None, record: Path | None) -> Sequence[Finding]:
    """Look at the installations that ours is in, or else at the one that it would go into."""
    there = package.installations()
    if record is not None or not there:
        return package.doctor(place(package, "").chosen if there else None, project, record=record)
    looked = [one for one in there if one.installed] or [place(package, "").chosen]
    findings = [finding for one in looked for finding in package.doctor(one, project, record=None)]
    return list(dict.fromkeys(findings))  # what is said of the project is said once


def _show(told: dict[str, Sequence[Finding]]) -> None:
    out = console()
    for name, findings in told.items():
        if len(told) > 1:
            out.print(f"[bold]{cell(name)}[/bold]")
        for one in findings:
            out.print(f"{_MARKS[one.state]} {cell(one.what)}")
            if one.hint:
                out.print(f"        [dim]{cell(one.hint)}[/dim]")


__all__ = ["command"]
