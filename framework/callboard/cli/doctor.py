"""``callboard doctor``: is everything there, and how to mend what is not."""

from __future__ import annotations

from pathlib import Path

import click

from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json
from callboard.cli.project import here_or_default
from callboard.config import DATA_FOLDER, Project
from callboard.doctor import Finding, examine
from callboard.errors import ConfigError

_MARKS = {"ok": "[green]ok[/green]     ", "note": "[cyan]note[/cyan]   ", "problem": "[red]problem[/red]"}


@click.command("doctor")
@json_flag
def command(as_json: bool) -> int:
    """Check Python, libraries, models, plugins, broker, disk and folders. Exit code 1 if anything is amiss."""
    try:
        findings = examine(here_or_default())
    except ConfigError as error:
        folder = Path(error.path).parent
        wrong = Finding("settings", "problem", error.message, "Mend the file; everything below is checked without it.")
        findings = [wrong, *examine(Project(folder=folder, data=folder / DATA_FOLDER))]
    problems = sum(one.level == "problem" for one in findings)
    if as_json:
        print_json({"findings": findings, "problems": problems})
        return 1 if problems else 0
    out = console()
    for one in findings:
        out.print(f"{_MARKS[one.level]} {cell(one.what)}: {cell(one.found)}")
        if one.mend:
            out.print(f"        [dim]{cell(one.mend)}[/dim]")
    out.print(f"\n{problems} to mend." if problems else "\nEverything is there.")
    return 1 if problems else 0


__all__ = ["command"]
