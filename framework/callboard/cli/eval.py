"""``callboard eval``: how well a plugin does on truth that it can make, beside what was accepted before."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import click

from callboard.cli.options import json_flag, unknown
from callboard.cli.output import cell, console, print_json, print_table, table
from callboard.errors import UsageError
from callboard.evaluation import (
    Compared,
    Measures,
    MeasureSet,
    compare,
    load,
    names,
    parse_choice,
    read_baseline,
    sets_of,
    write_baseline,
)


@click.command("eval")
@click.argument("name", metavar="NAME")
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@click.option(
    "--set",
    "material",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Measure your own material in this folder, in place of made truth.",
)
@click.option(
    "--compare",
    "choices",
    nargs=2,
    metavar="A B",
    help="Two choices of parameters for --set, such as: default beam_size=1",
)
@click.option("--baseline", type=click.Path(path_type=Path), help="Compare with this file instead of the usual one.")
@click.option("--update", is_flag=True, help="Accept what is measured now as the baseline.")
@json_flag
def command(
    name: str,
    suites: Sequence[str],
    material: Path | None,
    choices: tuple[str, str] | None,
    baseline: Path | None,
    update: bool,
    as_json: bool,
) -> int:
    """Measure NAME (such as: tags) on made truth or your own. Exit code 1 if a measure is worse than its baseline.

    With --compare, A is the baseline.
    """
    if name not in names():
        raise unknown("evaluation", name, names(), click.get_current_context())
    found = load(name)
    if choices and (material is None or update or baseline):
        raise UsageError(
            "'--compare' needs '--set', and no baseline", "callboard eval captions --set DIR --compare A B"
        )
    if material is not None:
        return _own(name, sets_of(found, name), material, choices, baseline, update, as_json)
    strange = [suite for suite in suites if suite not in found.SUITES]
    if strange:
        raise unknown("suite", strange[0], found.SUITES, click.get_current_context())
    measured = {suite: _timed(suite, found.SUITES[suite], as_json) for suite in suites or found.SUITES}
    return _verdict(name, measured, baseline or found.BASELINE, update, as_json)


def _own(
    name: str,
    measure: MeasureSet,
    folder: Path,
    choices: tuple[str, str] | None,
    baseline: Path | None,
    update: bool,
    as_json: bool,
) -> int:
    """Measure somebody's own material: beside another choice of parameters, or beside what was accepted there."""
    suite = folder.resolve().name
    if choices is None:
        measured = {suite: _timed(suite, lambda: measure(folder, {}), as_json)}
        return _verdict(name, measured, baseline or folder / f"{name}.baseline.json", update, as_json)
    chosen = [parse_choice(choice) for choice in choices]
    first, second = (
        _timed(choice, partial(measure, folder, taken), as_json) for choice, taken in zip(choices, chosen, strict=True)
    )
    return _tell(name, compare({suite: second}, {suite: first}), choices, as_json)


def _timed(label: str, measure: Callable[[], Measures], as_json: bool) -> Measures:
    started = time.monotonic()
    measured = measure()
    if not as_json:
        console(stderr=True).print(f"[dim]{cell(label)}: {time.monotonic() - started:.1f} s[/dim]")
    return measured


def _verdict(name: str, measured: Mapping[str, Measures], where: Path, update: bool, as_json: bool) -> int:
    rows = compare(measured, read_baseline(where))
    if not update:
        return _tell(name, rows, ("baseline", "value"), as_json)
    write_baseline(where, rows)
    if as_json:
        print_json({"evaluation": name, "measures": rows, "worse": 0})
    else:
        _show(rows, ("baseline", "value"))
        console().print(f"Accepted in {cell(str(where))}.")
    return 0


def _tell(name: str, rows: Sequence[Compared], titles: tuple[str, str], as_json: bool) -> int:
    worse = sum(row.worse for row in rows)
    if as_json:
        print_json({"evaluation": name, "measures": rows, "worse": worse})
        return 1 if worse else 0
    _show(rows, titles)
    if all(row.baseline is None for row in rows):
        console().print("There is no baseline yet; '--update' accepts this as one.")
    elif not worse:
        console().print(f"Nothing is worse than {'the baseline' if titles[0] == 'baseline' else cell(titles[0])}.")
    elif titles[0] == "baseline":
        console().print(f"[red]{worse} worse than the baseline.[/red] '--update' accepts them, if that is meant.")
    else:
        console().print(f"[red]{worse} worse with {cell(titles[1])} than with {cell(titles[0])}.[/red]")
    return 1 if worse else 0


def _show(rows: Sequence[Compared], titles: tuple[str, str]) -> None:
    shown = table("suite", "measure", *titles, "")
    last = ""
    for row in rows:
        before = "" if row.baseline is None else f"{row.baseline:.3f}"
        mark = "[red]worse[/red]" if row.worse else ""
        shown.add_row(cell(row.suite) if row.suite != last else "", cell(row.measure), before, f"{row.value:.3f}", mark)
        last = row.suite
    print_table(shown)


__all__ = ["command"]
