"""``callboard run``: one-shot work on files, with a progress bar for each, to be interrupted and resumed."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import click

from callboard.cli.output import cell, console, duration, print_json, table
from callboard.cli.progress import Bars
from callboard.cli.project import here_or_default
from callboard.cli.summary import summary
from callboard.oneshot import OneShot, Watcher
from callboard.report import AssetReport, JobReport, RunReport


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
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, and nothing else.")
def command(paths: tuple[Path, ...], plugins: tuple[str, ...], accept: str, out: Path | None, as_json: bool) -> int:
    """Caption and tag PATHS (files, folders, 'shot.%04d.exr') now, without a daemon.

    Results are written beside the media; the media itself is never touched. What was done before is not done
    again, so an interrupted run goes on where it stopped. Exit code: 0 all well, 1 something failed, 2 wrong usage.
    """
    bars = Watcher() if as_json else Bars()
    shot = OneShot(here_or_default(), paths, plugins=plugins, acceptance=accept, out=out, watcher=bars)  # type: ignore[arg-type]
    with bars if isinstance(bars, Bars) else contextlib.nullcontext():
        report = asyncio.run(_stoppable(shot))
    if as_json:
        print_json(report)
    else:
        _show(report)
    return 0 if report.ok else 1


async def _stoppable(shot: OneShot) -> RunReport:
    """Run until done; SIGTERM stops as Ctrl-C does."""
    task = asyncio.ensure_future(shot.execute())
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _show(report: RunReport) -> None:
    out = console()
    shown = table("file", "plugin", "result", "time")
    for asset in report.assets:
        for row in _rows(asset):
            shown.add_row(*row)
    out.print(shown)
    for asset in report.assets:
        for path in asset.sidecars:
            out.print(f"  wrote {cell(path)}")
    totals = report.totals
    parts = [f"{totals[name]} {name}" for name in ("done", "failed", "blocked", "nothing") if totals[name]]
    out.print(f"\nrun {report.run}: {', '.join(parts) or 'nothing to do'}; {totals['sidecars']} sidecars.")
    if totals["sidecars"]:
        out.print(f"[dim]Take it back with: callboard undo {report.run}[/dim]")
    if any(proposal.state == "proposed" for a in report.assets for j in a.jobs for proposal in j.proposals):
        out.print("[dim]Some proposals wait for you: callboard inbox[/dim]")


def _rows(asset: AssetReport) -> Iterator[tuple[str, str, str, str]]:
    name = cell(Path(asset.path).name)
    if asset.failure is not None:
        yield name, "", f"[red]{cell(asset.failure.message)}[/red] [dim]{cell(asset.failure.hint)}[/dim]", ""
    elif not asset.jobs:
        yield name, "", "no plugin answers this kind of file", ""
    for job in asset.jobs:
        yield name, job.plugin, _said(job), "before" if job.cached else duration(job.seconds)
        name = ""


def _said(job: JobReport) -> str:
    if job.failure is not None:
        return f"[red]{job.state}:[/red] {cell(job.failure.message)} [dim]{cell(job.failure.hint)}[/dim]"
    return (
        "; ".join(f"{cell(summary(proposal.body))} [dim]({proposal.state})[/dim]" for proposal in job.proposals)
        or "nothing found"
    )


__all__ = ["command"]
