"""``callboard timeline markers``: what was accepted, or subtitles, as markers; and markers as files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, print_json, print_table, table
from callboard.errors import UsageError

from callboard_otio.cli_shared import (
    all_roots,
    as_dict,
    file_argument,
    output_options,
    project,
    rate_option,
    read_in,
    root_option,
    save,
    target,
    tell_notes,
    tell_written,
)

if TYPE_CHECKING:
    from callboard_otio.marking import Mark
    from callboard_otio.reading import Opened


@click.command("markers")
@file_argument
@click.option(
    "--srt", "--subtitles", "subtitles", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Add its cues as timeline markers; any subtitle file.",
)  # fmt: skip
@click.option("--offset", default=0.0, metavar="SECONDS", help="Added to the times of the subtitles.")
@click.option("--accepted", is_flag=True, help="Add the tags and captions that the project accepted, on their clips.")
@click.option("--no-cues", is_flag=True, help="With --accepted: name the caption files, and add no marker per cue.")
@click.option("--remove", is_flag=True, help="Take our markers, tags and caption names away first; people's stay.")
@click.option("--edl", type=click.Path(dir_okay=False, path_type=Path), help="Write all markers as a marker EDL.")
@click.option(
    "--edl-style", type=click.Choice(["resolve", "loc"]), default="resolve", help="For Resolve, or LOC lines."
)
@click.option("--csv", "csv_", type=click.Path(dir_okay=False, path_type=Path), help="Write all markers as a table.")
@root_option
@output_options
@rate_option
@json_flag
def command(
    file: Path,
    subtitles: tuple[Path, ...],
    offset: float,
    accepted: bool,
    no_cues: bool,
    remove: bool,
    edl: Path | None,
    edl_style: Literal["resolve", "loc"],
    csv_: Path | None,
    roots: tuple[Path, ...],
    output: Path | None,
    in_place: bool,
    force: bool,
    flavour: str,
    rate: str,
    as_json: bool,
) -> int:
    """List the markers of FILE, add ours, take ours away, and write them for other applications.

    Added twice, a marker is replaced, not doubled; markers of people are never touched.
    """
    changes = bool(subtitles or accepted or remove)
    out = target(file, output, in_place=in_place) if changes and not _only_lists(output, in_place, edl, csv_) else None
    _free(edl, csv_, force=force)
    found = read_in(file, rate)
    removed = _remove(found) if remove else 0
    added = _add(found, subtitles, offset, roots, accepted=accepted, cues=not no_cues)
    from callboard_otio.marking import marks

    shown = marks(found.timeline, found.rate)
    _write_files(shown, found, edl, csv_, edl_style)
    written = save(found, out, in_place=in_place, force=force, flavour=flavour) if out is not None else None
    if as_json:
        about = as_dict(written) if written else {}
        print_json({**about, "added": added, "removed": removed, "markers": shown, "read": found.notes})
        return 0
    tell_notes(found.notes)
    if changes:
        console().print(f"{count(added, 'marker')} added, {removed} removed.")
    elif edl is None and csv_ is None:
        _show(shown, found)
    for one in (edl, csv_):
        if one is not None:
            console(stderr=True).print(f"Wrote {count(len(shown), 'marker')} into {cell(str(one))}.")
    if written is not None:
        tell_written(written)
    return 0


def _only_lists(output: Path | None, in_place: bool, edl: Path | None, csv_: Path | None) -> bool:
    """Say whether the markers are only wanted as files of their own, and the timeline need not be written."""
    return output is None and not in_place and bool(edl or csv_)


def _free(edl: Path | None, csv_: Path | None, *, force: bool) -> None:
    for one in (edl, csv_):
        if one is not None and one.exists() and not force:
            raise UsageError(f"{one} is there already", "Give another name, or --force to replace it.")


def _remove(found: Opened) -> int:
    from callboard_otio.marking import remove, remove_facts

    remove_facts(found.timeline)
    return remove(found.timeline)


def _add(
    found: Opened, subtitles: tuple[Path, ...], offset: float, roots: tuple[Path, ...], *, accepted: bool, cues: bool
) -> int:
    from callboard_otio.marking import add_srt

    added = sum(add_srt(found.timeline, one, found.rate, offset=offset) for one in subtitles)
    return added + (_add_accepted(found, roots, cues=cues) if accepted else 0)


def _add_accepted(found: Opened, roots: tuple[Path, ...], *, cues: bool) -> int:
    from callboard_otio.accepted import for_media
    from callboard_otio.marking import add_accepted
    from callboard_otio.media import Finder
    from callboard_otio.probing import probing

    here = project()
    if here is None:
        raise UsageError("there is no project here", "Go to the folder of its callboard.toml, or use --srt FILE.")
    with probing() as prober:
        finder = Finder(all_roots(roots), found.base, found.bundle, prober.began)
        paths = [finder.find(clip, found.rate).path for clip in found.timeline.find_clips()]
        known = for_media(here, [Path(path) for path in dict.fromkeys(paths) if path])
        return add_accepted(found.timeline, found.rate, finder, known, cues=cues)


def _write_files(
    shown: list[Mark], found: Opened, edl: Path | None, csv_: Path | None, style: Literal["resolve", "loc"]
) -> None:
    from callboard.replacing import replacing

    from callboard_otio.markerfiles import marker_csv, marker_edl

    if edl is not None:
        with replacing(edl, shared=True) as file:
            file.write(marker_edl(shown, found.timeline, found.rate, style).encode("utf-8"))
    if csv_ is not None:
        with replacing(csv_, shared=True) as file:
            file.write(marker_csv(shown, found.timeline, found.rate).encode("utf-8-sig"))


def _show(shown: list[Mark], found: Opened) -> None:
    from callboard_otio.marking import timecode

    if not shown:
        console().print("There are no markers.")
        return
    listed = table("timecode", "frames", "on", "colour", "name", "note", "", whole=("timecode", "on", "colour"))
    for one in shown:
        begin = timecode(one, found.timeline, found.rate)
        mine = "ours" if one.ident else ""
        row = (
            begin,
            str(one.frames),
            one.track or "timeline",
            one.colour.lower(),
            cell(one.name),
            cell(one.note),
            mine,
        )
        listed.add_row(*row)
    print_table(listed)


__all__ = ["command"]
