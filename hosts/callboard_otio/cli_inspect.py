"""``callboard timeline inspect``: what a timeline has, and what it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, print_json, print_table, table

from callboard_otio.cli_shared import all_roots, file_argument, rate_option, read_in, root_option, tell_notes

if TYPE_CHECKING:
    from callboard_otio.inspecting import ClipFacts, Report


@click.command("inspect")
@file_argument
@root_option
@rate_option
@click.option("--clips", "with_clips", is_flag=True, help="List every clip with its media and handles.")
@click.option("--covered", is_flag=True, help="List gaps too that another track covers with a picture.")
@click.option("--audio", is_flag=True, help="List gaps of audio tracks too.")
@json_flag
def command(
    file: Path, roots: tuple[Path, ...], rate: str, with_clips: bool, covered: bool, audio: bool, as_json: bool
) -> int:
    """Say what FILE has and lacks: tracks, gaps, missing media, slugs, rates and handles.

    A gap and a missing clip are named by track and frame, such as V1-48; 'callboard timeline fill' takes that name.
    """
    found = read_in(file, rate)
    from callboard_otio.inspecting import inspect
    from callboard_otio.media import Finder
    from callboard_otio.probing import probing

    with probing() as prober:
        finder = Finder(all_roots(roots), found.base, found.bundle, prober.began)
        report = inspect(found, finder, covered=covered, audio=audio)
    if as_json:
        print_json(report)
        return 0
    _show(report, with_clips=with_clips)
    return 0


def _show(report: Report, *, with_clips: bool) -> None:
    out = console()
    out.print(
        f"{cell(report.file)}: {cell(report.name) or 'no name'}, {report.rate} fps,"
        f" {report.start} to {report.end} ({count(report.frames, 'frame')}), {count(report.markers, 'marker')}"
    )
    tell_notes(report.notes)
    if report.other_rates:
        out.print(f"[yellow]some clips have another rate: {', '.join(report.other_rates)}[/yellow]")
    tracks = table("track", "name", "clips", "gaps", "frames", "")
    for one in report.tracks:
        off = "" if one.enabled else "switched off"
        tracks.add_row(one.track, cell(one.name), str(one.clips), str(one.gaps), str(one.frames), off)
    print_table(tracks)
    if with_clips:
        _show_clips(report)
    spots = [*report.gaps, *report.missing, *report.slugs, *report.ours]
    if spots:
        shown = table("at", "what", "timecode", "end", "frames", "name", "why", whole=("at", "what", "timecode", "end"))
        for spot in sorted(spots, key=lambda one: (one.start, one.track)):
            why = spot.problem or ("another track covers it" if spot.covered else "")
            what = {"ours": "stand-in"}.get(spot.kind, spot.kind)
            row = (spot.ref, what, spot.timecode, spot.end, str(spot.frames), cell(spot.name), cell(why))
            shown.add_row(*row)
        print_table(shown)
    short = [one for one in report.clips if min(one.head or 0, one.tail or 0) < 0]
    for clip in short:
        out.print(f"[yellow]{clip.ref} {cell(clip.name)}: shows frames that its media does not have[/yellow]")
    out.print(_summary(report))


def _show_clips(report: Report) -> None:
    shown = table("at", "clip", "timecode", "frames", "source", "handles", "media", whole=("at", "timecode", "source"))
    for one in report.clips:
        handles = "" if one.head is None else f"{one.head}+{one.tail}"
        shown.add_row(one.ref, cell(one.name), one.timecode, str(one.frames), one.source, handles, cell(_media(one)))
    print_table(shown)


def _media(clip: ClipFacts) -> str:
    media = clip.media
    words = {"moved": "moved: ", "name": "found by name: ", "reel": "found by reel: ", "bundle": "in the bundle: "}
    return media.problem or f"{words.get(media.how, '')}{media.path or media.said}"


def _summary(report: Report) -> str:
    ours = f"{count(len(report.ours), 'stand-in')} of ours"
    found = (
        count(len(report.gaps), "gap"),
        count(len(report.missing), "missing clip"),
        count(len(report.slugs), "slug"),
    )
    return ", ".join((*found, ours))


__all__ = ["command"]
