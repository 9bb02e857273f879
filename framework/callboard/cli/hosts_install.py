"""``callboard hosts install``: Callboard's part goes where an application finds it; every step is shown first."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from callboard.cli.hosts import chosen, named, place, project_folder, project_option, where_option
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json
from callboard.hosting import HostPackage, Installation, Step

_DOES = {"write": "[green]write[/green] ", "remove": "[red]remove[/red]", "run": "[cyan]run[/cyan]   "}


@click.command("install")
@click.argument("name")
@where_option
@project_option
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@json_flag
def command(name: str, where: str, project: Path | None, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Put Callboard into the application NAME.

    Shows each step first and, on a terminal, asks. Where several versions are found, the newest is taken.
    """
    package, folder = chosen(name), project_folder(project)
    target, others, here = place(package, where, usual=dry_run)
    if not target.folder:
        return _outside(package, target, as_json=as_json)
    steps = package.install(target, folder, dry_run=True)
    out = console()
    if not as_json:
        out.print(f"{package.title}: {named(target)}")
        out.print(f"Project: {cell(str(folder))}" if folder else "Project: none; '--project DIR' names one.")
        if not here:
            out.print(f"[yellow]{package.title} is not found here; this is where its documents say it looks.[/yellow]")
        for other in others:
            said = f"{named(other)}; --where {cell(other.version or other.folder)} takes it."
            out.print(f"[dim]{'Also found' if here else 'Or'}: {said}[/dim]")
        show(steps)
    if not dry_run and steps:
        if not (yes or as_json or agreed()):
            return 1
        steps = package.install(target, folder, dry_run=False)
    if as_json:
        told = {"host": name, "installation": target, "project": str(folder or ""), "steps": steps}
        print_json({**told, "done": not dry_run})
    elif dry_run:
        out.print("Nothing was written: --dry-run.")
    elif steps:
        only = f" --where {shlex.quote(target.folder)}" if where or others else ""
        out.print(f"Done. To take it away again: callboard hosts uninstall {name}{cell(only)}")
    return 0


def _outside(package: HostPackage, target: Installation, *, as_json: bool) -> int:
    """Say that there is nothing to put anywhere."""
    if as_json:
        print_json({"host": package.name, "installation": target, "project": "", "steps": [], "done": True})
    else:
        serve = f"'callboard hosts run {package.name} PATH' serves its projects from outside."
        console().print(f"Nothing is put into {cell(target.application)}. {serve}")
    return 0


def show(steps: Sequence[Step]) -> None:
    """Print what will be done, a line for each step."""
    out = console()
    for step in steps:
        note = f" [dim]({cell(step.note)})[/dim]" if step.note else ""
        out.print(f"  {_DOES[step.what]} {cell(step.target)}{note}")
    if not steps:
        out.print("  nothing to do")


def agreed() -> bool:
    """Ask on a terminal; where nobody can be asked, the command itself was the answer."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    if click.confirm("Do this?", default=True, err=True):
        return True
    console().print("Nothing was done.")
    return False


__all__ = ["agreed", "command", "show"]
