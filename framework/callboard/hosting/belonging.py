"""Into which projects of applications a placeholder belongs, and where in them: as the one who asked for it said.

A person in an application asks by a request of its host; who asked elsewhere named the project's file.
"""

from __future__ import annotations

import os
import sqlite3
from typing import NamedTuple

from callboard_schemas import Gap, PlaceholderRequested, Proposal, Use

from callboard.catalog import host_commands, host_requests, hosts, jobs, proposals, standins


class Place(NamedTuple):
    """Where a placeholder belongs."""

    application: str
    project: str
    gap: Gap | None
    """Nothing where it stands in for a clip."""
    use: Use | None
    """The clip whose media is not there; nothing where there is a gap."""
    ref: str
    """Where it is, as the one who asked named it."""

    @property
    def of(self) -> tuple[str, str]:
        """The application, and its project."""
        return self.application, self.project


def places(conn: sqlite3.Connection, made: Proposal) -> list[Place]:
    """Say where a placeholder belongs; nowhere while no application had the project open.

    Args:
        conn: The transaction.
        made: The placeholder's proposal.
    """
    row = jobs.get(conn, made.job)
    asked = host_requests.that_caused(conn, row.event) if row is not None else None
    if asked is not None:
        gap = asked.request.gap
        return [Place(asked.application, asked.project, gap, None, gap.ref)] if gap and asked.application else []
    stand = standins.find(conn, made.id)
    wanted: PlaceholderRequested | None = standins.asked_for(conn, stand) if stand is not None else None
    if wanted is None or not wanted.project:
        return []
    return [
        Place(application, project, wanted.gap, wanted.use, wanted.ref)
        for application, project in hosts.projects(conn)
        if _same(project, wanted.project)
    ]


def late(conn: sqlite3.Connection, project: tuple[str, str]) -> list[Proposal]:
    """Give the accepted placeholders that name a project's file, and that it was never asked to take.

    Args:
        conn: The transaction.
        project: The application and the project, which it has open now.
    """
    found = []
    for ident, named in standins.for_projects(conn):
        if not _same(named, project[1]):
            continue
        rows = host_commands.of_proposal(conn, ident)
        made = proposals.get(conn, ident)
        if made is not None and not any(row.verb and (row.application, row.project) == project for row in rows):
            found.append(made)
    return found


def _same(one: str, other: str) -> bool:
    """Say whether two paths name one file, by links too."""
    return one == other or os.path.realpath(one) == os.path.realpath(other)


__all__ = ["Place", "late", "places"]
