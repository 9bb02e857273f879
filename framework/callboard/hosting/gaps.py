"""What an application's gap asks for: exactly as long as it is, with a brief that says who stands beside it."""

from __future__ import annotations

import sqlite3

from callboard_schemas import Brief, Gap, HostRequest, PlaceholderRequested

from callboard.briefs import beside, fill
from callboard.catalog import hosts
from callboard.timedtext.rate import Rate, parse_rate, rate_of

_MOST = 10_000_000
"""Frames that a request can name."""


def wanted(
    conn: sqlite3.Connection, gap: Gap, request: HostRequest, application: str, project: str
) -> PlaceholderRequested:
    """Turn a gap into a request.

    Args:
        conn: The catalog, inside a transaction; it knows the uses of the project.
        gap: Where a shot is missing.
        request: Of the person in the application.
        application: Whose project.
        project: Which, as the application names it.
    """
    rate = _rate(gap)
    shot = gap.shot or gap.ref
    frames = gap.frames or max(rate.frame_at(gap.duration), 1)
    told = Brief(purpose=gap.purpose[:1000])
    return PlaceholderRequested(
        shot=shot,
        purpose=gap.purpose,
        duration=gap.duration,
        width=gap.width,
        height=gap.height,
        rate=gap.rate,
        counted=str(rate),
        frames=frames if frames <= _MOST else 0,
        start=gap.timecode or rate.timecode(max(rate.frame_at(gap.start), 0)),
        pixel_aspect=gap.pixel_aspect,
        timeline=project,
        ref=gap.ref,
        brief=fill(told, shot, beside(conn, hosts.of_project(conn, application, project), gap)),
        by=application,
        parameters=request.parameters,
    )


def _rate(gap: Gap) -> Rate:
    """Give the rate as the timeline counts it; without word of that, the exact one that its number means."""
    try:
        return parse_rate(gap.counted)
    except ValueError:
        return rate_of(gap.rate)


__all__ = ["wanted"]
