"""``callboard explain``: why a file was or was not processed, with times, on one screen."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import time
from pathlib import Path
from typing import Any

import click
import msgspec
from callboard_schemas import encode_path
from rich.console import Console

from callboard.catalog import host_commands, jobs, journal, ledger, proposals
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, file_cell, held_cell, print_json
from callboard.cli.project import ask_now, board_runs, catalog, here_or_default
from callboard.cli.summary import summary
from callboard.cli.went import latest, line_of, told_of, why_nowhere
from callboard.config import Project, Watch
from callboard.control import Order
from callboard.daemon import watched_root
from callboard.discovery import discover
from callboard.errors import BrokerError
from callboard.following import LOCAL_ROOT
from callboard.router import Router
from callboard.shots.trail import trail
from callboard.sources.ignore import Ignore
from callboard.sources.kinds import kind_of

_NOTES = 12
"""Newest notes shown, so that everything fits on one screen; ``--json`` has all that are kept."""


@click.command("explain")
@click.argument("path", type=click.Path(path_type=Path))
@json_flag
def command(path: Path, as_json: bool) -> int:
    """Say why PATH was or was not processed, what came of it, and when."""
    project = here_or_default()
    absolute = os.path.abspath(os.fsencode(path))
    root, relative = watched_root(project, absolute) or (LOCAL_ROOT, absolute.lstrip(b"/"))
    with catalog(project) as opened:
        known = opened.read(lambda conn: _known_as(conn, root, relative))
        told = opened.read(lambda conn: _told(conn, root, known, absolute))
    told["now"] = _now(project, root, relative, absolute)
    held = _held(project) if any(job["held"] for job in told["jobs"]) else ""
    for job in told["jobs"]:
        job["held"] = held if job["held"] else ""
    if as_json:
        print_json(told)
    else:
        _show(told)
    return 0


def _known_as(conn: sqlite3.Connection, root: str, relative: bytes) -> bytes:
    """Say under which path a file is known: its own, or that of the image sequence it belongs to."""
    folder, _, name = relative.rpartition(b"/")
    for path, seen in journal.known(conn, root).items():
        if seen.sequence is None or path.rpartition(b"/")[0] != folder:
            continue
        pattern = os.fsencode(seen.sequence.pattern)
        for number in re.findall(rb"[0-9]+", name):
            with contextlib.suppress(TypeError, ValueError):
                if pattern % int(number) == name and seen.sequence.first <= int(number) <= seen.sequence.last:
                    return path
    return relative


def _now(project: Project, root: str, relative: bytes, absolute: bytes) -> str:
    if board_runs(project) and root != LOCAL_ROOT:
        try:
            return str(ask_now(project, "explain", Order(root=root, path=encode_path(relative))))
        except BrokerError:
            pass
    watch = next((one for one in project.settings.watch if one.name == root), None)
    return _standing(project, watch, relative, absolute)


def _held(project: Project) -> str:
    """Say why the running board starts nothing that nobody waits for; empty when it does, or none runs."""
    if board_runs(project):
        with contextlib.suppress(BrokerError):
            return str(ask_now(project, "runtime", Order()).get("held", ""))
    return ""


def _standing(project: Project, watch: Watch | None, relative: bytes, absolute: bytes) -> str:
    """Say how a path stands while no board watches it."""
    if not os.path.lexists(absolute):
        return "not there"
    if not os.path.isfile(absolute):
        return "not a file"
    if kind_of(absolute) is None:
        return "not looked at: its extension does not say media"
    if kind_of(absolute) == "subtitles" and not _answers_subtitles(project):
        return "not looked at: nothing answers subtitle files; 'callboard localize' works on it when asked"
    if watch is None:
        return "not in a watched folder; 'callboard run' works on it when asked"
    rule = Ignore.of(os.path.abspath(os.fsencode(project.folder / watch.path)), watch.ignore).why(relative)
    if rule is not None:
        return f"ignored by {rule}"
    if os.stat(absolute).st_size == 0:
        return "empty: a board waits until it grows"
    return "no board is running; 'callboard up' would look at it"


def _answers_subtitles(project: Project) -> bool:
    return Router(discover(project.settings.allow_plugins), project.settings, {}).wants("subtitles")


def _told(conn: sqlite3.Connection, root: str, relative: bytes, absolute: bytes) -> dict[str, Any]:
    seen = journal.place(conn, root, relative)
    digest = seen.digest if seen else ""
    return {
        "path": encode_path(absolute),
        "root": root,
        "known_as": encode_path(relative) if seen and seen.sequence else "",
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
        "held": row.state == "queued" and not jobs.is_wanted(conn, row),
        "tries": row.tries + row.crashes,
        "seconds": row.seconds,
        "failure": {"code": why.code, "message": why.message, "hint": why.hint} if why else None,
        "proposals": [
            {
                "id": one.id,
                "state": one.state,
                "by": one.decided_by,
                "without": one.without,
                "summary": summary(one.body, one.without),
                "went": [told_of(command) for command in host_commands.of_proposal(conn, one.id)],
                "went_nowhere": why_nowhere(conn, one, row.digest),
                "trail": [msgspec.to_builtins(step) for step in trail(conn, proposal=one.id)],
            }
            for one in proposals.of_job(conn, row.key)
        ],
    }


def _show(told: dict[str, Any]) -> None:
    out = console()
    out.print(f"[bold]{file_cell(told['path'])}[/bold]")
    if told["known_as"]:
        out.print(f"part of the image sequence {file_cell(told['known_as'])}")
    if told["digest"]:
        out.print(f"[dim]{told['digest']}[/dim]")
    out.print(f"now: {cell(told['now'])}")
    for note in told["notes"][-_NOTES:]:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(note["at"]))
        out.print(f"  [dim]{when}[/dim] {cell(note['state'])} {cell(note['detail'])}".rstrip())
    for job in told["jobs"]:
        _show_job(out, job)
    for path in told["sidecars"]:
        out.print(f"  wrote {file_cell(path)}")
    if not told["notes"] and not told["jobs"]:
        out.print("Callboard has never worked on this path.")


def _show_job(out: Console, job: dict[str, Any]) -> None:
    tries = f", after {count(job['tries'], 'failure')}" if job["tries"] else ""
    why = f"; {held_cell(job['held'])}" if job["held"] else ""
    out.print(f"[cyan]{job['plugin']}[/cyan] {job['version']}: {job['state']}{tries}{why}")
    if job["failure"]:
        hint = f" [dim]({cell(job['failure']['hint'])})[/dim]" if job["failure"]["hint"] else ""
        out.print(f"  [red]{cell(job['failure']['message'])}[/red]{hint}")
    for made in job["proposals"]:
        by = f" by {cell(made['by'])}" if made["by"] else ""
        without = f" without {cell(', '.join(made['without']))}" if made["without"] else ""
        out.print(f"  {made['id']} {made['state']}{by}{without}: {cell(made['summary'])}")
        for went in latest(made["went"]):
            out.print(f"    {cell(line_of(went))}")
        for step in made["trail"]:
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(step["at"]))
            said = f", {step['reason']}" if step["reason"] else ""
            was = f" in place of {step['was']}" if step["was"] else ""
            out.print(f"    [dim]{when}[/dim] {cell(step['decision'] + ' by ' + step['by'] + was + said)}")
        if made["went_nowhere"]:
            out.print(f"    [dim]{cell(made['went_nowhere'])}[/dim]")


__all__ = ["command"]
