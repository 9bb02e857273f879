"""``callboard captions convert``: a subtitle file in another format, moved in time or not."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, print_json
from callboard.errors import UsageError
from callboard.timedtext.document import Document, Note, shifted
from callboard.timedtext.files import FORMATS, format_of, losses, read_file, write
from callboard.timedtext.rate import Rate, parse_rate

_SHOWN = 20
"""Notes printed; ``--json`` has all."""
_CLOCK = re.compile(r"(\d{1,3}):([0-5]?\d):([0-5]?\d)(?:[.,](\d{1,3}))?")
_SECONDS = re.compile(r"(\d{1,6})(?:[.,](\d{1,3}))?s?")
_WRITTEN = [one.name for one in FORMATS.values() if one.writes]


@click.command("convert")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "wanted", type=click.Choice(_WRITTEN), help="The format; else the name of OUT says.")
@click.option("--rate", help="Frames per second, such as 25, 23.976 or 29.97df, where FILE does not say.")
@click.option("--offset", metavar="[-]TC", help="Move every time: timecode, HH:MM:SS.mmm or seconds.")
@click.option("--language", help="BCP 47, in place of what FILE or its name says.")
@click.option("--encoding", help="In place of a guess, such as cp1251.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write there; not over a file.")
@json_flag
def command(
    file: Path,
    wanted: str | None,
    rate: str | None,
    offset: str | None,
    language: str | None,
    encoding: str | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """Write the subtitles of FILE in another format, on stdout or into a new file.

    What was odd in FILE, and what the format cannot hold, is said on stderr.
    """
    kind = _format(wanted, output)
    if as_json and output is None:
        raise UsageError("with --json the subtitles cannot go to stdout", "Give a file with -o.")
    document = read_file(file, rate=given_rate(rate), language=language, encoding=encoding)
    if offset:
        document = _moved(document, offset)
    lost = losses(document, kind)
    save(write(document, kind), output)
    if as_json:
        print_json(
            {
                "file": str(file),
                "from": document.format,
                "to": kind,
                "cues": len(document.cues),
                "language": document.language,
                "rate": str(document.rate or ""),
                "notes": [{"line": note.line, "text": note.text} for note in document.notes],
                "lost": lost,
            }
        )
        return 0
    tell(str(file), document.notes, kind, lost)
    if output is not None:
        console(stderr=True).print(f"Wrote {count(len(document.cues), 'cue')} into {cell(str(output))}.")
    return 0


def given_rate(text: str | None) -> Rate | None:
    """Read ``--rate``.

    Raises:
        UsageError: it is no frame rate.
    """
    try:
        return parse_rate(text) if text else None
    except ValueError as error:
        raise UsageError(str(error), "Such as 25, 23.976, 29.97 or 29.97df.") from None


def save(data: bytes, output: Path | None) -> None:
    """Write to stdout, or into a file that is not there yet.

    Raises:
        UsageError: it is there.
    """
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        with output.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise UsageError(f"{output} is there already", "Give another name; nothing is overwritten.") from None


def tell(name: str, notes: tuple[Note, ...], kind: str, lost: tuple[str, ...]) -> None:
    """Say on stderr what was odd, and what a format cannot hold."""
    err = console(stderr=True)
    for note in notes[:_SHOWN]:
        where = f"{name}:{note.line}" if note.line else name
        err.print(f"[dim]{cell(where)}: {cell(note.text)}[/dim]")
    if len(notes) > _SHOWN:
        err.print(f"[dim]… and {len(notes) - _SHOWN} more; --json has all[/dim]")
    for what in lost:
        err.print(f"[yellow]{kind} cannot hold {cell(what)}[/yellow]")


def _format(wanted: str | None, output: Path | None) -> str:
    named = format_of(output.name) if output is not None else ""
    if output is not None and output.suffix.lower() == ".txt":
        named = "txt"
    kind = wanted or named
    if not kind:
        raise UsageError("in which format?", f"Give --to with one of {', '.join(_WRITTEN)}.")
    return kind


def _moved(document: Document, offset: str) -> Document:
    text = offset.strip()
    sign = -1 if text.startswith("-") else 1
    try:
        return shifted(document, sign * _seconds(text.lstrip("+-"), document.rate))
    except ValueError as error:
        raise UsageError(f"--offset {offset}: {error}", "Such as 00:00:01.500, -01:00:00:00 or 1.5.") from None


def _seconds(text: str, rate: Rate | None) -> float:
    found = _CLOCK.fullmatch(text)
    if found is not None:
        whole = (int(found[1]) * 60 + int(found[2])) * 60 + int(found[3])
        return whole + int((found[4] or "0").ljust(3, "0")) / 1000
    found = _SECONDS.fullmatch(text)
    if found is not None:
        return int(found[1]) + int((found[2] or "0").ljust(3, "0")) / 1000
    if rate is None:
        raise ValueError("frames are counted, and no frame rate is known; give --rate")
    return rate.seconds(rate.frame_of(text))


__all__ = ["command", "given_rate", "save", "tell"]
