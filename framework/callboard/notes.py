"""Lists of marker notes, as CSV or JSON: which texts they hold, and the same list with other texts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any, Final

from callboard.errors import ExchangeError

FIELDS: Final = ("note", "notes", "comment", "comments", "text", "description")
"""What the column, or the key, with the note may be called; the first one that is there, however it is cased."""
LARGEST: Final = 16 * 1024 * 1024
"""Bytes of a list that is read."""


def texts(data: bytes, name: str) -> tuple[str, ...]:
    """Give the notes of a list, each once, in order.

    Args:
        data: The file: CSV with a row of column names, or a JSON list of objects or of texts.
        name: Of the file, for errors.

    Raises:
        ExchangeError: it is neither, or no column is called as a note is.
    """
    rows, field, _ = _read(data, name)
    found = (str(row[field]).strip() for row in rows if row.get(field))
    return tuple(dict.fromkeys(text for text in found if text))


def replaced(data: bytes, name: str, called: Mapping[str, str]) -> bytes:
    """Write a list again with other notes; one that *called* does not name stays, and so does all else.

    Raises:
        ExchangeError: as ``texts``.
    """
    rows, field, mark = _read(data, name)
    for row in rows:
        text = str(row.get(field) or "").strip()
        if text in called:
            row[field] = called[text]
    if not mark:
        whole = [row[""] for row in rows] if field == "" else rows
        return json.dumps(whole, ensure_ascii=False, indent=1).encode() + b"\n"
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=mark)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8")


def _read(data: bytes, name: str) -> tuple[list[dict[str, Any]], str, str]:
    """Give the rows, the name of the field with the note, and what parts columns; nothing for JSON."""
    if len(data) > LARGEST:
        raise ExchangeError(name, f"is longer than {LARGEST // 2**20} MiB")
    try:
        text = data.decode("utf-8-sig")
        if text.lstrip().startswith("["):
            rows, mark = _objects(json.loads(text), name), ""
        else:
            first = text.partition("\n")[0]
            mark = max(",;\t", key=first.count)
            rows = [dict(row) for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=mark, strict=True)]
    except (UnicodeDecodeError, csv.Error, json.JSONDecodeError, RecursionError) as error:
        raise ExchangeError(name, f"is neither CSV nor JSON in UTF-8: {error}") from None
    if any(None in row for row in rows):
        raise ExchangeError(name, "has a row with more cells than columns")
    there = list(rows[0]) if rows else []
    field = next((key for wanted in ("", *FIELDS) for key in there if key.strip().lower() == wanted), None)
    if field is None:
        raise ExchangeError(name, "has no column for notes", f"Call it {', '.join(FIELDS[:-1])} or {FIELDS[-1]}.")
    return rows, field, mark


def _objects(found: Any, name: str) -> list[dict[str, Any]]:
    if all(isinstance(one, str) for one in found):
        return [{"": one} for one in found]
    if not all(isinstance(one, dict) for one in found):
        raise ExchangeError(name, "is a list of neither objects nor texts")
    return list(found)


__all__ = ["FIELDS", "LARGEST", "replaced", "texts"]
