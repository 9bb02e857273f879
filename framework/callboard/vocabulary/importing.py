"""Vocabularies out of other programs: CSV tables, and the keyword text files of Lightroom and Photo Mechanic.

A keyword file is a tree by indentation. ``{word}`` below a keyword is its synonym; ``[word]`` only orders what is below
it and is not exported with pictures (https://helpx.adobe.com/lightroom-classic/help/keywords.html).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from callboard.errors import UsageError
from callboard.vocabulary.concepts import Concept, Words
from callboard.vocabulary.drafting import Draft, Drafted
from callboard.vocabulary.words import fold

Format = Literal["csv", "keywords"]
_MOST = 32 * 1024 * 1024
_LONGEST = 200
_LISTS = {"synonyms", "prompts", "analysers"}
_COLUMNS = {"id", "label", "parent", "threshold", "category", "note", *_LISTS}
_OTHER_NAMES = {
    "keyword": "label",
    "name": "label",
    "term": "label",
    "concept": "label",
    "broader": "parent",
    "synonym": "synonyms",
    "aliases": "synonyms",
    "alt": "synonyms",
    "prompt": "prompts",
    "scope note": "note",
    "description": "note",
    "notes": "note",
}
_TRUE = {"1", "true", "yes", "x", "y"}
_LANGUAGE = re.compile(r"^(label|synonyms)\s*[:_ .\-\[(]\s*([a-z]{2,3}(?:-[a-z0-9]{2,8})*)\s*[\])]?$")


def read_list(path: Path, kind: Format | None = None) -> Drafted:
    """Read a list of concepts, however it is encoded.

    Args:
        path: The file.
        kind: ``csv`` or ``keywords``; ``None`` goes by the name and then by what is in it.

    Raises:
        UsageError: there is nothing in it that could be a concept.
        OSError: it cannot be read.
    """
    if path.stat().st_size > _MOST:
        raise UsageError(f"{path}: larger than {_MOST // 2**20} MiB", "Split it and import the parts.")
    text, note = decoded(path.read_bytes())
    chosen = kind or ("csv" if path.suffix.lower() in (".csv", ".tsv") else "keywords")
    draft = from_csv(text) if chosen == "csv" else from_keywords(text)
    if note:
        draft.notes.insert(0, note)
    done = draft.finish()
    if not done.vocabulary.concepts:
        raise UsageError(
            f"{path}: no concept in it", f"It was read as {chosen}; --format says otherwise. {' '.join(done.notes[:3])}"
        )
    return done


def decoded(data: bytes) -> tuple[str, str]:
    """Give a file's text, by its byte order mark, else as UTF-8, UTF-16 or Windows-1252; and a note on a guess."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(name, "replace"), ""
    pairs = data[: len(data) // 2 * 2]
    for name, zeros in (("utf-16-le", pairs[1::2]), ("utf-16-be", pairs[::2])):
        if zeros and zeros.count(0) > len(zeros) * 0.4:  # text of Latin letters has a zero in every second byte
            return data.decode(name, "replace"), f"it has no byte order mark; read as {name.upper()}"
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        return data.decode("cp1252", "replace"), f"it is not UTF-8 (byte {error.start}); read as Windows-1252"


def from_keywords(text: str) -> Draft:
    """Read a keyword tree."""
    draft = Draft()
    above: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        word = line.strip().strip("\ufeff").strip()
        if not word:
            continue
        indent = len(line) - len(line.lstrip())
        while above and above[-1][0] >= indent:
            above.pop()
        parent = above[-1][1] if above else ""
        if word.startswith("{") and word.endswith("}"):
            _take_synonym(draft, parent, word[1:-1].strip(), number)
            continue
        category = word.startswith("[") and word.endswith("]")
        label = word[1:-1].strip() if category else word
        if not fold(label) or len(label) > _LONGEST:
            draft.note(number, f"{word[:60]!r} is {'too long for' if label else 'not'} a keyword; left out")
            continue
        ident = draft.child(label, parent)
        if not ident:
            ident = draft.new_id(label, parent)
            draft.add(Concept(id=ident, label=label, parent=parent, category=category), number)
        above.append((indent, ident))
    return draft


def _take_synonym(draft: Draft, parent: str, word: str, number: int) -> None:
    if not parent:
        draft.note(number, f"synonym {word!r} stands below no keyword; left out")
    elif not fold(word) or len(word) > _LONGEST:
        draft.note(number, f"synonym {word[:60]!r} is empty or too long; left out")
    else:
        draft.synonym(parent, word)


def from_csv(text: str) -> Draft:
    """Read a table whose first row names its columns."""
    draft = Draft()
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=_delimiter(text))
    header = next(reader, [])
    columns = [_column(name) for name in header]
    for name, column in zip(header, columns, strict=True):
        if name.strip() and not column:
            draft.note(1, f"column {name.strip()!r} is not known; left out")
    if "label" not in columns:
        draft.note(1, "no column is called label")
        return draft
    for row in reader:
        if any(value.strip() for value in row):
            values = {
                column: value.strip() for column, value in zip(columns, row, strict=False) if column and value.strip()
            }
            _take_row(draft, values, reader.line_num)
    draft.parents()
    return draft


def _take_row(draft: Draft, values: Mapping[str, str], line: int) -> None:
    label = values.get("label", "")
    if not fold(label):
        draft.note(line, "no label; left out")
        return
    plain = {
        "id": re.sub(r"[\s|<>{}\[\]]+", "-", values["id"]) if values.get("id") else draft.new_id(label),
        "label": label,
        "parent": values.get("parent", ""),
        "note": values.get("note", ""),
        "category": values.get("category", "").lower() in _TRUE,
        "languages": _languages(values),
        **{name: _parts(values.get(name, "")) for name in _LISTS},
    }
    if values.get("threshold"):
        try:
            plain["threshold"] = float(values["threshold"].replace(",", "."))
        except ValueError:
            draft.note(line, f"{label!r}: threshold {values['threshold']!r} is not a number; left out")
    try:
        draft.add(msgspec.convert(plain, Concept), line)
    except msgspec.ValidationError as error:
        draft.note(line, f"{label[:60]!r}: {error}; left out")


def _languages(values: Mapping[str, str]) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for column, value in values.items():
        kind, _, tongue = column.partition(":")
        if tongue:
            found.setdefault(tongue, {})[kind] = value if kind == "label" else _parts(value)
    return found


def _column(name: str) -> str:
    """Say which column a header means: ``label``, ``synonyms:de``; empty for one that is not known."""
    plain = " ".join(name.strip().lower().split())
    plain = _OTHER_NAMES.get(plain, plain)
    if plain in _COLUMNS:
        return plain
    found = _LANGUAGE.match(plain)
    return f"{found[1]}:{_tongue(found[2])}" if found else ""


def _tongue(tag: str) -> str:
    """Write a language tag as people do: ``pt-BR``, ``zh-Hant`` (RFC 5646, section 2.1.1)."""
    first, *rest = tag.split("-")
    return "-".join(
        [first, *(part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in rest)]
    )


def _parts(value: str) -> tuple[str, ...]:
    """Split a list in one cell: by ``;``, or by ``|`` where there is one."""
    return tuple(part.strip() for part in re.split(r"\|" if "|" in value else ";", value) if part.strip())


def _delimiter(text: str) -> str:
    """Say what separates columns: what comes most often in the first line, outside of quotes."""
    first = re.sub(r'"[^"]*"', "", text.split("\n", 1)[0])
    return max((",", ";", "\t"), key=first.count)


__all__ = ["Format", "Words", "decoded", "from_csv", "from_keywords", "read_list"]
