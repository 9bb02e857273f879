"""``callboard eval``: how well a plugin does on truth that it can make, beside what was accepted before."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from callboard.cli.options import json_flag, unknown
from callboard.cli.output import cell, console, print_json, print_table, table
from callboard.evaluation import Compared, compare, load, names, read_baseline, write_baseline


@click.command("eval")
@click.argument("name", metavar="NAME")
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@click.option("--baseline", type=click.Path(path_type=Path), help="Compare with this file instead of the plugin's own.")
@click.option("--update", is_flag=True, help="Accept what is measured now as the baseline.")
@json_flag
def command(name: str, suites: Sequence[str], baseline: Path | None, update: bool, as_json: bool) -> int:
    """Measure NAME (such as: tags) on made truth. Exit code 1 if a measure is worse than its baseline."""
    if name not in names():
        raise unknown("evaluation", name, names(), click.get_current_context())
    found = load(name)
    strange = [suite for suite in suites if suite not in found.SUITES]
    if strange:
        raise unknown("suite", strange[0], found.SUITES, click.get_current_context())
    where = baseline or found.BASELINE
    measured = {}
    for suite in suites or found.SUITES:
        started = time.monotonic()
        measured[suite] = found.SUITES[suite]()
        if not as_json:
            console(stderr=True).print(f"[dim]{cell(suite)}: {time.monotonic() - started:.1f} s[/dim]")
    rows = compare(measured, read_baseline(where))
    if update:
        write_baseline(where, rows)
    worse = [row for row in rows if row.worse and not update]
    if as_json:
        print_json({"evaluation": name, "measures": rows, "worse": len(worse)})
    else:
        _show(rows)
        console().print(f"Accepted in {cell(str(where))}." if update else _verdict(len(worse)))
    return 1 if worse else 0


def _show(rows: Sequence[Compared]) -> None:
    shown = table("suite", "measure", "value", "baseline", "")
    last = ""
    for row in rows:
        before = "" if row.baseline is None else f"{row.baseline:.3f}"
        mark = "[red]worse[/red]" if row.worse else ""
        shown.add_row(cell(row.suite) if row.suite != last else "", cell(row.measure), f"{row.value:.3f}", before, mark)
        last = row.suite
    print_table(shown)


def _verdict(worse: int) -> str:
    if worse:
        return f"[red]{worse} worse than the baseline.[/red] '--update' accepts them, if that is meant."
    return "Nothing is worse than the baseline."


__all__ = ["command"]
