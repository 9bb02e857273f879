"""``callboard duplicates``: copies of files, pictures and films. It only tells; nothing is deleted."""

from __future__ import annotations

import sqlite3
from typing import Any

import click
import msgspec

from callboard.cli.options import json_flag
from callboard.cli.output import console, count, file_cell, print_json
from callboard.cli.project import catalog, here_or_default
from callboard.cli.search import clock, places
from callboard.config import Project
from callboard.errors import MissingExtra, UsageError
from callboard.search.duplicates import Group, Member, exact, films, near

_TITLES = {"exact": "The same file", "near": "Pictures that look the same", "film": "Films that show the same"}


@click.command("duplicates")
@click.option(
    "--threshold",
    type=click.IntRange(0, 20),
    default=8,
    show_default=True,
    help="Bits of 64 that may differ between the hashes of stills; more finds more, and more that are none.",
)
@json_flag
def command(threshold: int, as_json: bool) -> int:
    """Find copies: the same bytes, stills that look the same, films that show the same for a stretch.

    Of each group the first has the most pixels, then the greatest length. Mirrored, turned and cropped copies, other
    speeds and strong colour grades are not found. Nothing is deleted.
    """
    project = here_or_default()
    with catalog(project) as opened:
        groups = opened.read(lambda conn: _found(project, conn, threshold))
    if as_json:
        print_json({"groups": groups})
        return 0
    for group in groups:
        _print(group)
    if not groups:
        console().print("No copies found.")
    return 0


def _found(project: Project, conn: sqlite3.Connection, threshold: int) -> list[dict[str, Any]]:
    if conn.execute("SELECT 1 FROM places LIMIT 1").fetchone() is None:
        raise UsageError("nothing was processed here yet", "Begin with 'callboard run FILE' or 'callboard up'.")
    try:
        groups = [*exact(conn), *near(conn, threshold), *films(conn)]
    except ImportError as error:
        raise MissingExtra("comparing pictures", error.name or "a library") from None
    return [_shown(project, conn, group) for group in groups]


def _shown(project: Project, conn: sqlite3.Connection, group: Group) -> dict[str, Any]:
    def told(member: Member) -> dict[str, Any]:
        where = [path for path, _ in places(project, conn, member.digest)]
        return {**msgspec.to_builtins(member), "paths": where}

    return {"why": group.why, "members": [told(member) for member in group.members]}


def _print(group: dict[str, Any]) -> None:
    out = console()
    members: list[dict[str, Any]] = group["members"]
    out.print(f"[bold]{_TITLES[group['why']]}[/bold]")
    for member in members:
        for path in member["paths"]:
            mark = "[green]largest[/green] " if member["best"] else ""
            out.print(f"  {file_cell(path)}  {mark}[dim]{_facts(member)}[/dim]")
    out.print()


def _facts(member: dict[str, Any]) -> str:
    parts = [f"{member['width']}x{member['height']}"] if member["width"] else []
    if member["duration"]:
        parts.append(clock(member["duration"]))
    parts.append(f"{member['size'] / 1e6:.1f} MB")
    if member["bits"]:
        parts.append(f"{count(member['bits'], 'bit')} apart")
    overlap = member["overlap"]
    if overlap:
        word = {"copy": "all of it", "part": "a part", "shares": "a stretch"}[overlap["relation"]]
        one, other = (f"{clock(start)}-{clock(end)}" for start, end in (overlap["first"], overlap["second"]))
        parts.append(f"{word}: its {other} is {one} of the first")
    return ", ".join(parts)


__all__ = ["command"]
