"""``callboard captions corrections``: what people changed, and the same as material to measure captions with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
from callboard_schemas import Captions

from callboard.board import roots_of
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, print_json, print_table, table
from callboard.cli.project import catalog, here_or_default
from callboard.config import Project
from callboard.corrections import Correction, edited, handed_in, wrote
from callboard.errors import UsageError
from callboard.following import Following
from callboard.glossary.changes import changes
from callboard.replacing import replacing
from callboard.timedtext.document import of_result
from callboard.timedtext.files import write

_LISTED = 4
"""Changes of one file that are shown."""


@click.command("corrections")
@click.option(
    "--export",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write them there as material for 'callboard eval captions --set DIR'.",
)
@json_flag
def command(folder: Path | None, as_json: bool) -> int:
    """List what people changed in captions and translations: files handed in, and sidecars edited where they are."""
    found = corrections(here_or_default())
    if folder is not None:
        return _export(here_or_default(), found, folder, as_json)
    if as_json:
        print_json({"corrections": [_row(one) for one in found]})
        return 0
    if not found:
        console().print("Nobody has corrected anything yet: see 'callboard captions correct --help'.")
        return 0
    shown = table("media", "language", "changes", "from", whole=("language",))
    for one in found:
        told = [f"{change.old} → {change.new}" for change in changes(one.before.cues, one.after.cues)]
        more = f" … and {len(told) - _LISTED} more" if len(told) > _LISTED else ""
        where = Path(one.file).name if one.file else one.proposal
        shown.add_row(cell(one.name), one.after.language, cell(", ".join(told[:_LISTED]) + more), cell(where))
    print_table(shown)
    return 0


def _row(one: Correction) -> dict[str, Any]:
    return {
        "media": one.name,
        "proposal": one.proposal,
        "language": one.after.language,
        "result": "captions" if isinstance(one.after, Captions) else "translation",
        "file": one.file,
        "changes": [msgspec.to_builtins(change) for change in changes(one.before.cues, one.after.cues)],
    }


def corrections(project: Project) -> list[Correction]:
    """Give everything that people corrected in a project, oldest first; edited files come last."""
    if not (project.data / "catalog.sqlite").exists():
        return []
    with catalog(project) as opened:
        found = opened.read(lambda conn: list(handed_in(conn)))
        files = opened.read(wrote)
    return [*found, *edited(files)]


def _export(project: Project, found: Sequence[Correction], folder: Path, as_json: bool) -> int:
    """Write media references with what was heard and what is right; the last correction of each counts."""
    last = {(one.asset.digest, one.after.language): one for one in found if isinstance(one.after, Captions)}
    first = {(one.asset.digest, one.after.language): one for one in reversed(found)}
    following = Following(roots_of(project))
    folder.mkdir(parents=True, exist_ok=True)
    made, lost = [], []
    for key, one in last.items():
        media = one.media if one.file else following.media(one.asset.place.root, one.media)
        if media is None or not os.path.exists(media):
            lost.append(one.name)
            continue
        stem = f"{Path(one.name).stem}-{one.asset.digest.rpartition(':')[2][:8]}"
        names = {
            "media": stem + Path(one.name).suffix,
            "heard": f"{stem}.{one.after.language}.heard.srt",
            "right": f"{stem}.{one.after.language}.srt",
        }
        _refer(folder / names["media"], Path(os.fsdecode(media)))
        _put(folder / names["heard"], write(of_result(first[key].before), "srt"))
        _put(folder / names["right"], write(of_result(one.after), "srt"))
        told = [msgspec.to_builtins(change) for change in changes(first[key].before.cues, one.after.cues)]
        made.append({**names, "source": os.fsdecode(media), "proposal": first[key].proposal, "changes": told})
    _put(folder / "corrections.json", msgspec.json.format(msgspec.json.encode({"corrections": made}), indent=1))
    if as_json:
        print_json({"folder": str(folder), "corrections": made, "lost": lost})
        return 0
    out = console()
    out.print(f"Wrote {count(len(made), 'corrected file')} into {cell(str(folder))}.")
    for name in lost:
        out.print(f"[yellow]{cell(name)} is not where it was last seen; it was left out[/yellow]")
    if made:
        out.print(f"[dim]Measure with: callboard eval captions --set {cell(str(folder))}[/dim]")
    return 0


def _refer(link: Path, media: Path) -> None:
    """Refer to the media where it is; copy it only where the system has no links."""
    if link.is_symlink() or link.exists():
        if link.resolve() == media.resolve():
            return
        raise UsageError(f"{link} is there already", "Give a new folder.")
    try:
        link.symlink_to(media.resolve())
    except (OSError, NotImplementedError):
        shutil.copyfile(media, link)


def _put(path: Path, data: bytes) -> None:
    with replacing(path, shared=True) as file:
        file.write(data)


__all__ = ["command", "corrections"]
