"""What became of each file and each job, as one table."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from callboard.cli.output import cell, duration, failed_cell, file_cell, print_table, table
from callboard.cli.summary import summary
from callboard.report import AssetReport, JobReport, RunReport


def show_jobs(report: RunReport) -> None:
    """Print a row for each job of a run."""
    shown = table("file", "plugin", "result", "time", whole=("plugin", "time"))
    for asset in report.assets:
        for row in _rows(asset):
            shown.add_row(*row)
    if report.assets:
        print_table(shown)


def _rows(asset: AssetReport) -> Iterator[tuple[str, str, str, str]]:
    name = file_cell(asset.path, base=True)
    if asset.failure is not None:
        yield name, "", failed_cell("failed", asset.failure), ""
    elif not asset.jobs:
        yield name, "", "no plugin answers this kind of file", ""
    for job in asset.jobs:
        yield name, job.plugin, _said(job), "before" if job.cached else duration(job.seconds)
        if sys.stdout.isatty():
            name = ""


def _said(job: JobReport) -> str:
    if job.failure is not None:
        return failed_cell(job.state, job.failure)
    said = (f"{cell(summary(one.body, one.without))} [dim]({one.state})[/dim]" for one in job.proposals)
    return "; ".join(said) or "nothing found"


__all__ = ["show_jobs"]
