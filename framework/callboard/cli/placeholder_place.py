"""What ``callboard placeholder request`` asks for where a timeline names the place: the hole's own length and size."""

from __future__ import annotations

from pathlib import Path

from callboard_schemas import Brief, PlaceholderRequested
from msgspec.structs import replace

from callboard.briefs import fill
from callboard.cli.coverage_run import Wanted, covered
from callboard.cli.output import count
from callboard.config import Project
from callboard.coverage.headers import reading
from callboard.coverage.requesting import Terms, requests
from callboard.errors import UsageError


def placed(timeline: Path, project: Project, terms: Terms, said: Brief) -> PlaceholderRequested:
    """Ask for the one place that *terms* name, as ``callboard coverage --request`` does, with a brief of a person's.

    Args:
        timeline: A timeline, or the project of an application, which then takes what is made into its gap.
        project: Whose catalog knows the neighbours, and whose folders have the media.
        terms: Their ``only`` names a place or a shot.
        said: What the person said; the rest is guessed.

    Raises:
        UsageError: nothing is missing there, or several places have that shot.
        TimelineError: the timeline cannot be read.
    """
    with reading() as headers:
        _, coverage = covered(Wanted(timeline=timeline), project, headers)
        one, *others = requests(coverage, terms, headers, project=project)
    if others:
        refs = ", ".join(each.ref for each in (one, *others))
        raise UsageError(f"{count(len(others) + 1, 'place')} are {terms.only[0]}: {refs}", "Name one of them.")
    known = one.brief or Brief()
    filled = fill(said, one.shot, known.neighbours)
    about = {name: why for name, why in known.guesses.items() if name not in Brief.__struct_fields__}
    brief = replace(filled, guesses={**about, **filled.guesses})
    gap = replace(one.gap, purpose=brief.purpose) if one.gap is not None else None
    return replace(one, brief=brief, purpose=brief.purpose, gap=gap)


__all__ = ["placed"]
