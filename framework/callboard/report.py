"""What a run did, as ``callboard run`` shows it and as ``--json`` tells it."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Sequence

from callboard_schemas import Asset, Failure, Proposal, Tags, encode_path
from msgspec import Struct

from callboard.catalog import Catalog, jobs, proposals
from callboard.catalog.ledger import sidecars_of
from callboard.sources.facts import Found

Asked = tuple[Found, Asset | None, tuple[str, ...], Failure | None]
"""A file that was asked for, its asset, its jobs' keys, or why there are none."""


class JobReport(Struct, frozen=True, kw_only=True):
    """One plugin on one asset."""

    plugin: str
    state: str
    cached: bool
    seconds: float
    proposals: tuple[Proposal, ...] = ()
    failure: Failure | None = None


class AssetReport(Struct, frozen=True, kw_only=True):
    """One file or sequence, or a shot that something was asked for."""

    path: str
    """Percent-encoded; for a shot, its name."""
    digest: str
    state: str
    """``done``, ``failed`` or ``blocked``: the worst of its jobs; ``nothing`` when no plugin answers it."""
    jobs: tuple[JobReport, ...] = ()
    sidecars: tuple[str, ...] = ()
    failure: Failure | None = None
    """Why the file could not even be looked at."""


class PassedOver(Struct, frozen=True, kw_only=True):
    """What looks like media, or leads to it, and was not touched."""

    path: str
    why: str


class LeftOut(Struct, frozen=True, kw_only=True):
    """What a plugin did without on some files, for one reason."""

    plugin: str
    parts: tuple[str, ...]
    why: str
    """With the command that mends it, where there is one."""
    files: int


class RunReport(Struct, frozen=True, kw_only=True):
    """Everything a run did."""

    run: str
    assets: tuple[AssetReport, ...]
    totals: dict[str, int]
    passed_over: tuple[PassedOver, ...] = ()
    """Links, pipes, and media that a rule ignores. Files of other kinds are not listed."""
    left_out: tuple[LeftOut, ...] = ()
    """What ``facts["skipped"]`` of the tags says, what is left out on most files first."""

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.totals["failed"] and not self.totals["blocked"]


def report(
    catalog: Catalog, run: str, asked: Sequence[Asked], passed_over: Sequence[tuple[bytes, str]] = ()
) -> RunReport:
    """Gather what became of each file."""
    assets = catalog.read(lambda conn: tuple(_asset(conn, run, one) for one in asked))
    states = [asset.state for asset in assets]
    totals = {
        "assets": len(assets),
        **{state: states.count(state) for state in ("done", "failed", "blocked", "nothing")},
        "jobs": sum(len(asset.jobs) for asset in assets),
        "cached": sum(job.cached for asset in assets for job in asset.jobs),
        "proposals": sum(len(job.proposals) for asset in assets for job in asset.jobs),
        "sidecars": sum(len(asset.sidecars) for asset in assets),
    }
    passed = tuple(PassedOver(path=encode_path(path), why=why) for path, why in sorted(passed_over))
    return RunReport(run=run, assets=assets, totals=totals, passed_over=passed, left_out=_left_out(assets))


def _left_out(assets: Sequence[AssetReport]) -> tuple[LeftOut, ...]:
    """Group what was skipped by plugin and reason; reasons that differ in a measured number are one."""
    files: dict[tuple[str, str], dict[str, None]] = {}
    parts: dict[tuple[str, str], dict[str, None]] = {}
    first: dict[tuple[str, str], str] = {}
    for asset in assets:
        for job in asset.jobs:
            for line in _skipped(job):
                part, _, why = line.partition(": ")
                same = (job.plugin, _NUMBER.sub("0", why))
                first.setdefault(same, why)
                parts.setdefault(same, {})[part] = None
                files.setdefault(same, {})[asset.path] = None
    found = [
        LeftOut(plugin=same[0], parts=tuple(parts[same]), why=why, files=len(files[same]))
        for same, why in first.items()
    ]
    return tuple(sorted(found, key=lambda one: -one.files))


_NUMBER = re.compile(r"\b[0-9]+(?:\.[0-9]+)?\b")


def _skipped(job: JobReport) -> list[str]:
    bodies = [proposal.body for proposal in job.proposals]
    lists = [body.facts.get("skipped") for body in bodies if isinstance(body, Tags)]
    return [line for lines in lists if isinstance(lines, list) for line in lines]


def _asset(conn: sqlite3.Connection, run: str, asked: Asked) -> AssetReport:
    found, asset, keys, failure = asked
    if asset is None and failure is not None:
        state = "blocked" if failure.cause == "environment" and failure.code == "blocked" else "failed"
        return AssetReport(path=encode_path(found.path), digest="", state=state, failure=failure)
    done = [job for key in keys if (job := _job(conn, run, key)) is not None]
    states = {job.state for job in done}
    worst = next(
        (state for state in ("failed", "blocked", "cancelled") if state in states), "done" if done else "nothing"
    )
    return AssetReport(
        path=encode_path(found.path),
        digest=asset.digest if asset else "",
        state="failed" if worst == "cancelled" else worst,
        jobs=tuple(done),
        sidecars=_sidecars(conn, asset, found),
    )


def _sidecars(conn: sqlite3.Connection, asset: Asset | None, found: Found) -> tuple[str, ...]:
    """Give the sidecars of a file; what is asked for without one, such as a missing shot, has none."""
    written = sidecars_of(conn, asset.digest, os.path.abspath(found.path)) if asset is not None else ()
    return tuple(encode_path(path) for path in written)


def _job(conn: sqlite3.Connection, run: str, key: str) -> JobReport | None:
    row = jobs.get(conn, key)
    if row is None:
        return None
    return JobReport(
        plugin=row.plugin,
        state=row.state,
        cached=jobs.was_cached(conn, run, key),
        seconds=round(row.seconds or 0.0, 3),
        proposals=tuple(proposals.of_job(conn, key)),
        failure=row.why if row.state != "done" else None,
    )
