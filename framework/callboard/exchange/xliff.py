"""XLIFF 2.0: a unit with one segment for each text; ids are the cues', styles are paired codes.

https://docs.oasis-open.org/xliff/xliff-core/v2.0/xliff-core-v2.0.html
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from callboard_schemas import Cue
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, and ships no stubs

from callboard.errors import ExchangeError
from callboard.exchange.sheets import Row, Sheet
from callboard.strict_xml import parser as strict_parser
from callboard.timedtext.markup import Run, escape, runs, style, tagged, tidy
from callboard.timedtext.plain import one_line

XLIFF: Final = "urn:oasis:names:tc:xliff:document:2.0"
XML: Final = "http://www.w3.org/XML/1998/namespace"
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a file that is read."""

_SURE: Final = 0.5
"""Risk from which a text counts as not translated yet."""


def write(sheet: Sheet) -> bytes:
    """Write a sheet as XLIFF 2.0, UTF-8."""
    root = etree.Element(f"{{{XLIFF}}}xliff", nsmap={None: XLIFF})
    root.set("version", "2.0")
    root.set("srcLang", sheet.source_language)
    root.set("trgLang", sheet.language)
    file = etree.SubElement(root, f"{{{XLIFF}}}file", id=sheet.proposal, original=one_line(sheet.name))
    texts = [text for row in sheet.rows for text in _unit(file, row)]
    etree.indent(root, " ")  # before there are texts, in which white space counts
    for node, text, styled in texts:
        _text(node, text, styled=styled)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8")) + b"\n"


def _unit(file: etree._Element, row: Row) -> list[tuple[etree._Element, str, bool]]:
    """Add a unit; give its source and its target, still empty, with what they are to hold."""
    unit = etree.SubElement(file, f"{{{XLIFF}}}unit", id=row.id)
    notes = [
        ("time", "" if row.start is None or row.end is None else f"{row.start:.3f} to {row.end:.3f} s"),
        ("speaker", row.speaker),
        ("limits", row.limits),
        ("review", row.why),
    ]
    if any(text for _, text in notes):
        holder = etree.SubElement(unit, f"{{{XLIFF}}}notes")
        for category, text in notes:
            if text:
                etree.SubElement(holder, f"{{{XLIFF}}}note", category=category).text = one_line(text)
    state = "initial" if not row.target or row.why or (row.risk or 0.0) >= _SURE else "translated"
    segment = etree.SubElement(unit, f"{{{XLIFF}}}segment", id=row.id, state=state)
    texts = [(etree.SubElement(segment, f"{{{XLIFF}}}source"), row.source, row.styled)]
    if row.target:
        texts.append((etree.SubElement(segment, f"{{{XLIFF}}}target"), row.target, row.styled))
    return texts


def _text(node: etree._Element, text: str, *, styled: bool) -> None:
    """Fill a source or a target: styles as paired codes, line breaks as they are, white space kept."""
    node.set(f"{{{XML}}}space", "preserve")
    cue = Cue(id=0, start=0.0, end=0.0, lines=tuple(text.split("\n")), confidence=1.0, styled=styled)
    ids = itertools.count(1)
    for number, line in enumerate(runs(cue)):
        if number:
            _append(node, "\n")
        for run in line:
            _append(_codes(node, run.style, ids), run.text)


def _codes(node: etree._Element, letters: str, ids: Iterator[int]) -> etree._Element:
    for letter in letters:
        code = {"id": str(next(ids)), "type": "fmt", "subType": f"xlf:{letter}"}
        node = etree.SubElement(node, f"{{{XLIFF}}}pc", code)
    return node


def _append(node: etree._Element, text: str) -> None:
    children = list(node)
    if children:
        children[-1].tail = (children[-1].tail or "") + text
    else:
        node.text = (node.text or "") + text


def read(data: bytes, name: str) -> Sheet:
    """Read what a person sent back.

    Raises:
        ExchangeError: it is not XLIFF 2, or not of one asset.
    """
    root = _root(data, name)
    files = root.findall(f"{{{XLIFF}}}file")
    if len(files) != 1:
        raise ExchangeError(name, f"holds {len(files)} files; Callboard writes one into each")
    language = root.get("trgLang") or ""
    if not language:
        raise ExchangeError(name, "does not say which language it is translated into (trgLang)")
    rows = [_read_unit(unit, name) for unit in files[0].iter(f"{{{XLIFF}}}unit")]
    return Sheet(
        proposal=files[0].get("id") or "",
        name=files[0].get("original") or "",
        source_language=root.get("srcLang") or "",
        language=language,
        rows=tuple(rows),
    )


def _root(data: bytes, name: str) -> etree._Element:
    if len(data) > LARGEST:
        raise ExchangeError(name, f"is longer than {LARGEST // 2**20} MiB")
    try:
        root = etree.fromstring(data, strict_parser())
    except etree.XMLSyntaxError as error:
        raise ExchangeError(name, f"is not XML: {error}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise ExchangeError(name, "has a DOCTYPE, which no XLIFF needs")
    if root.tag != f"{{{XLIFF}}}xliff":
        raise ExchangeError(name, "is not XLIFF 2.0; save it as XLIFF 2.0, not 1.2")
    return root


def _read_unit(unit: etree._Element, name: str) -> Row:
    """Read a unit; a tool may have cut its text into several segments, which belong together."""
    ident = unit.get("id") or ""
    parts = list(unit.iter(f"{{{XLIFF}}}segment", f"{{{XLIFF}}}ignorable"))
    if not parts:
        raise ExchangeError(name, f"unit {ident!r} has no segment")
    source: list[Run] = []
    target: list[Run] = []
    for part in parts:
        said, put = part.find(f"{{{XLIFF}}}source"), part.find(f"{{{XLIFF}}}target")
        source += _runs(said, "") if said is not None else []
        filler = said if put is None and part.tag == f"{{{XLIFF}}}ignorable" else put
        target += _runs(filler, "") if filler is not None else []
    styled = any(run.style for run in (*source, *target))
    return Row(id=ident, source=_joined(source, styled), target=_joined(target, styled), styled=styled)


def _runs(node: etree._Element, letters: str) -> list[Run]:
    found = [Run(node.text, letters)] if node.text else []
    for child in node:
        if isinstance(child.tag, str):
            named = (child.get("subType") or "").removeprefix("xlf:")
            found += _runs(child, style(letters + named) if named in ("b", "i", "u") else letters)
        if child.tail:
            found.append(Run(child.tail, letters))
    return found


def _joined(pieces: list[Run], styled: bool) -> str:
    """Write runs as a row has them: with tags and entities where something of the row is styled."""
    return "\n".join(tagged(tidy(pieces), escape if styled else str))


__all__ = ["XLIFF", "read", "write"]
