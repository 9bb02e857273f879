"""``callboard run``: one-shot work on files, with a progress bar for each, to be interrupted and resumed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from callboard.cli.onward import stoppable
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, file_cell, print_json
from callboard.cli.progress import Bars, Silent
from callboard.cli.project import here_or_default
from callboard.cli.reporting import show_jobs
from callboard.oneshot import OneShot
from callboard.report import RunReport

_LISTED = 12
"""Sidecars named one by one on a terminal; a pipe gets all of them."""
_REASONS = 3
"""Reasons told for what plugins left out."""


@click.command("run")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--plugin", "plugins", multiple=True, metavar="NAME", help="Only this plugin; may be given again.")
@click.option(
    "--accept",
    type=click.Choice(["none", "policy", "all"]),
    default="policy",
    show_default=True,
    help="What is accepted and written without asking.",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write sidecars into this folder.")
@json_flag
def command(paths: tuple[Path, ...], plugins: tuple[str, ...], accept: str, out: Path | None, as_json: bool) -> int:
    """Caption and tag PATHS (files, folders, 'shot.%04d.exr') now, without a daemon.

    Results are written beside the media; the media itself is never touched. What was done before is not done
    again, so an interrupted run goes on where it stopped. Exit code: 0 all well, 1 something failed, 2 wrong
    usage, 130 stopped by Ctrl-C, 143 stopped by SIGTERM.
    """
    with Silent() if as_json else Bars() as watcher:
        shot = OneShot(here_or_default(), paths, plugins=plugins, acceptance=accept, out=out, watcher=watcher)  # type: ignore[arg-type]  # click gives a string that it has checked
        report = asyncio.run(stoppable(shot, watcher))
    if as_json:
        print_json(report)
    else:
        _show(report)
    return 0 if report.ok else 1


def _show(report: RunReport) -> None:
    out = console()
    show_jobs(report)
    wrote = [path for asset in report.assets for path in asset.sidecars]
    listed = wrote[:_LISTED] if sys.stdout.isatty() else wrote
    for path in listed:
        out.print(f"  wrote {file_cell(path)}")
    if len(wrote) > len(listed):
        out.print(f"  and {len(wrote) - len(listed)} more")
    _show_passed_over(report)
    totals = report.totals
    parts = [f"{totals[name]} {name}" for name in ("done", "failed", "blocked") if totals[name]]
    parts += [f"{totals['nothing']} with nothing to do"] if totals["nothing"] else []
    parts += [f"{len(report.passed_over)} passed over"] if report.passed_over else []
    found = ", ".join(parts) or "no media found"
    out.print(f"\nrun {report.run}: {found}; {count(totals['sidecars'], 'sidecar')}.")
    _show_left_out(report)
    if totals["sidecars"] and totals["cached"] < totals["jobs"]:
        out.print(f"[dim]Take it back with: callboard undo {report.run}[/dim]")
    if any(proposal.state == "proposed" for a in report.assets for j in a.jobs for proposal in j.proposals):
        out.print("[dim]Some proposals wait for you: callboard inbox[/dim]")


def _show_passed_over(report: RunReport) -> None:
    shown = report.passed_over[:_LISTED]
    for one in shown:
        console().print(f"  [dim]passed over {file_cell(one.path)}: {cell(one.why)}[/dim]")
    if len(report.passed_over) > len(shown):
        console().print(f"  [dim]and {len(report.passed_over) - len(shown)} more passed over[/dim]")


def _show_left_out(report: RunReport) -> None:
    """Say what was not done, and what would bring it: a line for each reason."""
    more = len(report.left_out) - _REASONS
    for number, one in enumerate(report.left_out[:_REASONS], 1):
        where = f" ({count(one.files, 'file')})" if len(report.assets) > 1 else ""
        others = f"; {count(more, 'reason')} more with --json" if more > 0 and number == _REASONS else ""
        parts = " and ".join(filter(None, (", ".join(one.parts[:-1]), one.parts[-1])))
        words = cell(f"{parts}: {one.why}" if one.why else parts)
        console().print(f"[dim]{cell(one.plugin)} left out{where}: {words}{others}[/dim]")


__all__ = ["command"]
