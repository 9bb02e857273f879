"""``callboard dead``: what failed for good, why, and another try."""

from __future__ import annotations

import time

import click
from callboard_schemas import encode_path

from callboard.catalog import dead
from callboard.cli.options import Group, json_flag
from callboard.cli.output import cell, console, count, file_cell, plain, print_json, print_table, table
from callboard.cli.project import catalog, here_or_default
from callboard.cli.review import decide
from callboard.control import Order
from callboard.errors import UsageError


@click.group("dead", cls=Group, plain="list")
@json_flag
def command(as_json: bool) -> None:
    """List, show and replay what failed for good. Nothing is ever deleted."""


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what was replayed.")
@json_flag
def list_(everything: bool, as_json: bool) -> int:
    """List dead letters, newest first."""
    with catalog(here_or_default()) as opened:
        found = opened.read(lambda conn: dead.listed(conn, everything=everything))
    if as_json:
        print_json({"dead": [_document(one) for one in found]})
        return 0
    if not found:
        console().print("No dead letters.")
        return 0
    shown = table("id", "when", "what", "code", "reason", whole=("id", "when", "code"))
    for one in found:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.at))
        what = file_cell(encode_path(one.path), base=True) if one.path else cell(one.ref)
        shown.add_row(one.id, when, what, one.code, cell(one.reason))
    print_table(shown)
    console().print("[dim]callboard dead show ID; callboard dead replay ID…[/dim]")
    return 0


@command.command()
@click.argument("ident", metavar="ID")
@json_flag
def show(ident: str, as_json: bool) -> int:
    """Show one dead letter with everything that is known."""
    with catalog(here_or_default()) as opened:
        found = opened.read(lambda conn: dead.find(conn, ident))
    if len(found) != 1:
        raise UsageError(
            f"{'no' if not found else 'more than one'} dead letter {ident!r}", "See 'callboard dead list'."
        )
    if as_json:
        print_json(_document(found[0]))
        return 0
    one = found[0]
    out = console()
    rows = [("id", one.id), ("what", one.what), ("code", one.code)]
    for name, value in rows:
        out.print(f"[bold]{name:<7}[/bold] {cell(value)}")
    if one.path:
        out.print(f"[bold]file   [/bold] {file_cell(encode_path(one.path))}")
    out.print(f"[bold]reason [/bold] {cell(one.reason)}")
    out.print(f"[bold]next   [/bold] {cell(one.hint or f'callboard dead replay {one.id}')}")
    if one.detail:
        out.print(plain(one.detail), markup=False)
    return 0


@command.command()
@click.argument("ids", nargs=-1, required=True)
@json_flag
def replay(ids: tuple[str, ...], as_json: bool) -> int:
    """Give dead jobs all their tries back; a running board, or the next run on the file, does them."""
    project = here_or_default()
    decided = decide(project, "replay", Order(ids=ids), lambda desk, conn: desk.replay(conn, ids))
    if as_json:
        print_json(decided)
    else:
        console().print(f"{count(len(decided.changed), 'job')} given back to work.")
    return 0


def _document(one: dead.DeadLetter) -> dict[str, object]:
    path = encode_path(one.path)
    body = one.body.decode("utf-8", "backslashreplace")
    return {**one._asdict(), "path": path, "body": body}


__all__ = ["command"]
