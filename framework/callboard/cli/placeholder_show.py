"""``callboard placeholder show``: a shot's brief with what was guessed, and its versions beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from callboard_schemas import Brief, Match, Placeholder, Proposal

from callboard.catalog import placeholders, proposals
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json, print_table, table
from callboard.cli.project import catalog, here
from callboard.config import Project
from callboard.errors import UsageError

_SAID = ("purpose", "slug", "mood", "place", "notes")
_PICKED = ("shot_size", "angle", "movement", "people", "time_of_day", "lens", "sensor")


@click.command("show")
@click.argument("shot")
@json_flag
def command(shot: str, as_json: bool) -> int:
    """Show what SHOT was asked to be, and every version that was made of it; SHOT may be the id of a version."""
    project = here()
    made = found(project, shot)
    if as_json:
        print_json({"placeholders": made})
        return 0
    body = placeholders.body(made[-1])
    out = console()
    size = f"{body.width} x {body.height}"
    out.print(f"[bold]{cell(body.shot)}[/bold]: {body.frames} frames at {body.rate}, {size}", end="")
    out.print(f", from {cell(body.timeline)} {body.ref}" if body.timeline else "")
    for line in told(body.brief or Brief()):
        out.print(line)
    _versions(made)
    for one in made:
        for note in placeholders.body(one).notes:
            out.print(f"{one.id}: {cell(note)}")
    if sheet := _sheet(project, made):
        out.print(f"side by side: {cell(sheet)}")
    return 0


def found(project: Project, shot: str) -> list[Proposal]:
    """Give the versions of a shot, or the one of an id.

    Raises:
        UsageError: nothing was made for it.
    """
    with catalog(project) as opened:
        made = opened.read(lambda conn: placeholders.of_shot(conn, shot))
        if made:
            return made
        ids = opened.read(lambda conn: proposals.resolve(conn, shot))
        one = opened.read(lambda conn: proposals.get(conn, ids[0])) if len(ids) == 1 else None
        known = opened.read(placeholders.shots)
    if one is not None and isinstance(one.body, Placeholder):
        return [one]
    listed = ", ".join(known[:6]) + (" …" if len(known) > 6 else "")
    raise UsageError(f"no placeholder was made for {shot!r}", f"There are some for: {listed}." if known else "")


def told(brief: Brief) -> Iterator[str]:
    """Say a brief, a line for each thing; what is a guess says so and why."""
    values: dict[str, str] = {name: str(getattr(brief, name)) for name in _SAID if getattr(brief, name)}
    for name in _PICKED:
        if getattr(brief, name) is not None:
            values[name] = str(getattr(brief, name))
    if brief.interior is not None:
        values["interior"] = "interior" if brief.interior else "exterior"
    if brief.cast:
        values["cast"] = ", ".join(brief.cast)
    if brief.palette:
        values["palette"] = " ".join(brief.palette)
    for line in brief.dialogue:
        values["dialogue"] = "; ".join(filter(None, (values.get("dialogue"), f"{line.speaker or '?'}: {line.text}")))
    for name, value in values.items():
        guess = f" [dim](a guess: {cell(brief.guesses[name])})[/dim]" if name in brief.guesses else ""
        yield f"  {name.replace('_', ' ')}: {cell(value)}{guess}"


def _versions(made: list[Proposal]) -> None:
    shown = table("id", "engine", "seed", "state", "beside its neighbours", "file", whole=("id", "engine", "seed"))
    for one in made:
        body = placeholders.body(one)
        why = f" ({one.reason})" if one.reason else ""
        seed = "" if body.seed is None else str(body.seed)
        goes = _goes(body.matches)
        shown.add_row(one.id, body.generator, seed, cell(one.state + why), cell(goes), cell(Path(body.file).name))
    print_table(shown)


def _goes(matches: tuple[Match, ...]) -> str:
    return ", ".join(f"{one.what} {one.score:.2f} ({one.side})" for one in matches)


def _sheet(project: Project, made: list[Proposal]) -> str:
    """Give where the contact sheet of the shot is, as it is typed here; nothing where there is none any more."""
    named = [file.file for one in made for file in placeholders.body(one).files if file.what == "sheet"]
    path = project.folder.absolute() / named[-1] if named else None
    if path is None or not path.is_file():
        return ""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


__all__ = ["command", "found", "told"]
