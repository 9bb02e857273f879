"""Glossaries as CSV tables, for people who keep theirs in a spreadsheet.

Columns: ``text`` and, where there is something to say, ``language``, ``id``, ``variants`` and ``sounds_like`` (parted
by ``;``), ``keep`` and ``case`` (``true``), ``note``, and a column ``translation_de`` for each language.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import msgspec

from callboard.errors import GlossaryError
from callboard.glossary.terms import Glossary, Term

_PLAIN = ("text", "language", "id", "variants", "sounds_like", "keep", "case", "note")
_TONGUE = "translation_"
_YES = {"true", "yes", "y", "x", "1", "wahr", "ja", "vrai", "oui"}
_NO = {"", "false", "no", "n", "0", "falsch", "nein", "faux", "non"}


def as_csv(glossary: Glossary) -> str:
    """Write a table that ``from_csv`` reads; the synopsis and banned words are not in it."""
    tongues = sorted({tongue for term in glossary.term for tongue in term.translations})
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow([*_PLAIN, *(_TONGUE + tongue for tongue in tongues)])
    for term in glossary.term:
        table.writerow(
            [
                *(term.text, term.language or "", term.id, _cell(term.variants), _cell(term.sounds_like)),
                *("true" if yes else "" for yes in (term.keep, term.case)),
                *(term.note, *(term.translations.get(tongue, "") for tongue in tongues)),
            ]
        )
    return out.getvalue()


def _cell(words: Sequence[str]) -> str:
    return ";".join(words)


def from_csv(text: str, name: str = "table.csv") -> tuple[Term, ...]:
    """Read a table of terms; commas, semicolons or tabs may part its columns.

    Raises:
        GlossaryError: it has no column ``text`` or one that is not known, or a row says what no term may; with lines.
    """
    text = text.removeprefix("\ufeff")
    head = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=head.count))
    columns = [column.strip().lower() for column in next(reader, [])]
    if "text" not in columns:
        raise GlossaryError(name, ("line 1: there is no column 'text'",))
    strange = [column for column in columns if column not in _PLAIN and not column.startswith(_TONGUE)]
    if strange:
        raise GlossaryError(
            name, (f"line 1: unknown column {strange[0]!r}; there are {', '.join(_PLAIN)} and {_TONGUE}de",)
        )
    terms: list[Term] = []
    problems: list[str] = []
    for row in reader:
        cells = {column: cell.strip() for column, cell in zip(columns, row, strict=False) if cell.strip()}
        if not cells:
            continue
        try:
            terms.append(_term(cells))
        except (msgspec.ValidationError, ValueError) as error:
            problems.append(f"line {reader.line_num}: {error}")
    if problems:
        raise GlossaryError(name, tuple(problems))
    return tuple(terms)


def _term(cells: dict[str, str]) -> Term:
    given: dict[str, object] = {key: cells[key] for key in ("text", "language", "id", "note") if key in cells}
    for key in ("variants", "sounds_like"):
        if key in cells:
            given[key] = [word.strip() for word in cells[key].split(";") if word.strip()]
    for key in ("keep", "case"):
        told = cells.get(key, "").casefold()
        if told not in _YES | _NO:
            raise ValueError(f"{key} is {cells[key]!r}: write true or nothing")
        given[key] = told in _YES
    translations = {_tag(column): cell for column, cell in cells.items() if column.startswith(_TONGUE)}
    return msgspec.convert({**given, "translations": translations}, Term)


def _tag(column: str) -> str:
    """Give the language of a column as its tag is usually written: ``pt-BR``, ``zh-Hans``."""
    first, *rest = column.removeprefix(_TONGUE).replace("_", "-").split("-")
    return "-".join([first, *(part.upper() if len(part) == 2 else part.title() for part in rest)])


__all__ = ["as_csv", "from_csv"]
