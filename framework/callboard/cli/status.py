"""``callboard status``: what is being done and what waits, on one screen."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import click
from rich.console import Console

from callboard.catalog import host_commands, jobs
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, held_cell, print_json, print_table, table
from callboard.cli.project import ask_now, catalog, here_or_default, running
from callboard.config import Project
from callboard.control import Order
from callboard.errors import BrokerError

_RUNS = (
    "SELECT id, trigger, started, state FROM runs WHERE trigger NOT LIKE '%.%' OR trigger LIKE 'review.%'"
    " OR EXISTS (SELECT 1 FROM run_jobs j WHERE j.run = runs.id) ORDER BY started DESC LIMIT 8"
)
"""The last runs: commands and decisions, and of events those that caused a job."""


@click.command("status")
@json_flag
def command(as_json: bool) -> int:
    """Show the board, its folders, jobs, processes, and the last runs."""
    project = here_or_default()
    told = _told(project)
    if as_json:
        print_json(told)
        return 0
    out = console()
    out.print(f"project  {cell(str(project.folder))}\nboard    {cell(told['board'] or 'not running')}")
    live: dict[str, Any] = told["live"]
    if live:
        out.print(f"bus      {'connected' if live['connected'] else '[red]away[/red]; the folder work goes on'}")
        for root in live["roots"]:
            out.print(f"watching {cell(root['folder'])} ({root['name']}): {root['state']}")
        words = live["vocabulary"]
        if words["digest"] or words["problem"]:
            broken = f"; [red]{cell(words['problem'])}[/red]" if words["problem"] else ""
            out.print(f"words    {count(words['concepts'], 'concept')} ({words['digest'][:12]}){broken}")
        terms = live.get("glossary") or {}  # a board that was started before an update does not say
        if terms.get("digest") or terms.get("problem"):
            broken = f"; [red]{cell(terms['problem'])}[/red]" if terms["problem"] else ""
            out.print(f"glossary {count(terms['terms'], 'term')} ({terms['digest'][:12]}){broken}")
        for host in live.get("hosts") or ():
            _show_host(out, host)
        working = len(live["running"])
        runtime = live["runtime"]
        models = ", ".join(one["name"] for one in runtime["models"] if one["memory_mb"]) or "no model"
        out.print(f"working  on {count(working, 'job')}; the runtime holds {cell(models)} in {runtime['rss_mb']} MiB")
    counts = ", ".join(f"{count} {state}" for state, count in sorted(told["jobs"].items())) or "none yet"
    why = (live or {}).get("held", "")  # a board that was started before an update does not say
    held = f" ({held_cell(why)})" if why and told["jobs"].get("queued") else ""
    out.print(f"jobs     {counts}{held}")
    out.print(f"inbox    {told['inbox']} waiting; dead letters {told['dead']}; unsent messages {told['unsent']}")
    there = {(host["application"], host["project"]) for host in (live or {}).get("hosts") or ()}
    for one in told["host_commands"]:
        if (one["application"], one["project"]) not in there:
            waits = count(one["pending"], "command")
            out.print(f"later    {waits} for {cell(one['application'])} when it opens {cell(one['project'])}")
    if told["runs"]:
        shown = table("last runs", "when", "by", "state", whole=("last runs", "when"))
        for run in told["runs"]:
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run["started"]))
            shown.add_row(run["id"], when, run["trigger"], run["state"].replace("open", ""))
        print_table(shown)
    return 0


def _show_host(out: Console, host: dict[str, Any]) -> None:
    """Show an application that is connected."""
    able = ", ".join(host["capabilities"]) or "nothing"
    waits = f"; [yellow]{count(host['pending'], 'command')} not answered[/yellow]" if host["pending"] else ""
    waits += f"; [yellow]{host['troubled']} not wholly done[/yellow]" if host.get("troubled") else ""
    where = f" in {cell(host['project'])}" if host["project"] else " without a project"
    out.print(f"in       {cell(host['application'])} {cell(host['version'])}{where}: takes {cell(able)}{waits}")


def _told(project: Project) -> dict[str, Any]:
    owner = running(project)
    with catalog(project) as opened:
        told: dict[str, Any] = opened.read(_counted)
    live: Any = None
    if owner.startswith("callboard up"):
        try:
            live = ask_now(project, "status", Order())
        except BrokerError as error:
            owner += f" (does not answer: {error.message})"
    return {"project": str(project.folder), "board": owner, "live": live, **told}


def _counted(conn: sqlite3.Connection) -> dict[str, Any]:
    def one(query: str) -> int:
        return int(conn.execute(query).fetchone()[0])

    rows = conn.execute(_RUNS).fetchall()
    return {
        "jobs": jobs.counts(conn),
        "inbox": one("SELECT count(*) FROM proposals WHERE state = 'proposed'"),
        "dead": one("SELECT count(*) FROM dead WHERE state = 'open'"),
        "unsent": one("SELECT count(*) FROM outbox WHERE sent IS NULL"),
        "host_commands": [
            dict(zip(("application", "project", "pending"), row, strict=True)) for row in host_commands.waiting(conn)
        ],
        "runs": [dict(zip(("id", "trigger", "started", "state"), row, strict=True)) for row in rows],
    }


__all__ = ["command"]
