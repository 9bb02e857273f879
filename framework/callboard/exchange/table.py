"""CSV for people who translate in a spreadsheet: UTF-8 with a byte order mark, one row for each text."""

from __future__ import annotations

import csv
import io
from typing import Final

from callboard.errors import ExchangeError
from callboard.exchange.sheets import Row, Sheet

_TEXTS: Final = ("id", "start", "end", "speaker", "source", "target", "limits", "review")
COLUMNS: Final = (*_TEXTS, "proposal", "source_language", "language")
_NEEDED: Final = ("id", "source", "target", "proposal", "language")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet (https://owasp.org/www-community/attacks/CSV_Injection)."""
_GUARD: Final = "\u2060"
"""Word joiner: it has no width, and keeps a spreadsheet from running what was said."""


def write(sheet: Sheet) -> bytes:
    """Write a sheet as CSV (RFC 4180), with the byte order mark that spreadsheets know UTF-8 by."""
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for row in sheet.rows:
        times = ["" if at is None else f"{at:.3f}" for at in (row.start, row.end)]
        texts = [_guarded(text) for text in (row.speaker, row.source, row.target)]
        about = [sheet.proposal, sheet.source_language, sheet.language]
        rows.writerow([row.id, *times, *texts, row.limits, _guarded(row.why), *about])
    return out.getvalue().encode("utf-8-sig")


def _guarded(text: str) -> str:
    return _GUARD + text if text.startswith(_FORMULA) else text


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix(_GUARD).strip()


def read(data: bytes, name: str) -> Sheet:
    """Read what a person sent back; comma, semicolon or tab, as their spreadsheet wrote it.

    Raises:
        ExchangeError: it is not UTF-8, a column is missing, or it is of several proposals or languages.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ExchangeError(name, "is not UTF-8; save it as 'CSV UTF-8'") from None
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    try:
        found = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    except csv.Error as error:
        raise ExchangeError(name, f"is not CSV: {error}") from None
    lacking = [column for column in _NEEDED if not found or column not in found[0]]
    if lacking:
        raise ExchangeError(name, f"has no column {lacking[0]!r}; keep the first row as it is")
    proposals, languages = ({(row[column] or "").strip() for row in found} for column in ("proposal", "language"))
    if len(proposals) != 1 or len(languages) != 1:
        raise ExchangeError(name, "holds rows of several proposals or languages; give each a file of its own")
    return Sheet(
        proposal=proposals.pop(),
        name="",
        source_language=(found[0].get("source_language") or "").strip(),
        language=languages.pop(),
        rows=tuple(_row(row) for row in found),
        unmarked=True,
    )


def _row(row: dict[str, str | None]) -> Row:
    source, target = _plain(row["source"] or ""), _plain(row["target"] or "")
    return Row(id=(row["id"] or "").strip(), source=source, target=target)


__all__ = ["COLUMNS", "read", "write"]
