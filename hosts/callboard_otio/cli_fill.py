"""``callboard timeline fill``: a stand-in in each gap and each clip without media, and nothing else moved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
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
    from callboard_otio.choosing import Choice, Outcome
    from callboard_otio.finding import Spot
    from callboard_otio.media import Finder
    from callboard_otio.reading import Opened


@click.command("fill")
@file_argument
@click.option("--with", "with_", type=click.Path(path_type=Path), help="Put this picture or film there.")
@click.option("--generator", default="", help="Put a generator there: SMPTEBars, black or slug.")
@click.option("--at", "named", multiple=True, metavar="REF=FILE", help="Put FILE at one place, such as V1-48=card.png.")
@click.option(
    "--only", multiple=True, type=click.Choice(["gaps", "missing", "slugs"]), help="Fill these; else gaps and missing."
)
@click.option("--covered", is_flag=True, help="Fill gaps too that another track covers with a picture.")
@click.option("--audio", is_flag=True, help="Fill audio tracks too; else they are left alone.")
@click.option("--remove", is_flag=True, help="Take our stand-ins away, and give back what was there.")
@root_option
@output_options
@rate_option
@json_flag
def command(
    file: Path,
    with_: Path | None,
    generator: str,
    named: tuple[str, ...],
    only: tuple[str, ...],
    covered: bool,
    audio: bool,
    remove: bool,
    roots: tuple[Path, ...],
    output: Path | None,
    in_place: bool,
    force: bool,
    flavour: str,
    rate: str,
    as_json: bool,
) -> int:
    """Put a stand-in into each gap and each clip whose media is missing; no other edit moves by a frame.

    Placeholders that the project accepted go where their shot's name is. Run again, it replaces only what it put
    there itself, and gives way where a clip's own media has arrived. Exit code 1 if a place could not be filled.
    """
    out = target(file, output, in_place=in_place)
    from callboard_otio.choosing import Choice, check

    here = project()
    choice = Choice(named=_named(named), file=with_, generator=generator)
    check(choice)
    found = read_in(file, rate)
    if here is not None and not remove:
        from callboard_otio.accepted import placeholders

        choice = msgspec.structs.replace(choice, accepted=placeholders(here), timeline=file)
    done = _taken(found) if remove else _fill(found, choice, only, all_roots(roots), covered=covered, audio=audio)
    _any_choice(done, choice, remove=remove)
    written = save(found, out, in_place=in_place, force=force, flavour=flavour)
    refused = any(one.state == "refused" for one in done)
    if as_json:
        print_json({**as_dict(written), "places": done})
        return int(refused)
    tell_notes(found.notes)
    _show(done, remove=remove)
    tell_written(written)
    return int(refused)


def _named(given: tuple[str, ...]) -> dict[str, Path]:
    found = {}
    for one in given:
        ref, mark, file = one.partition("=")
        if not mark or not file:
            raise UsageError(f"--at {one}: is not REF=FILE", "Such as --at V1-48=card.png.")
        found[ref] = Path(file)
    return found


def _spots(found: Opened, only: tuple[str, ...], finder: Finder, *, covered: bool, audio: bool) -> list[Spot]:
    from callboard_otio.finding import gaps, missing, slugs, stand_ins

    timeline, rate = found.timeline, found.rate
    wanted = only or ("gaps", "missing")
    spots = list(stand_ins(timeline, rate=rate))
    if "gaps" in wanted:
        spots += gaps(timeline, rate=rate, covered=covered, audio=audio)
    if "missing" in wanted:
        spots += missing(timeline, finder, rate=rate)
    if "slugs" in wanted:
        spots += slugs(timeline, rate=rate)
    wished = [one for one in spots if audio or one.track.startswith("V")]
    return sorted(wished, key=lambda one: (one.start, one.track))


def _fill(
    found: Opened, choice: Choice, only: tuple[str, ...], roots: list[Path], *, covered: bool, audio: bool
) -> list[Outcome]:
    from callboard_otio.choosing import Outcome, fill
    from callboard_otio.filling import arrived
    from callboard_otio.media import Finder
    from callboard_otio.probing import probing

    with probing() as prober:
        finder = Finder(roots, found.base, found.bundle, prober.began)
        here = [Outcome(spot=spot, state="arrived") for spot in arrived(found.timeline, finder, rate=found.rate)]
        spots = _spots(found, only, finder, covered=covered, audio=audio)
        return [*here, *fill(found.timeline, spots, choice, found.rate, prober.frames)]


def _taken(found: Opened) -> list[Any]:
    from callboard_otio.choosing import Outcome
    from callboard_otio.filling import take_away

    return [Outcome(spot=spot, state="removed") for spot in take_away(found.timeline, rate=found.rate)]


def _any_choice(done: list[Outcome], choice: Choice, *, remove: bool) -> None:
    empty = [one for one in done if one.spot.kind != "ours"]
    if not remove and empty and all(one.state == "left" for one in done) and not choice.named:
        raise UsageError(
            f"{count(len(empty), 'place')} to fill, and nothing to put there",
            "Give --with FILE, --generator black or --at REF=FILE, or accept a placeholder for the shot.",
        )


def _show(done: list[Outcome], *, remove: bool) -> None:
    if not done:
        console().print("There is nothing of ours in it." if remove else "Nothing is missing.")
        return
    shown = table("at", "timecode", "frames", "name", "", "with", "why", whole=("at", "timecode"))
    for one in done:
        spot = one.spot
        row = (spot.ref, spot.timecode, str(spot.frames), cell(spot.name), one.state, cell(one.what), cell(one.why))
        shown.add_row(*row)
    print_table(shown)


__all__ = ["command"]
