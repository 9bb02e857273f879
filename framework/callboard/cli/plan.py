"""``callboard plan``: what an event would cause, without doing any of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
from callboard_schemas import Asset, decode_path, encode_path

from callboard import codec, glossary, vocabulary
from callboard.board import roots_of
from callboard.catalog import jobs
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, file_cell, print_json, print_table, table
from callboard.cli.project import catalog, here_or_default
from callboard.config import Project
from callboard.discovery import Found, discover
from callboard.effects.forecast import targets
from callboard.packs import packs_of
from callboard.router import Router
from callboard.shelf import Digested


@click.command("plan")
@click.argument("event", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_flag
def command(event: Path, as_json: bool) -> int:
    """Say which plugins would answer EVENT (a CloudEvents JSON file) and which files they might write."""
    project = here_or_default()
    decoded = codec.decode(event.read_bytes())
    plugins = discover(project.settings.allow_plugins)
    words, terms = _digest(project.vocabulary, vocabulary.load), _digest(project.glossary, glossary.load)
    packs = packs_of(project.settings.runtime)
    router = Router(plugins, project.settings, packs, lambda: words, lambda: terms, folder=project.folder)
    planned = router.route(decoded.envelope, decoded.data)
    with catalog(project) as opened:
        rows = [opened.read(partial(_row, project=project, plugins=plugins, planned=one)) for one in planned]
    document = {"event": decoded.envelope.type, "id": decoded.envelope.id, "jobs": rows}
    if as_json:
        print_json(document)
        return 0
    out = console()
    if not rows:
        out.print(f"No plugin answers {cell(decoded.envelope.type)} for this.")
        return 0
    shown = table("plugin", "kind", "state now", "would write", whole=("plugin", "kind"))
    for row in rows:
        shown.add_row(
            f"{row['plugin']} {row['version']}", row["kind"], row["state"], "\n".join(map(file_cell, row["writes"]))
        )
    print_table(shown)
    out.print("[dim]Nothing was done.[/dim]")
    return 0


def _digest(path: Path | None, load: Callable[[Path], Digested]) -> str:
    return load(path).digest if path is not None and path.is_file() else ""


def _row(conn: sqlite3.Connection, project: Project, plugins: list[Found], planned: jobs.Planned) -> dict[str, Any]:
    known = jobs.get(conn, planned.key)
    manifest = next((one.manifest for one in plugins if one.id == planned.plugin), None)
    results = manifest.results if manifest else ()
    writes = _writes(project, planned.asset, results) if planned.asset else []
    return {
        "plugin": planned.plugin,
        "version": planned.version,
        "kind": manifest.kind if manifest else "",
        "key": planned.key,
        "state": known.state if known else "new",
        "parameters": planned.parameters,
        "models": planned.models,
        "writes": writes,
    }


def _writes(project: Project, asset: Asset, results: tuple[str, ...]) -> list[str]:
    folder = roots_of(project).get(asset.place.root)
    if folder is None:
        return []
    media = folder.rstrip(b"/") + b"/" + decode_path(asset.place.path)
    return [encode_path(path) for path in targets(media, asset, results, project.settings.sidecars)]


__all__ = ["command"]
