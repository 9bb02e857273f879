"""Into which applications a result goes or went, by which route, and what came of it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from typing import Any

from callboard_schemas import Proposal, Swap

from callboard.catalog import host_commands, host_requests, hosts, jobs
from callboard.catalog.host_commands import Row
from callboard.config import Sidecars
from callboard.hosting.content import standing
from callboard.hosting.planner import plan
from callboard.hosting.swapping import projects_of

_SAID = {
    "pending": "not answered yet",
    "applied": "there",
    "partial": "partly there",
    "stale": "not done: it was changed meanwhile; the application offers to do it anyway",
    "refused": "refused",
    "failed": "failed",
    "expired": "given up",
    "withdrawn": "taken back",
    "told": "",
}


def told_of(row: Row) -> dict[str, Any]:
    """Say what is known of one command, or of the route that needs none."""
    return {
        "command": row.id if row.verb else "",
        "application": row.application,
        "project": row.project,
        "use": row.ref,
        "verb": row.verb,
        "route": row.route,
        "why": row.why,
        "state": row.state,
        "posted": row.posted,
        "settled": row.settled,
        "landed": list(row.has_landed),
        "missing": list(row.is_missing),
        "note": row.note,
    }


def routes(conn: sqlite3.Connection, sidecars: Sidecars, made: Proposal, digest: str) -> list[str]:
    """Say into which projects a proposal would go, and how: ``blender film.blend: subtitles``."""
    shown, written = standing(made).body, ("xmp", *sidecars.subtitles)
    if isinstance(made.body, Swap):
        found = list(projects_of(conn, made.body))
    else:
        found = list(hosts.uses_of(conn, digest)) if digest else []
    row = jobs.get(conn, made.job)
    asked = host_requests.that_caused(conn, row.event) if row is not None else None
    if asked is not None and asked.application:
        found.append((asked.application, asked.project))
    if shown is None:
        return []
    ways = [(*one, plan(one[0], shown, hosts.capabilities(conn, *one), written)) for one in found]
    return [f"{application} {os.path.basename(project)}: {way.route}" for application, project, way in ways]


def why_nowhere(conn: sqlite3.Connection, made: Proposal, digest: str) -> str:
    """Say why an accepted result went into no application; empty where it did, or where none was ever connected."""
    if (
        made.state != "accepted"
        or not digest
        or made.result == "swap"
        or not hosts.any_project(conn)
        or host_commands.of_proposal(conn, made.id)
    ):
        return ""
    uses = hosts.uses_of(conn, digest)
    if not uses:
        return "into no application: no project that one of them had open uses this file"
    where = ", ".join(f"{application} {os.path.basename(project)}" for application, project in uses)
    return f"not into {where}, which began to use the file later: ask for it there"


def latest(went: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the last word for each use in each project."""
    last = {(one["application"], one["project"], one["use"], one["verb"] == "clear"): one for one in went}
    return list(last.values())


def line_of(told: dict[str, Any]) -> str:
    """Say it in a line."""
    where = f"{told['application']} {told['project']}" + (f" ({told['use']})" if told["use"] else "")
    if told["verb"] == "clear":
        what = f"taken back from {where}, for it was {told['why']}"
    elif told["verb"]:
        what = f"to {where} as {told['route']}, for {told['why']}"
    else:
        return f"not into {where}: {told['why']}" + (f" ({told['note']})" if told["note"] else "")
    came = _SAID.get(told["state"], told["state"])
    parts = [*told["missing"], *([told["note"]] if told["note"] else [])]
    return f"{what}: {came}" + (f" ({'; '.join(parts)})" if parts else "")


__all__ = ["latest", "line_of", "routes", "told_of", "why_nowhere"]
