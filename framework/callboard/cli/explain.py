"""``callboard explain``: why a file was or was not processed, with times, on one screen."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import click
from callboard_schemas import encode_path

from callboard.catalog import jobs, journal, ledger, proposals
from callboard.cli.output import cell, console, print_json
from callboard.cli.project import ask_now, catalog, here_or_default, running
from callboard.cli.summary import summary
from callboard.config import Project, Watch
from callboard.control import Order
from callboard.daemon import watched_root
from callboard.errors import BrokerError
from callboard.following import LOCAL_ROOT
from callboard.sources.ignore import Ignore
from callboard.sources.kinds import kind_of


@click.command("explain")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(path: Path, as_json: bool) -> int:
    """Say why PATH was or was not processed, what came of it, and when."""
    project = here_or_default()
    absolute = os.path.abspath(os.fsencode(path))
    root, relative = watched_root(project, absolute) or (LOCAL_ROOT, absolute.lstrip(b"/"))
    with catalog(project) as opened:
        told = opened.read(lambda conn: _told(conn, root, relative, absolute))
    told["now"] = _now(project, root, relative, absolute)
    if as_json:
        print_json(told)
    else:
        _show(told)
    return 0


def _now(project: Project, root: str, relative: bytes, absolute: bytes) -> str:
    if running(project).startswith("callboard up") and root != LOCAL_ROOT:
        try:
            return str(ask_now(project, "explain", Order(root=root, path=encode_path(relative))))
        except BrokerError:
            pass
    watch = next((one for one in project.settings.watch if one.name == root), None)
    return _standing(project, watch, relative, absolute)


def _standing(project: Project, watch: Watch | None, relative: bytes, absolute: bytes) -> str:
    """Say how a path stands while no board watches it."""
    if not os.path.lexists(absolute):
        return "not there"
    if not os.path.isfile(absolute):
        return "not a file"
    if kind_of(absolute) is None:
        return "not looked at: its extension does not say media"
    if watch is None:
        return "not in a watched folder; 'callboard run' works on it when asked"
    rule = Ignore.of(os.path.abspath(os.fsencode(project.folder / watch.path)), watch.ignore).why(relative)
    if rule is not None:
        return f"ignored by {rule}"
    if os.stat(absolute).st_size == 0:
        return "empty: a board waits until it grows"
    return "no board is running; 'callboard up' would look at it"


def _told(conn: sqlite3.Connection, root: str, relative: bytes, absolute: bytes) -> dict[str, Any]:
    seen = journal.place(conn, root, relative)
    digest = seen.digest if seen else ""
    return {
        "path": encode_path(absolute),
        "root": root,
        "digest": digest,
        "notes": [
            {"at": at, "state": state, "detail": detail} for at, state, detail in journal.notes(conn, root, relative)
        ],
        "jobs": [_job(conn, row) for row in jobs.of_digest(conn, digest)] if digest else [],
        "sidecars": [encode_path(path) for path in ledger.sidecars_of(conn, digest, absolute)] if digest else [],
    }


def _job(conn: sqlite3.Connection, row: jobs.Row) -> dict[str, Any]:
    why = row.why if row.state != "done" else None
    return {
        "plugin": row.plugin,
        "version": row.version,
        "state": row.state,
        "tries": row.tries + row.crashes,
        "seconds": row.seconds,
        "failure": {"code": why.code, "message": why.message, "hint": why.hint} if why else None,
        "proposals": [
            {"id": one.id, "state": one.state, "by": one.decided_by, "summary": summary(one.body)}
            for one in proposals.of_job(conn, row.key)
        ],
    }


def _show(told: dict[str, Any]) -> None:
    out = console()
    out.print(f"[bold]{cell(told['path'])}[/bold]" + (f"\n[dim]{told['digest']}[/dim]" if told["digest"] else ""))
    out.print(f"now: {cell(told['now'])}")
    for note in told["notes"][-20:]:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(note["at"]))
        out.print(f"  [dim]{when}[/dim] {cell(note['state'])} {cell(note['detail'])}".rstrip())
    for job in told["jobs"]:
        out.print(f"[cyan]{job['plugin']}[/cyan] {job['version']}: {job['state']}, {job['tries']} failed tries")
        if job["failure"]:
            out.print(f"  [red]{cell(job['failure']['message'])}[/red] {cell(job['failure']['hint'])}")
        for made in job["proposals"]:
            by = f" by {cell(made['by'])}" if made["by"] else ""
            out.print(f"  {made['id']} {made['state']}{by}: {cell(made['summary'])}")
    for path in told["sidecars"]:
        out.print(f"  wrote {cell(path)}")
    if not told["notes"] and not told["jobs"]:
        out.print("Callboard has never worked on this path.")


__all__ = ["command"]
