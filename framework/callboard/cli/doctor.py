"""``callboard doctor``: is everything there, and how to mend what is not."""

from __future__ import annotations

import click

from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json
from callboard.cli.project import here_or_default
from callboard.doctor import examine

_MARKS = {"ok": "[green]ok[/green]     ", "note": "[cyan]note[/cyan]   ", "problem": "[red]problem[/red]"}


@click.command("doctor")
@json_flag
def command(as_json: bool) -> int:
    """Check Python, libraries, models, plugins, broker, disk and folders. Exit code 1 if anything is amiss."""
    findings = examine(here_or_default())
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
