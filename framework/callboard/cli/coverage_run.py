"""Does what ``callboard coverage`` asks for: reads, compares, shows, and has placeholders made."""

from __future__ import annotations

from pathlib import Path

from callboard_schemas import PlaceholderRequested, Proposal
from msgspec import Struct
from msgspec.structs import replace

from callboard.catalog import placeholders
from callboard.cli.coverage_show import show
from callboard.cli.output import print_json
from callboard.cli.project import catalog, here_or_default, me
from callboard.config import Project, find_project
from callboard.coverage.cut import PICTURE_RATE, Cut, Look
from callboard.coverage.document import document
from callboard.coverage.headers import Headers, reading
from callboard.coverage.listing import listed_shots
from callboard.coverage.ondisk import cut_of
from callboard.coverage.readers import read_cut
from callboard.coverage.report import Coverage, cover
from callboard.coverage.shotlist import SUFFIXES, Listed, read_list
from callboard.coverage.standins import StandIns
from callboard.errors import UsageError
from callboard.report import RunReport
from callboard.timedtext.rate import Rate, parse_rate


class Wanted(Struct, frozen=True, kw_only=True):
    """What a person asked for on the command line."""

    timeline: Path
    shots: Path | None = None
    roots: tuple[Path, ...] = ()
    rate: str = ""
    handles: int = 0
    everything: bool = False
    svg: Path | None = None
    deliver: bool = False
    request: bool = False
    only: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    versions: int = 1
    seed: int = 0
    again: bool = False
    size: str = ""
    as_json: bool = False


def run(wanted: Wanted) -> int:
    """Do it; the exit code is 1 where a delivery is not ready, or a placeholder could not be asked for."""
    project = find_project(Path.cwd())
    asked: tuple[PlaceholderRequested, ...] = ()
    there: tuple[PlaceholderRequested, ...] = ()
    with reading() as headers:
        listed, coverage = covered(wanted, project, headers)
        if wanted.request:
            asked, there, notes = _asked(wanted, coverage, listed, project, headers)
            coverage = replace(coverage, notes=(*coverage.notes, *notes))
    if wanted.svg is not None:
        from callboard.coverage.svg import save

        save(coverage, wanted.svg)
    report = _request(wanted, asked) if asked else None
    if wanted.as_json:
        print_json(document(coverage, deliver=wanted.deliver, asked=asked, standing=there, report=report))
    else:
        show(coverage, wanted.everything, deliver=wanted.deliver, asked=asked, standing=there, report=report)
    late = wanted.deliver and not coverage.ready
    return int(late or (report is not None and not report.ok))


def covered(wanted: Wanted, project: Project | None, headers: Headers) -> tuple[Listed | None, Coverage]:
    """Read what was named, and hold it against what is on disk.

    Raises:
        UsageError: a shot list was named twice, or a rate is none.
        TimelineError: what was named cannot be read.
    """
    look = Look(headers=headers, roots=tuple(dict.fromkeys((*wanted.roots, *_roots(project)))), rate=wanted.rate)
    if wanted.timeline.suffix.lower() in SUFFIXES:
        if wanted.shots is not None:
            raise UsageError("TIMELINE is a shot list itself", "Give a timeline, and the list with --shots.")
        listed: Listed | None = read_list(wanted.timeline, _rate(wanted.rate) or PICTURE_RATE)
        assert listed is not None, "a list was read"
        cut = cut_of(listed, look.roots or (wanted.timeline.absolute().parent,))
        known, handles = None, 0  # a list says which shots there are, not which frames of their media
    else:
        cut, handles = read_cut(wanted.timeline, look), wanted.handles
        listed = known = _listed(wanted, cut, look)
    stand_ins = StandIns(_made(project), project.folder if project else None, headers, closely=wanted.deliver)
    return listed, cover(cut, headers, stand_ins, handles=handles, listed=known)


def _roots(project: Project | None) -> list[Path]:
    """Give the folders in which a project has media: those that it watches, and that of its placeholders."""
    if project is None:
        return []
    from callboard.board import watched_folders

    return [*map(Path, watched_folders(project)), project.placeholders]


def _listed(wanted: Wanted, cut: Cut, look: Look) -> Listed | None:
    """Read the shot list that was named; an EDL is one when a person says so."""
    if wanted.shots is None:
        return None
    if wanted.shots.suffix.lower() in SUFFIXES:
        return read_list(wanted.shots, cut.rate)
    return listed_shots(read_cut(wanted.shots, replace(look, roots=(), rate=look.rate or str(cut.rate))))


def _rate(text: str) -> Rate | None:
    try:
        return parse_rate(text) if text else None
    except ValueError as error:
        raise UsageError(str(error), "Such as 24, 23.976, 25, 29.97, 29.97df or 59.94df.") from None


def _made(project: Project | None) -> list[Proposal]:
    """Give the placeholders that the project knows."""
    if project is None or not project.data.is_dir():
        return []
    with catalog(project) as opened:
        return opened.read(placeholders.every)


def _asked(
    wanted: Wanted, coverage: Coverage, listed: Listed | None, project: Project | None, headers: Headers
) -> tuple[tuple[PlaceholderRequested, ...], tuple[PlaceholderRequested, ...], tuple[str, ...]]:
    """Give what is to be asked for, what waits or stands in already, and what was guessed."""
    from callboard.coverage.requesting import Terms, requests, standing, told

    terms = Terms(
        only=wanted.only,
        engines=wanted.engines,
        versions=wanted.versions,
        seed=wanted.seed,
        size=wanted.size,
        by=me(),
    )
    every = requests(coverage, terms, headers, listed=listed, project=project)
    there = () if wanted.again else standing(_made(project), every)
    return tuple(one for one in every if one not in there), there, told(coverage.cut, every)


def _request(wanted: Wanted, asked: tuple[PlaceholderRequested, ...]) -> RunReport:
    from callboard.cli.requesting import request

    return request(here_or_default(), asked, quiet=wanted.as_json, wait=False)


__all__ = ["Wanted", "covered", "run"]
