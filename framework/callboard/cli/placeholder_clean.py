"""``callboard placeholder clean``: takes the files of versions away that nobody chose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
from callboard_schemas import Placeholder, Proposal

from callboard.catalog import placeholders
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, print_json
from callboard.cli.project import catalog, here
from callboard.config import Project
from callboard.shots import sheets
from callboard.sources.single import digest_of, files_of


class _File(NamedTuple):
    path: Path
    digest: str


@click.command("clean")
@click.argument("shots", nargs=-1)
@click.option("--yes", is_flag=True, help="Delete them; else they are only listed.")
@json_flag
def command(shots: tuple[str, ...], yes: bool, as_json: bool) -> int:
    """Delete the files of placeholders that were rejected or gave way, of SHOTS or of all.

    A file that was changed since it was made is left alone, and so is what a version that waits or stands in needs.
    The contact sheet is drawn again without them. What was asked, with its seed, stays known: 'callboard placeholder
    again' makes it once more.
    """
    project = here()
    with catalog(project) as opened:
        made = opened.read(placeholders.every)
    wanted = [one for one in made if not shots or placeholders.body(one).shot in shots]
    kept = {file.path for one in made if one.state in ("proposed", "accepted") for file in files(project, one)}
    gone: dict[Path, None] = {}
    changed: list[Path] = []
    for path, digest in dict.fromkeys(file for one in wanted for file in files(project, one)):
        if path in kept or not path.is_file():
            continue
        if digest_of(path) == digest:
            gone |= dict.fromkeys([*files_of(path), *_sound(path)])  # all pictures of a sequence
        else:
            changed.append(path)
    if yes:
        for path in gone:
            path.unlink()
        _sheets({sheets.home_of(path) for path in gone})
        _tidy(project.placeholders, {path.parent for path in gone})
    _tell(list(gone), changed, yes=yes, as_json=as_json)
    return 0


def files(project: Project, made: Proposal) -> Iterator[_File]:
    """Give the files of a version, those beside it too, as long as they are in the folder for placeholders."""
    body = made.body
    assert isinstance(body, Placeholder), "only placeholders are asked for"
    folder = project.placeholders
    named = [(body.file, body.digest), *((one.file, one.digest) for one in body.files)]
    for name, digest in named:
        path = Path(name) if Path(name).is_absolute() else project.folder.absolute() / name
        if path.name.endswith(sheets.SHEET):
            continue  # it is the shot's, and drawn again when a version goes
        if path.is_relative_to(folder):  # a catalog is no reason to delete anything elsewhere
            yield _File(path, digest)


def _sound(path: Path) -> list[Path]:
    """Give the sound of a sequence, which lies with its pictures."""
    sound = path.with_name(f"{path.name.split('.', 1)[0]}.wav")
    return [sound] if path.parent != sheets.home_of(path) and sound.is_file() else []


def _sheets(folders: set[Path]) -> None:
    """Have the contact sheets show what is left."""
    for folder in folders:
        for sheet in folder.glob(f"*{sheets.SHEET}"):
            sheets.compose(sheet)


def _tidy(top: Path, folders: set[Path]) -> None:
    """Take away the folders that are empty now, those of sequences first."""
    inside = {above for folder in folders for above in (folder, folder.parent) if above.is_relative_to(top)}
    for folder in sorted(inside - {top}, reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _tell(gone: list[Path], changed: list[Path], *, yes: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {"deleted" if yes else "would_delete": [str(path) for path in gone], "changed": list(map(str, changed))}
        )
        return
    out = console()
    for path in changed:
        out.print(f"left alone, for it was changed: {cell(str(path))}")
    if not gone:
        out.print("There is nothing to delete.")
        return
    for path in gone:
        out.print(cell(str(path)))
    out.print(f"{count(len(gone), 'file')} deleted." if yes else f"{count(len(gone), 'file')}; --yes deletes them.")


__all__ = ["command", "files"]
