"""Reads and writes subtitle files of every format; each format is a module that is imported when it is asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from callboard_schemas import Cue
from msgspec import Struct
from msgspec.structs import replace

from callboard.errors import SubtitleError, UsageError
from callboard.timedtext.document import Document
from callboard.timedtext.formats.decoding import text_of
from callboard.timedtext.formats.reading import LARGEST, Reading
from callboard.timedtext.markup import runs
from callboard.timedtext.rate import Rate


class Format(Struct, frozen=True, kw_only=True):
    """What a format is called, and what it can hold."""

    name: str
    title: str
    endings: tuple[str, ...]
    """File name endings, lower case, the one that is written first."""
    reads: bool = True
    writes: bool = True
    coarse: float = 0.0
    """Seconds by which a time may be off because the format rounds it."""
    speakers: bool = True
    positions: bool = True
    styles: bool = True
    extra: str = ""
    """The library that it needs, which the extra ``caption`` brings."""


FORMATS: Final = {
    one.name: one
    for one in (
        Format(name="srt", title="SubRip", endings=(".srt",), coarse=0.001, speakers=False),
        Format(name="vtt", title="WebVTT", endings=(".vtt", ".webvtt"), coarse=0.001),
        Format(
            name="ttml",
            title="TTML, IMSC 1.1 text",
            endings=(".ttml", ".dfxp", ".itt", ".imsc", ".xml"),
            coarse=0.001,
            extra="ttconv",
        ),
        Format(name="ass", title="Advanced SubStation Alpha", endings=(".ass", ".ssa"), coarse=0.005, extra="pysubs2"),
        Format(name="stl", title="EBU STL", endings=(".stl",), writes=False, extra="ttconv"),
        Format(name="txt", title="transcript", endings=(".txt",), reads=False, positions=False, styles=False),
        Format(name="json", title="JSON with words", endings=(".json",)),
    )
}
"""Every format by its name."""
_ENOUGH: Final = 1.2
"""A time within so many roundings of a frame is taken for that frame."""


def format_of(name: str, data: bytes = b"") -> str:
    """Say which format a file is, by its ending, else by how it begins; an empty string if neither tells."""
    ending = Path(name).suffix.lower()
    for one in FORMATS.values():
        if ending in one.endings and one.reads:
            return one.name
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"WEBVTT"):
        return "vtt"
    if head[3:6] == b"STL" and len(data) >= 1024:
        return "stl"
    if head[:1] == b"<":
        return "ttml"
    if head[:1] == b"{":
        return "json"
    if b"[script info]" in head.lower():
        return "ass"
    return "srt" if b"-->" in head.replace(b"\0", b"") else ""


def read(
    data: bytes,
    name: str,
    *,
    rate: Rate | None = None,
    language: str | None = None,
    encoding: str | None = None,
) -> Document:
    """Read a subtitle file.

    Args:
        data: the whole file.
        name: of the file; says the format and perhaps the language, and stands in errors and nowhere else.
        rate: frames per second where the file does not say them.
        language: BCP 47, in place of what the file or its name says.
        encoding: in place of a guess, such as ``cp1251``.

    Raises:
        SubtitleError: it cannot be read; the error names the file and the line.
        MissingExtra: its format needs a library that is not installed.
    """
    from callboard.beside import read_name  # here, because it brings the sources along, which writers do not need

    kind = format_of(name, data)
    if not kind:
        known = ", ".join(one.name for one in FORMATS.values() if one.reads)
        raise SubtitleError(name, "is of no format that is known", hint=f"Known are {known}.")
    reading = Reading(name, rate)
    if kind == "json":
        from callboard.timedtext.formats.words import read_words

        found = read_words(data, reading)
        return replace(found, format=kind, language=language or found.language, rate=found.rate or rate)
    _read(kind, data, reading, encoding)
    cues = reading.cues()
    if reading.rate is not None:
        cues = tuple(_on_frames(cue, reading.rate, FORMATS[kind].coarse) for cue in cues)
    return Document(
        cues=cues,
        language=language or reading.language or read_name(os.fsencode(name)).language,
        rate=reading.rate,
        start=reading.start,
        title=reading.title,
        format=kind,
        notes=tuple(sorted(set(reading.notes))),
    )


def read_file(
    path: Path, *, rate: Rate | None = None, language: str | None = None, encoding: str | None = None
) -> Document:
    """Read a subtitle file from disk, and not more of it than a subtitle file may have.

    Raises:
        OSError: it cannot be opened.
        SubtitleError: see ``read``.
        MissingExtra: see ``read``.
    """
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    return read(data, path.name, rate=rate, language=language, encoding=encoding)


def _read(kind: str, data: bytes, reading: Reading, encoding: str | None) -> None:
    if kind == "ttml":
        from callboard.timedtext.formats.ttml import read_ttml

        read_ttml(data, reading, encoding)
    elif kind == "stl":
        from callboard.timedtext.formats.stl import read_stl

        read_stl(data, reading)
    elif kind == "ass":
        from callboard.timedtext.formats.ass import read_ass

        read_ass(text_of(data, reading, encoding), reading)
    elif kind == "vtt":
        from callboard.timedtext.formats.vtt import read_vtt

        read_vtt(text_of(data, reading, encoding), reading)
    else:
        from callboard.timedtext.formats.srt import read_srt

        read_srt(text_of(data, reading, encoding), reading)


def _on_frames(cue: Cue, rate: Rate, coarse: float) -> Cue:
    """Move times that a format rounded back to the frame that they name."""
    start, end = (
        snapped if abs(snapped - time) <= coarse * _ENOUGH + 1e-6 else time
        for time, snapped in ((time, rate.snap(time)) for time in (cue.start, cue.end))
    )
    return replace(cue, start=start, end=end)


def write(document: Document, format: str) -> bytes:  # noqa: A002 - it is what the argument is
    """Write a document.

    Args:
        document: what to write; cues without text are left out, the rest stand by start.
        format: a name of ``FORMATS``.

    Raises:
        UsageError: no such format, or one that is read only.
        SubtitleError: the format cannot say a time.
        MissingExtra: the format needs a library that is not installed.
    """
    known = FORMATS.get(format)
    if known is None or not known.writes:
        which = ", ".join(one.name for one in FORMATS.values() if one.writes)
        problem = "is read only: no maintained library writes it" if known else "is no format of subtitles"
        raise UsageError(f"{format!r} {problem}", f"Written are {which}.")
    cues, language, title = document.cues, document.language, document.title
    if format == "srt":
        from callboard.timedtext.formats.srt import srt

        return srt(cues)
    if format == "vtt":
        from callboard.timedtext.formats.vtt import vtt

        return vtt(cues, language, title)
    if format == "ttml":
        from callboard.timedtext.formats.ttml_write import ttml

        return ttml(cues, language, title, document.rate)
    if format == "ass":
        from callboard.timedtext.formats.ass import ass

        return ass(cues, language, title)
    if format == "txt":
        from callboard.timedtext.formats.transcript import transcript

        return transcript(cues, language, title)
    from callboard.timedtext.formats.words import words

    return words(document)


def losses(document: Document, format: str) -> tuple[str, ...]:  # noqa: A002 - it is what the argument is
    """Say in words what of a document a format cannot hold; nothing where it holds all."""
    known = FORMATS[format]
    if known.name == "json":
        return ()
    found = []
    cues = document.cues
    if not known.speakers and (count := sum(bool(cue.speaker) for cue in cues)):
        found.append(f"who speaks, in {count} of {len(cues)} cues")
    if not known.positions and (count := sum(cue.align not in (None, 2) for cue in cues)):
        found.append(f"positions, in {count} of {len(cues)} cues")
    if known.name != "vtt" and (count := sum(bool(cue.settings) for cue in cues)):
        found.append(f"exact WebVTT settings, in {count} of {len(cues)} cues (the position is kept where it has one)")
    if not known.styles and (count := sum(any(run.style for line in runs(cue) for run in line) for cue in cues)):
        found.append(f"italics and the like, in {count} of {len(cues)} cues")
    if any(cue.words for cue in cues):
        found.append("the times of words")
    if known.name in ("srt", "ass", "txt") and any(cue.language for cue in cues):
        found.append("which cues are in another language")
    if document.start:
        found.append(f"the timecode of the first frame, {document.start}")
    return tuple(found)


__all__ = ["FORMATS", "Format", "format_of", "losses", "read", "read_file", "write"]
