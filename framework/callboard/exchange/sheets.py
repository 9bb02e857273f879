"""A translation as rows for a person: what is said, what it is called in the other language, and what it must keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from callboard_schemas import Captions, Cue, Translation
from msgspec import Struct

from callboard.errors import UsageError
from callboard.timedtext.markup import marked, runs
from callboard.timedtext.profile import Profile, load

DESCRIPTION = "description"
"""Id of the row that holds the description."""
LABEL = "tag-"
"""How the ids of rows with names of tags begin; a number follows."""


class Row(Struct, frozen=True, kw_only=True):
    """One text."""

    id: str
    """The cue's id; ``description``, or ``tag-`` and a number, for other texts."""
    source: str
    """Its lines, parted by a line feed; ``<i>``, ``<b>``, ``<u>`` and entities where *styled*."""
    target: str = ""
    styled: bool = False
    start: float | None = None
    """Seconds; for the reader, never taken back."""
    end: float | None = None
    speaker: str = ""
    limits: str = ""
    """What the text must keep to, in words."""
    why: str = ""
    """Why it should be looked at."""
    risk: float | None = None


class Sheet(Struct, frozen=True, kw_only=True):
    """All texts of one proposal in two languages."""

    proposal: str
    """Id of what the texts were made of: a translation, or captions that nobody translated yet."""
    name: str
    """File name of the asset."""
    source_language: str
    language: str
    rows: tuple[Row, ...]
    unmarked: bool = False
    """It was read from a format that does not say which texts hold markup."""


def of_translation(made: Translation, source: Sequence[Cue], proposal: str, name: str, described: str = "") -> Sheet:
    """Make a sheet of a translation.

    Args:
        made: The translation.
        source: The cues that it was made of; one that is missing leaves its source empty.
        proposal: Its id.
        name: File name of the asset.
        described: The description that it translates.
    """
    profile = load(made.profile or "web", made.language)
    spoken = {cue.id: cue for cue in source}
    rows = [_row(spoken.get(cue.id), cue, cue, profile) for cue in made.cues]
    if made.description:
        rows.append(Row(id=DESCRIPTION, source=described, target=made.description))
    rows += [
        Row(id=f"{LABEL}{number}", source=label, target=called)
        for number, (label, called) in enumerate(made.labels.items(), 1)
    ]
    return Sheet(
        proposal=proposal,
        name=name,
        source_language=made.source_language,
        language=made.language,
        rows=_unique(rows, proposal),
    )


def of_captions(captions: Captions, language: str, proposal: str, name: str) -> Sheet:
    """Make a sheet of captions that are to be translated into *language* by hand."""
    profile = load(captions.profile or "web", language)
    return Sheet(
        proposal=proposal,
        name=name,
        source_language=captions.language,
        language=language,
        rows=_unique((_row(cue, cue, None, profile) for cue in captions.cues), proposal),
    )


def _unique(rows: Iterable[Row], proposal: str) -> tuple[Row, ...]:
    found: dict[str, Row] = {}
    for row in rows:
        if row.id in found:
            raise UsageError(
                f"{proposal} has two cues {row.id}, so nothing could be merged back by id",
                "Caption the media again; ids are unique then.",
            )
        found[row.id] = row
    return tuple(found.values())


def _row(source: Cue | None, cue: Cue, target: Cue | None, profile: Profile) -> Row:
    return Row(
        id=str(cue.id),
        source=text_of(source) if source is not None else "",
        target=text_of(target) if target is not None else "",
        styled=bool(source and source.styled) or bool(target and target.styled),
        start=cue.start,
        end=cue.end,
        speaker=cue.speaker or "",
        limits=limits(cue, profile),
        why="; ".join(dict.fromkeys((*cue.failed, *cue.flags))) if target is not None else "",
        risk=cue.risk,
    )


def text_of(cue: Cue) -> str:
    """Give the lines of a cue as one text."""
    return "\n".join(cue.lines)


def limits(cue: Cue, profile: Profile) -> str:
    """Say what a text may take up, in lines, in width, and in the time that its cue has."""
    most = int((cue.end - cue.start) * profile.reading_speed)
    lines = "1 line" if profile.lines == 1 else f"{profile.lines} lines"
    return f"at most {lines} of {profile.line_length} characters; {most} characters in {cue.end - cue.start:.2f} s"


def lines_of(text: str, *, styled: bool) -> tuple[tuple[str, ...], bool]:
    """Read a text that a person wrote: its lines, cleaned, and whether they hold markup."""
    cue = Cue(id=0, start=0.0, end=0.0, lines=tuple(text.split("\n")), confidence=1.0, styled=styled)
    return marked(runs(cue))


def by_id(rows: Sequence[Row]) -> Mapping[str, Row]:
    """Give the rows by their ids."""
    return {row.id: row for row in rows}


__all__ = [
    "DESCRIPTION",
    "LABEL",
    "Row",
    "Sheet",
    "by_id",
    "limits",
    "lines_of",
    "of_captions",
    "of_translation",
    "text_of",
]
