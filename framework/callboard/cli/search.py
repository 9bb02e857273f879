"""``callboard search``: find media by words, by what is seen, or by a picture like it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, get_args

import click
from callboard_schemas import MediaKind, encode_path
from rich.markup import escape
from rich.text import Text

from callboard.cli.options import json_flag
from callboard.cli.output import console, file_cell, plain, print_json
from callboard.cli.project import catalog, here_or_default
from callboard.config import Project
from callboard.errors import UsageError
from callboard.following import LOCAL_ROOT
from callboard.search import MARKS, Hit, Reason
from callboard.search.ask import Answer, ask

_WORDS = {
    "name": "name",
    "tags": "tag",
    "about": "about",
    "said": "said",
    "screen": "on screen",
    "looks": "looks like it",
    "same": "same picture",
}


_COPY = 1 - 8 / 64
"""Share of equal bits from which a picture is called the same: eight may differ, as for ``callboard duplicates``."""


@click.command("search")
@click.argument("words", nargs=-1)
@click.option(
    "--like", type=click.Path(path_type=Path), help="Find pictures like this one; of a film its first picture counts."
)
@click.option("--kind", type=click.Choice(get_args(MediaKind)), help="Only media of this kind.")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Most files to show.")
@json_flag
def command(words: tuple[str, ...], like: Path | None, kind: str | None, limit: int, as_json: bool) -> int:
    """Find media by WORDS in names, tags, speech and on-screen text, and by what pictures show.

    All words must be there; "a phrase" is quoted twice over (shells take one pair), light* is a beginning, and
    after -- a word with - before it must not be there.
    """
    if not words and like is None:
        raise UsageError("what do you look for?", "Give words, or --like with a picture.")
    project, query = here_or_default(), " ".join(words)
    with catalog(project) as opened:
        answer, shown = opened.read(lambda conn: _asked(project, conn, query, like, kind or "", limit))
    if as_json:
        print_json(
            {"query": query, "hits": shown, "notes": list(answer.notes), "suggestions": list(answer.suggestions)}
        )
        return 0
    out = console()
    for hit in shown:
        _print(hit)
    if not shown:
        meant = f" Did you mean {' or '.join(answer.suggestions)}?" if answer.suggestions else ""
        out.print(f"Nothing found.{escape(plain(meant))}")
    err = console(stderr=True)
    for note in answer.notes:
        err.print(f"[dim]{escape(plain(note))}[/dim]")
    return 0


def _asked(
    project: Project, conn: sqlite3.Connection, query: str, like: Path | None, kind: str, limit: int
) -> tuple[Answer, list[dict[str, Any]]]:
    if conn.execute("SELECT 1 FROM places LIMIT 1").fetchone() is None:
        raise UsageError("nothing was processed here yet", "Begin with 'callboard run FILE' or 'callboard up'.")
    answer = ask(project, conn, query, like, kind=kind, limit=limit)
    return answer, [_shown(project, conn, hit) for hit in answer.hits]


def places(project: Project, conn: sqlite3.Connection, digest: str) -> list[tuple[str, str]]:
    """Give where an asset is: percent-encoded absolute paths where the root is known, and its kind."""
    roots = {LOCAL_ROOT: b"/"}
    roots.update(
        (watch.name, os.path.abspath(os.fsencode(project.folder / watch.path))) for watch in project.settings.watch
    )
    rows = conn.execute(
        "SELECT root, path, kind FROM places WHERE digest = ? AND state != 'gone' ORDER BY seen DESC", (digest,)
    )
    found = []
    for root, path, kind in rows:
        folder = roots.get(root)
        found.append((encode_path(path if folder is None else os.path.join(folder, path)), kind))
    return found


def _shown(project: Project, conn: sqlite3.Connection, hit: Hit) -> dict[str, Any]:
    where = places(project, conn, hit.digest)
    return {
        "path": where[0][0] if where else "",
        "paths": [path for path, _ in where],
        "kind": where[0][1] if where else "",
        "digest": hit.digest,
        "score": round(hit.score, 6),
        "time": next((reason.start for reason in hit.reasons if reason.start is not None), None),
        "reasons": list(hit.reasons),
    }


def _print(hit: dict[str, Any]) -> None:
    out = console()
    at = f"  [cyan]{clock(hit['time'])}[/cyan]" if hit["time"] is not None else ""
    out.print(f"[bold]{file_cell(hit['path'])}[/bold]{at}")
    for reason in hit["reasons"]:
        out.print(Text.assemble(f"  {_named(reason):<13} ", _why(reason)))


def _named(reason: Reason) -> str:
    return "much alike" if reason.why == "same" and reason.score < _COPY else _WORDS[reason.why]


def _why(reason: Reason) -> Text:
    """Write why something was found, matching words marked."""
    text = Text()
    if reason.why in ("looks", "same"):
        text.append(f"{reason.score:.2f}" if reason.why == "looks" else f"{reason.score:.0%} of its hash")
    else:
        before, *marked = reason.text.replace("\n", " ").split(MARKS[0])
        text.append(plain(before))
        for piece in marked:
            word, _, after = piece.partition(MARKS[1])
            text.append(plain(word), "bold green").append(plain(after))
    if reason.start is not None:
        text.append(f" {clock(reason.start)}", "cyan")
    return text.append(" (proposed)" if reason.state == "proposed" else "", "dim")


def clock(seconds: float) -> str:
    """Write a time in media as players show it: ``0:07.3``, ``1:02:03.0``."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


__all__ = ["clock", "command", "places"]
