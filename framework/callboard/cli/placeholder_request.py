"""``callboard placeholder request``: a stand-in for a shot, whether a timeline names it or not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from callboard_schemas import ANGLES, MOVEMENTS, SHOT_SIZES, TIMES_OF_DAY
from click.core import ParameterSource
from msgspec.structs import replace

from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, failed_cell, print_json
from callboard.cli.project import here, me
from callboard.errors import UsageError

if TYPE_CHECKING:
    from callboard.config import Project
    from callboard.report import RunReport

_PLACE = ("frames", "seconds", "rate", "start")
"""Options that say what a timeline says."""
_SIZE = re.compile(r"(\d{1,5})\s*[xX×]\s*(\d{1,5})")


@click.command("request")
@click.argument("shot")
@click.option("--timeline", type=click.Path(path_type=Path), help="Where it is missing; SHOT may be a place, V1-48.")
@click.option("--purpose", default="", help="What the shot is for, in one sentence.")
@click.option("--frames", type=click.IntRange(1, 10_000_000), help="How long, exactly.")
@click.option("--seconds", type=click.FloatRange(0.01, 86400), help="How long, to the nearest frame; else 4.")
@click.option("--rate", default="24", help="Frames a second: 23.976, 25, 29.97df…")
@click.option("--size", default="1920x1080", help="Width and height of the picture, such as 1920x1080.")
@click.option("--start", default="", help="Timecode of its first frame on the timeline.")
@click.option("--slug", default="", help='The scene\'s heading: "EXT. HARBOUR - NIGHT".')
@click.option("--shot-size", type=click.Choice(SHOT_SIZES), help="How large people are in the picture.")
@click.option("--angle", type=click.Choice(ANGLES), help="From where the camera looks.")
@click.option("--movement", type=click.Choice(MOVEMENTS), help="What the camera does.")
@click.option("--time-of-day", type=click.Choice(TIMES_OF_DAY), help="When it plays.")
@click.option("--people", type=click.IntRange(0, 20), help="How many are seen.")
@click.option("--place", default="", help="Where it plays.")
@click.option("--mood", default="", help="How it feels.")
@click.option("--cast", multiple=True, metavar="NAME", help="A character, from the left of the picture to the right.")
@click.option("--line", "lines", multiple=True, metavar="NAME: TEXT", help="A line of dialogue.")
@click.option("--lens", type=click.FloatRange(1, 2000), help="Focal length in mm.")
@click.option("--reference", "references", multiple=True, metavar="FILE", help="A picture of the project to go by.")
@click.option("--references-agreed", is_flag=True, help="Whoever is seen in the references agreed to it.")
@click.option("--notes", default="", help="Anything else.")
@click.option("--engine", "engines", multiple=True, metavar="NAME", help="slate, previs, …; may be given again.")
@click.option("--versions", type=click.IntRange(1, 16), default=1, help="How many to choose from, of each engine.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="The same again gives the same pictures.")
@json_flag
def command(shot: str, as_json: bool, **options: Any) -> int:
    """Ask for a stand-in for SHOT, and wait until its versions are there to choose from.

    What you do not say is guessed from the name and the slug line, and every guess is marked as one. With --timeline,
    length, rate and size are those of the gap, and once it is accepted it goes there. Exit code: 0 all made, 1
    something was not, 2 wrong usage.
    """
    from callboard.cli.requesting import request

    project = here()
    asked = _in_timeline(shot, project, options) if options["timeline"] else _asked(shot, options)
    report = request(project, [asked], quiet=as_json)
    if as_json:
        print_json(report)
    else:
        show(report)
    return 0 if report.ok else 1


def _in_timeline(shot: str, project: Project, options: dict[str, Any]) -> Any:
    """Ask for what a timeline lacks.

    Raises:
        UsageError: nothing is missing there, or what the timeline says is said again.
    """
    from callboard.cli.placeholder_place import placed
    from callboard.coverage.requesting import Terms

    source = click.get_current_context().get_parameter_source
    again = [name for name in _PLACE if source(name) is not ParameterSource.DEFAULT]
    if again:
        raise UsageError(f"--timeline says already what --{again[0]} does", f"Leave --{again[0]} out.")
    size = options["size"] if source("size") is not ParameterSource.DEFAULT else ""
    wanted = ("engines", "versions", "seed")
    terms = Terms(only=(shot,), size=size, by=me(), **{name: options[name] for name in wanted})
    asked = placed(options["timeline"], project, terms, _said(options))
    return replace(asked, parameters={**asked.parameters, **_agreed(options)})


def _agreed(options: dict[str, Any]) -> dict[str, Any]:
    return {"references_agreed": True} if options["references_agreed"] else {}


def _asked(shot: str, options: dict[str, Any]) -> Any:
    """Read what was asked for.

    Raises:
        UsageError: a size, a rate, a timecode or a line is none.
    """
    from callboard_schemas import PlaceholderRequested

    from callboard.briefs import fill
    from callboard.timedtext.rate import parse_rate

    size = _SIZE.fullmatch(options["size"].strip())
    if size is None:
        raise UsageError(f"{options['size']!r} is no size", "Such as 1920x1080.")
    try:
        rate = parse_rate(options["rate"])
        if options["start"]:
            rate.frame_of(options["start"])
    except ValueError as error:
        raise UsageError(str(error), "Rates are written 24, 23.976 or 29.97df; timecode 01:00:00:00.") from None
    if options["frames"] and options["seconds"]:
        raise UsageError("--frames and --seconds say the same thing", "Give one of them.")
    frames = options["frames"] or max(rate.frame_at(options["seconds"] or 4.0), 1)
    return PlaceholderRequested(
        shot=shot,
        purpose=options["purpose"],
        duration=rate.seconds(frames),
        frames=frames,
        rate=float(rate.fps),
        counted=str(rate),
        width=int(size[1]),
        height=int(size[2]),
        start=options["start"],
        brief=fill(_said(options), shot, ()),
        seed=options["seed"],
        versions=options["versions"],
        engines=options["engines"],
        by=me(),
        parameters=_agreed(options),
    )


def _said(options: dict[str, Any]) -> Any:
    """Give the brief as far as a person said it."""
    from callboard_schemas import Brief

    said = (
        "purpose",
        "slug",
        "shot_size",
        "angle",
        "movement",
        "people",
        "place",
        "time_of_day",
        "mood",
        "lens",
        "notes",
    )
    lines = tuple(_line(text) for text in options["lines"])
    given = {name: options[name] for name in said}
    return Brief(**given, cast=options["cast"], dialogue=lines, references=options["references"])


def _line(text: str) -> Any:
    from callboard_schemas import Line

    speaker, mark, words = text.partition(":")
    if not mark:
        speaker, words = "", text
    if not words.strip():
        raise UsageError(f"--line {text!r} says nothing", 'Such as --line "MARA: Wait for me."')
    return Line(text=words.strip(), speaker=speaker.strip())


def show(report: RunReport) -> None:
    """Print what became of each shot, and what to do next."""
    out, waits = console(), 0
    for asset in report.assets:
        if asset.failure is not None:
            out.print(failed_cell("failed", asset.failure))
        elif not asset.jobs:
            out.print(f"{cell(asset.path)}: no plugin makes placeholders; 'callboard plugins list' shows why")
        for job in asset.jobs:
            if job.failure is not None:
                out.print(f"{cell(asset.path)}: {failed_cell(job.state, job.failure)}")
            for made in job.proposals:
                file = getattr(made.body, "file", "")
                out.print(f"{made.id}  {cell(str(file))}")
                waits += made.state == "proposed"
    if waits:
        shots = " ".join(dict.fromkeys(asset.path for asset in report.assets))
        out.print(
            f"\n{count(waits, 'version')} to choose from. [dim]'callboard placeholder show {cell(shots)}' compares "
            "them; 'callboard accept ID --reason …' takes one.[/dim]"
        )


__all__ = ["command", "show"]
