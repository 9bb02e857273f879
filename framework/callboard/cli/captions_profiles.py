"""``callboard captions profiles``: delivery profiles and their numbers."""

from __future__ import annotations

import click
from msgspec.structs import asdict

from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, print_json, print_table, table
from callboard.config import find_project
from callboard.timedtext.profile import Profile, languages, load, names


@click.command("profiles")
@click.argument("name", default="")
@click.option("--language", default="", help="Its numbers for this language, such as ja or pt-BR.")
@json_flag
def command(name: str, language: str, as_json: bool) -> int:
    """List delivery profiles, or show one: NAME, or the path of a TOML file.

    A project's own are in its folder 'profiles'; 'extends = "netflix"' begins one with another's numbers.
    """
    from pathlib import Path

    project = find_project(Path.cwd())
    folder = project.folder if project is not None else None
    chosen = [name] if name else names(folder)
    rows = [
        load(one, tag, folder)
        for one in chosen
        for tag in ([language] if language or not name else ["", *languages(one, folder)])
    ]
    if as_json:
        print_json({"profiles": [asdict(row) for row in rows]})
        return 0
    shown = table("profile", "language", "lines", "length", "reading", "time on screen", "gap", "dash", "source")
    for row in rows:
        shown.add_row(*map(cell, _columns(row)))
    print_table(shown)
    if not name:
        own = [f"{one}: {count(len(languages(one, folder)), 'language')}" for one in chosen if languages(one, folder)]
        console().print(f"With numbers of their own for some languages: {cell(', '.join(own))}.")
    return 0


def _columns(profile: Profile) -> tuple[str, ...]:
    speed = f"{profile.words_per_minute:g} wpm" if profile.words_per_minute else f"{profile.reading_speed:g} cps"
    return (
        profile.name,
        profile.language or "any",
        str(profile.lines),
        f"{profile.line_length}{' full' if profile.width == 'half' else ''}",
        speed,
        f"{profile.shortest:.3g} to {profile.longest:g} s",
        f"{profile.gap} frames",
        f"'{profile.dash}'{' second' if profile.dashes == 'second' else ''}",
        profile.source,
    )


__all__ = ["command"]
