"""``callboard coverage``: what a cut or a shot list lacks, as a table, a strip picture and JSON."""

from __future__ import annotations

from pathlib import Path

import click

from callboard.cli.options import json_flag


@click.command("coverage")
@click.argument("timeline", type=click.Path(path_type=Path))
@click.option(
    "--shots", type=click.Path(path_type=Path), help="The shots that there should be: CSV, EDL or shots.toml."
)
@click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Look for media there too; the project's watched folders are looked in anyway.",
)
@click.option("--rate", default="", help="Frames per second, such as 25 or 29.97df, where TIMELINE is silent.")
@click.option("--handles", type=click.IntRange(0, 100_000), default=0, help="Frames wanted around each clip.")
@click.option("--all", "everything", is_flag=True, help="List what is there, too.")
@click.option("--svg", type=click.Path(path_type=Path), help="Draw the strip picture into this file.")
@click.option("--deliver", is_flag=True, help="Exit with 1 if anything is not the real shot, whole; look closely.")
@click.option("--request", "ask", is_flag=True, help="Ask for placeholders for what is missing.")
@click.option("--only", multiple=True, metavar="REF|SHOT", help="Ask for these alone, such as V1-48 or SH010.")
@click.option("--engine", "engines", multiple=True, metavar="NAME", help="What makes them; may be given again.")
@click.option("--versions", type=click.IntRange(1, 16), default=1, help="How many of each to choose from.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Of the first version.")
@click.option("--again", is_flag=True, help="Ask for those too that something waits or stands in for already.")
@click.option("--size", default="", metavar="WxH", help="Of placeholders, where the cut does not say one.")
@json_flag
def command(
    timeline: Path,
    shots: Path | None,
    roots: tuple[Path, ...],
    rate: str,
    handles: int,
    everything: bool,
    svg: Path | None,
    deliver: bool,
    ask: bool,
    only: tuple[str, ...],
    engines: tuple[str, ...],
    versions: int,
    seed: int,
    again: bool,
    size: str,
    as_json: bool,
) -> int:
    """Say what TIMELINE lacks: gaps, media that is not there or not whole, missing frames, and stand-ins.

    TIMELINE is a timeline (.otio, .otioz, EDL, Final Cut Pro XML, AAF, ALE), a Kdenlive project, a .blend, or a shot
    list alone (.csv, shots.toml). Nothing is changed; --request alone asks for placeholders, which wait for you.

    Exit code: 0 all well, 1 with --deliver where something is not the real shot, or a request failed, 2 wrong usage.
    """
    from callboard.cli.coverage_run import Wanted, run

    return run(
        Wanted(
            timeline=timeline,
            shots=shots,
            roots=roots,
            rate=rate,
            handles=handles,
            everything=everything,
            svg=svg,
            deliver=deliver,
            request=ask or bool(only),
            only=only,
            engines=engines,
            versions=versions,
            seed=seed,
            again=again,
            size=size,
            as_json=as_json,
        )
    )


__all__ = ["command"]
