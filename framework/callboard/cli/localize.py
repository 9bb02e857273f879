"""``callboard localize``: captions, subtitle files and descriptions in other languages, riskiest cues first."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import click
import msgspec
from callboard_schemas import Proposal

from callboard.board import roots_of
from callboard.catalog import proposals
from callboard.cli.cues import show_cues
from callboard.cli.onward import stoppable
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, failed_cell, file_cell, print_json
from callboard.cli.progress import Bars, Silent
from callboard.cli.project import board_runs, catalog, here_or_default, me
from callboard.cli.summary import summary
from callboard.config import Project
from callboard.errors import UsageError
from callboard.exchanging import source_texts
from callboard.following import Following
from callboard.localizing import Localizing, Wanted
from callboard.report import AssetReport, RunReport

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@click.command("localize")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--to", "to", required=True, metavar="es,ca", help="Languages to put it into, as BCP 47 tags.")
@click.option("--from", "source", metavar="en", help="The language it is in, where its name does not say.")
@click.option("--engine", metavar="NAME", help="What translates, instead of the best that is here for the pair.")
@click.option("--glossary", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Another glossary.toml.")
@click.option("--texts", is_flag=True, help="The description and the tag names, instead of the captions.")
@click.option("--notes", is_flag=True, help="PATHS are lists of marker notes, CSV or JSON with a column 'note'.")
@click.option("--yes", is_flag=True, help="Accept the translations at once, failed cues too.")
@json_flag
def command(
    paths: tuple[Path, ...],
    to: str,
    source: str | None,
    engine: str | None,
    glossary: Path | None,
    texts: bool,
    notes: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Translate the accepted captions of PATHS, or subtitle files among them, without moving a cue.

    Every translation waits for you, unless you say --yes: what to look at first is listed first, with the reason.
    Exit code: 0 all well, 1 something failed, 2 wrong usage.
    """
    project = here_or_default()
    if glossary is not None:
        settings = msgspec.structs.replace(project.settings, glossary=str(glossary.absolute()))
        project = msgspec.structs.replace(project, settings=settings)
    wanted = Wanted(
        languages=_languages(to),
        source=_languages(source)[0] if source else None,
        texts=texts,
        notes=notes,
        parameters={"engine": engine} if engine else {},
        by=me(),
    )
    if notes and board_runs(project):
        raise UsageError("a running board does not know lists of notes", "Stop it first, or work in another folder.")
    if glossary is not None and board_runs(project):
        raise UsageError(
            "a running board has its own glossary", "Stop it first, or put the terms into the project's glossary.toml."
        )
    report = _through_board(project, paths, wanted, yes=yes) if board_runs(project) else None
    if report is None:
        with Silent() if as_json else Bars() as watcher:
            shot = Localizing(project, paths, wanted, acceptance="all" if yes else "none", watcher=watcher)
            report = asyncio.run(stoppable(shot, watcher))
    if as_json:
        print_json(report)
    else:
        _show(project, report, wanted)
    return 0 if report.ok and not report.totals["nothing"] else 1


def _languages(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    strange = next((one for one in found if not _LANGUAGE.fullmatch(one)), None)
    if strange is not None or not found:
        raise UsageError(f"{strange or text!r} is no language", "Give tags such as es, pt-BR or zh-Hans.")
    return found


def _through_board(project: Project, paths: tuple[Path, ...], wanted: Wanted, *, yes: bool) -> RunReport:
    from callboard.cli.asking import ask_board

    return asyncio.run(ask_board(project, paths, wanted, yes=yes))


def _show(project: Project, report: RunReport, wanted: Wanted) -> None:
    out = console()
    made = [one for asset in report.assets for one in _show_asset(project, asset)]
    waits = [one for one in made if one.state == "proposed"]
    kept = [one for one in made if one.state == "accepted"]
    out.print(f"\nrun {report.run}: {count(len(made), 'translation')}; {len(kept)} accepted, {len(waits)} waiting.")
    if waits:
        ids = " ".join(one.id for one in waits[:4])
        out.print(f"[dim]callboard accept {ids}; callboard inbox ID shows the cues again[/dim]")
    if kept:
        out.print(f"[dim]Take it back with: callboard undo {report.run}[/dim]")


def _show_asset(project: Project, asset: AssetReport) -> list[Proposal]:
    """Print what became of one file; give its translations as they stand now."""
    out = console()
    out.print(f"[bold]{file_cell(asset.path)}[/bold]")
    if asset.failure is not None:
        out.print(failed_cell("failed", asset.failure))
    elif not asset.jobs:
        out.print("no plugin translates; 'callboard plugins list' shows why")
    found: list[Proposal] = []
    following = Following(roots_of(project))
    for job in asset.jobs:
        if job.failure is not None:
            out.print(failed_cell(job.state, job.failure))
        elif not job.proposals:
            out.print(f"{job.plugin}: nothing to translate; it is in that language already")
        for made in job.proposals:
            with catalog(project) as opened:
                now = opened.read(lambda conn, ident=made.id: proposals.get(conn, ident)) or made  # type: ignore[misc]  # bound while the loop stands still
                source = opened.read(lambda conn, now=now: source_texts(conn, following, now))  # type: ignore[misc]  # the same
            out.print(f"{now.id} {now.state}: {cell(summary(now.body, now.without))}")
            show_cues(now, source)
            found.append(now)
    return found


__all__ = ["command"]
