"""Takes a person's sheet back by cue id. Times, ids and their order are the proposal's; nothing else can move them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from callboard_schemas import Cue, Translation
from msgspec import Struct
from msgspec.structs import replace

from callboard.errors import ExchangeError
from callboard.exchange.sheets import DESCRIPTION, LABEL, Row, Sheet, by_id, lines_of
from callboard.timedtext.markup import marked, runs

_TAG: Final = re.compile(r"</?[biu]>")
NOT_TRANSLATED: Final = "nobody translated it yet"
"""Flag of a cue that stays in its own language."""


class Merged(Struct, frozen=True, kw_only=True):
    """What a sheet brought."""

    translation: Translation
    taken: tuple[str, ...]
    """Ids whose text is the person's now."""
    unchanged: tuple[str, ...] = ()
    """Ids that came back as they went out."""
    missing: tuple[str, ...] = ()
    """Ids that are not in the file, or have no text there: kept as they were."""
    moved: tuple[str, ...] = ()
    """Ids whose source says something else than here: kept as they were."""


def merge(now: Sheet, base: Translation, back: Sheet, name: str) -> Merged:
    """Merge what came back into what went out.

    Args:
        now: The sheet as it would go out today.
        base: What it is made of; where nobody translated yet, its cues hold the source text.
        back: The sheet that came back.
        name: Of the file, for errors.

    Raises:
        ExchangeError: it is in another language, an id comes twice or is none of the proposal's, or nothing is new.
    """
    if back.language.lower() != now.language.lower():
        raise ExchangeError(name, f"is in {back.language}; {now.proposal} is in {now.language}")
    ids = [row.id for row in back.rows]
    twice = sorted({ident for ident in ids if ids.count(ident) > 1})
    if twice:
        raise ExchangeError(name, f"has {', '.join(twice[:8])} more than once; nothing was taken")
    here = by_id(now.rows)
    there = {row.id: _marked(row, here.get(row.id)) if back.unmarked else row for row in back.rows}
    unknown = [ident for ident in ids if ident not in here]
    if unknown:
        raise ExchangeError(
            name,
            f"holds {', '.join(unknown[:8])}, which {now.proposal} does not; nothing was taken",
            "Export it again, and put the texts into that file.",
        )
    missing = tuple(row.id for row in now.rows if row.id not in there or not there[row.id].target)
    moved = tuple(row.id for row in now.rows if row.id not in missing and _said(there[row.id]) != _said(row))
    left = {*missing, *moved}
    unchanged = tuple(row.id for row in now.rows if row.id not in left and _put(there[row.id]) == _put(row))
    taken = tuple(row.id for row in now.rows if row.id not in {*left, *unchanged})
    if not taken and not unchanged:
        raise ExchangeError(name, "holds no text that could be taken", "Fill in the targets, then import it again.")
    return Merged(
        translation=_translated(now, base, there, {*taken, *unchanged}),
        taken=taken,
        unchanged=unchanged,
        missing=missing,
        moved=moved,
    )


def _marked(row: Row, now: Row | None) -> Row:
    """Say whether a text holds markup, where its format does not: as ours does, or as tags say that ours has not."""
    tags = now is not None and bool(_TAG.search(row.target)) and not _TAG.search(now.source)
    return replace(row, styled=tags or (now is not None and now.styled))


def _said(row: Row) -> object:
    return lines_of(row.source, styled=row.styled)


def _put(row: Row) -> object:
    return lines_of(row.target, styled=row.styled)


def _translated(now: Sheet, base: Translation, there: Mapping[str, Row], theirs: set[str]) -> Translation:
    cues = tuple(
        _cue(cue, there[str(cue.id)]) if str(cue.id) in theirs else _left(cue, by_id(now.rows)[str(cue.id)])
        for cue in base.cues
    )
    names = {row.source: there[row.id].target for row in now.rows if row.id.startswith(LABEL) and row.id in theirs}
    return replace(
        base,
        source_language=now.source_language,
        language=now.language,
        cues=cues,
        confidence=1.0,
        engine="",
        method="person",
        description=there[DESCRIPTION].target if DESCRIPTION in theirs else base.description,
        labels={**base.labels, **names},
    )


def _cue(cue: Cue, row: Row) -> Cue:
    """Put a person's text into a cue; what a machine doubted in its own text is over."""
    lines, styled = lines_of(row.target, styled=row.styled)
    plain = {"flags": (), "failed": (), "risk": None, "repairs": (), "words": (), "heard": None}
    return replace(cue, lines=lines, styled=styled, confidence=1.0, **plain)


def _left(cue: Cue, row: Row) -> Cue:
    """Keep a cue as it was; one that nobody translated says so, and does not ship unseen."""
    if row.target:
        return cue
    lines, styled = marked(runs(cue))
    return replace(cue, lines=lines, styled=styled, failed=(*cue.failed, NOT_TRANSLATED), risk=1.0)


__all__ = ["NOT_TRANSLATED", "Merged", "merge"]
