"""Looks at a timeline's file before a library does: size, depth, entities, and what a bundle holds."""

from __future__ import annotations

import xml.parsers.expat as expat
import zipfile
from pathlib import Path

import msgspec
from callboard.errors import TimelineError

MAX_BYTES = 256 * 1024 * 1024
"""A feature film's OTIO with all its metadata is some tens of MiB."""
MAX_ELEMENTS = 4_000_000
MAX_DEPTH = 256
MAX_ENTRIES = 200_000
_HOLDS = (dict, list)
_LIGHT = "Make it again in the application that it came from; if this comes back, do not trust the file."


def contents(path: Path) -> bytes:
    """Read a file whole.

    Raises:
        TimelineError: it is not there, no file, empty, or larger than any timeline.
    """
    if not path.exists():
        raise TimelineError(str(path), "is not there", "Check the name; 'callboard timeline inspect FILE' reads it.")
    if not path.is_file():
        raise TimelineError(str(path), "is not a file", "Name the timeline's file itself.")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise TimelineError(str(path), f"has {size:,} bytes; a timeline may have {MAX_BYTES:,}", _LIGHT)
    data = path.read_bytes()
    if not data.strip():
        raise TimelineError(str(path), "is empty", "Export it again.")
    return data


def text(path: Path, data: bytes) -> str:
    """Decode a text file: UTF-8 or UTF-16 with a mark, else the Latin that old systems write.

    Raises:
        TimelineError: it holds zero bytes, so it is no text.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        raise TimelineError(str(path), "is not text", "Check that its ending says what it is.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def check_json(path: Path, data: bytes) -> None:
    """Refuse what is not JSON, and nesting that a parser would have to follow down a stack.

    Raises:
        TimelineError: with the line.
    """
    try:
        found = msgspec.json.decode(data)
    except RecursionError:
        raise TimelineError(str(path), f"is nested deeper than {MAX_DEPTH} levels", _LIGHT) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TimelineError(str(path), f"{_line(data, str(error))}{error}", "Export it again.") from None
    if not isinstance(found, dict) or "OTIO_SCHEMA" not in found:
        raise TimelineError(str(path), "is JSON, but no OpenTimelineIO", 'Its first object names no "OTIO_SCHEMA".')
    level: list[dict[str, object] | list[object]] = [found]
    depth = count = 0
    while level:
        depth, count = depth + 1, count + len(level)
        if depth > MAX_DEPTH or count > MAX_ELEMENTS:
            what = f"deeper than {MAX_DEPTH} levels" if depth > MAX_DEPTH else f"of more than {MAX_ELEMENTS:,} parts"
            raise TimelineError(str(path), f"is {what}", _LIGHT)
        held = (one.values() if isinstance(one, dict) else one for one in level)
        level = [inner for values in held for inner in values if isinstance(inner, _HOLDS)]


def _line(data: bytes, problem: str) -> str:
    """Say the line that a parser's ``(byte 123)`` is on."""
    number = problem.rpartition("(byte ")[2].rstrip(")")
    return f"line {1 + data[: int(number) if number.isdigit() else len(data)].count(10)}: "


def check_xml(path: Path, data: bytes) -> str:
    """Read through XML without building anything, and give the name of its root.

    Raises:
        TimelineError: it is not well formed (with the line), declares entities, is nested too deep or too long.
    """
    parser, state = expat.ParserCreate(), {"depth": 0, "count": 0, "root": ""}

    def start(name: str, _attributes: object) -> None:
        state["root"] = state["root"] or name
        state["depth"] += 1  # type: ignore[operator]  # a dict of mixed values
        state["count"] += 1  # type: ignore[operator]  # the same
        if state["depth"] > MAX_DEPTH or state["count"] > MAX_ELEMENTS:  # type: ignore[operator]  # the same
            raise TimelineError(str(path), f"line {parser.CurrentLineNumber}: too deep or too many elements", _LIGHT)

    def end(_name: str) -> None:
        state["depth"] -= 1  # type: ignore[operator]  # the same

    def entity(*_declaration: object) -> None:
        where = f"line {parser.CurrentLineNumber}"
        raise TimelineError(str(path), f"{where}: declares entities, which no timeline needs", _LIGHT)

    parser.StartElementHandler, parser.EndElementHandler, parser.EntityDeclHandler = start, end, entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        problem = f"line {error.lineno}: {expat.errors.messages.get(error.code, 'not well formed')}"
        raise TimelineError(str(path), problem, "It is no whole XML file; export it again.") from None
    return str(state["root"])


def bundled(path: Path) -> tuple[bytes, frozenset[str]]:
    """Give an .otioz file's timeline and the names of what else is in it; nothing is unpacked to disk.

    Raises:
        TimelineError: it is no zip, has no timeline, or holds what no bundle may.
    """
    if not path.is_file():
        contents(path)
    try:
        with zipfile.ZipFile(path) as bundle:
            entries = bundle.infolist()
            for entry in entries:
                _check_entry(path, entry)
            inner = next((entry for entry in entries if entry.filename == "content.otio"), None)
            if inner is None or len(entries) > MAX_ENTRIES:
                raise TimelineError(str(path), "has no content.otio in it", "It is no .otioz; export it again.")
            if inner.file_size > MAX_BYTES:
                raise TimelineError(str(path), "its timeline unpacks to more than any has", _LIGHT)
            return bundle.read(inner), frozenset(entry.filename for entry in entries)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]  # zipfile raises it
        raise TimelineError(str(path), f"is no whole zip file: {error}", "Copy or export it again.") from None


def _check_entry(path: Path, entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or (entry.external_attr >> 28) == 0xA:
        raise TimelineError(str(path), f"its entry {name!r} leads out of the bundle", _LIGHT)


__all__ = ["MAX_BYTES", "bundled", "check_json", "check_xml", "contents", "text"]
