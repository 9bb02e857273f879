"""``callboard exchange``: translations to people as XLIFF 2.0 or CSV, and back, merged by cue id."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from callboard.board import Board, roots_of
from callboard.bus.memory import MemoryBus
from callboard.catalog import proposals
from callboard.cli.onward import carry_on
from callboard.cli.options import Group, json_flag
from callboard.cli.output import cell, console, count, print_json
from callboard.cli.project import ask_now, board_runs, catalog, here_or_default, me
from callboard.cli.reporting import show_jobs
from callboard.config import Project
from callboard.control import Order
from callboard.errors import UsageError
from callboard.exchange import table, xliff
from callboard.exchanging import Lent, find, lend
from callboard.following import Following
from callboard.taking import Brought, take_back

_WRITERS = {"xliff": xliff.write, "csv": table.write}
_ENDINGS = {"xliff": "xlf", "csv": "csv"}
_LISTED = 12
"""Ids named one by one."""


@click.group("exchange", cls=Group)
def command() -> None:
    """Give translations to people as XLIFF 2.0 or CSV, and take them back by cue id."""


@command.command("export")
@click.argument("what", metavar="ID|PATH")
@click.option("--format", "format_", type=click.Choice(["xliff", "csv"]), default="xliff", show_default=True)
@click.option("--to", "language", default="", metavar="es", help="Which language, where there are several or none yet.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file; '-' is stdout.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@json_flag
def export(what: str, format_: str, language: str, output: Path | None, force: bool, as_json: bool) -> int:
    """Write a translation (ID as in 'callboard inbox', or the PATH of its media) for a translator.

    Of captions that nobody translated yet, --to says into which language they shall be put.
    """
    project = here_or_default()
    lent = _lent(project, what, language)
    data = _WRITERS[format_](lent.sheet)
    if output is not None and str(output) == "-":
        sys.stdout.buffer.write(data)
        return 0
    path = output or Path(f"{Path(lent.sheet.name).stem}.{lent.sheet.language}.{_ENDINGS[format_]}")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", "Give another name with -o, or --force.")
    path.write_bytes(data)
    empty = sum(not row.target for row in lent.sheet.rows)
    if as_json:
        told = {"file": str(path), "proposal": lent.made.id, "language": lent.sheet.language}
        print_json({**told, "texts": len(lent.sheet.rows), "untranslated": empty})
        return 0
    missing = f", {empty} of them not translated yet" if empty else ""
    console().print(f"Wrote {count(len(lent.sheet.rows), 'text')}{missing} into {cell(str(path))}.")
    console().print(f"[dim]When it comes back: callboard exchange import {cell(str(path))}[/dim]")
    return 0


def _lent(project: Project, what: str, language: str) -> Lent:
    following = Following(roots_of(project))
    with catalog(project) as opened:

        def work(conn: Any) -> Lent:
            ids = proposals.resolve(conn, what)
            if len(ids) > 1 and what not in ids:
                raise UsageError(f"more than one proposal starts with {what!r}", "'callboard inbox' shows the ids.")
            ident = what if what in ids else ids[0] if ids else ""
            if not ident:
                if not os.path.exists(what):
                    raise UsageError(f"no proposal and no file {what!r}", "'callboard inbox' shows what waits.")
                ident = find(conn, following, os.path.abspath(os.fsencode(what)), language)
            return lend(conn, following, ident, language)

        return opened.read(work)


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_flag
def import_(file: Path, as_json: bool) -> int:
    """Take FILE back from a translator: its texts take the place of the machine's, each in the cue that it belongs to.

    Cues that the file leaves out, or whose source has changed since, stay as they were and are listed. A file with
    cues that are not there is refused whole, and one in which nothing was changed accepts nothing.
    """
    project = here_or_default()
    brought = _bring(project, file.absolute())
    further = carry_on(project, brought.run, quiet=as_json) if brought.run else None
    if as_json:
        print_json(brought)
        return 0
    out = console()
    if brought.run:
        taken = count(len(brought.taken), "text")
        out.print(f"{brought.proposal} {brought.state}: {taken} in {brought.language} taken.")
    else:
        out.print(f"Nothing was changed in {cell(file.name)}: {brought.proposal} stays {brought.state}.")
    for ids, why in (
        (brought.unchanged, "came back as they went out"),
        (brought.missing, "are not in the file or have no text there; they stay as they were"),
        (brought.moved, "were translated from another source than there is now; they stay as they were"),
    ):
        if ids:
            more = f" and {len(ids) - _LISTED} more" if len(ids) > _LISTED else ""
            out.print(f"  {cell(', '.join(ids[:_LISTED]))}{more} {why}")
    if further is not None:
        show_jobs(further)
    if not brought.run:
        if brought.state == "proposed":
            out.print(f"[dim]To take it as it is: callboard accept {brought.proposal}[/dim]")
    elif brought.state == "proposed":
        out.print(f"[dim]Some cues must be looked at first: callboard inbox {brought.proposal}[/dim]")
    else:
        out.print(f"[dim]Take it back with: callboard undo {brought.run}[/dim]")
    return 0


def _bring(project: Project, file: Path) -> Brought:
    if board_runs(project):
        answer: Any = ask_now(project, "import", Order(path=str(file), by=me()))
        return msgspec.convert(answer, Brought)
    if not (project.data / "catalog.sqlite").exists():
        raise UsageError("nothing was processed here yet", "Begin with 'callboard run FILE' or 'callboard up'.")
    return asyncio.run(_here(project, file))


async def _here(project: Project, file: Path) -> Brought:
    async with MemoryBus() as bus, Board(project, bus, command="import") as board:
        brought = await board.catalog.write(lambda conn: take_back(conn, board.desk, board.following, file, me()))
        while await board.scribe.drain():
            pass
        return brought


__all__ = ["command"]
