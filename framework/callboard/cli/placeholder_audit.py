"""``callboard placeholder audit``: what was generated and refused, for whom and with what, and whether all is there."""

from __future__ import annotations

from pathlib import Path

import click

from callboard import audit
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, print_json, print_table, table
from callboard.cli.project import here
from callboard.config import Project

_PLUGIN = "placeholder"


@click.command("audit")
@click.option("--verify", is_flag=True, help="Check that no line was changed or lost. Exit code 1 if one was.")
@click.option("--last", type=click.IntRange(1), default=20, show_default=True, help="How many lines to show.")
@json_flag
def command(verify: bool, last: int, as_json: bool) -> int:
    """Show what was generated and what was refused, the last first.

    Note the digest that --verify prints somewhere else: it shows later that nothing before it was changed.
    """
    folder = _folder(here())
    if verify:
        return _verify(folder, as_json=as_json)
    lines = list(audit.read(folder))[-last:][::-1]
    if as_json:
        print_json({"lines": lines})
        return 0
    if not lines:
        console().print("Nothing was generated here yet.")
        return 0
    shown = table("time", "shot", "engine", "by", "", "seed", "file or reason", whole=("time", "seed"))
    for one in lines:
        entry = one.entry
        shown.add_row(
            one.time,
            cell(entry.shot),
            cell(", ".join(entry.engines)),
            cell(entry.by),
            entry.decision,
            "" if entry.seed is None else str(entry.seed),
            cell(Path(entry.file).name or entry.reason),
        )
    print_table(shown)
    return 0


def _verify(folder: Path, *, as_json: bool) -> int:
    found = audit.verify(folder)
    if as_json:
        print_json(found)
    else:
        out = console()
        for problem in found.problems:
            out.print(f"[red]{cell(problem)}[/red]")
        out.print(f"{count(found.lines, 'line')}; {'nothing is missing' if not found.problems else 'see above'}.")
        if found.lines:
            out.print(f"[dim]digest of the last: {found.digest}[/dim]")
    return int(bool(found.problems))


def _folder(project: Project) -> Path:
    return project.data / "plugins" / _PLUGIN


__all__ = ["command"]
