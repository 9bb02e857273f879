"""``callboard captions check``: lint subtitle files by anyone, with an exit code for scripts, and mend what is safe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import Struct

from callboard.cli.captions_fixed import Target, target_of, write_fixed
from callboard.cli.options import json_flag
from callboard.cli.output import console, count, plain, print_error, print_json
from callboard.config import find_project
from callboard.errors import SubtitleError, UsageError
from callboard.timedtext.check import Violation, check, summary
from callboard.timedtext.document import Document
from callboard.timedtext.files import read_file
from callboard.timedtext.fix import Change, fix
from callboard.timedtext.profile import Profile, load
from callboard.timedtext.rate import Rate, parse_rate
from callboard.timedtext.shotlist import Shots, read_shots
from callboard.timedtext.whereabouts import cue_lines


class _Options(Struct, frozen=True):
    profile: str
    folder: Path | None
    language: str
    rate: Rate | None
    shots: Shots
    fix: bool
    encoding: str | None


class Report(Struct, omit_defaults=True):
    """What was found in one file; *violations* are those left over where it was mended."""

    file: str
    format: str = ""
    profile: str = ""
    language: str = ""
    rate: str = ""
    cues: int = 0
    notes: list[dict[str, Any]] = []
    """Oddities of the file that reading it put right."""
    violations: list[dict[str, Any]] = []
    summary: dict[str, int] = {}
    changes: list[Change] = []
    written: str = ""
    problem: str = ""
    """Why it could not be read."""


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--profile", default="web", show_default=True, help="A delivery profile's name, or a TOML file.")
@click.option("--language", default="", help="Such as ja or pt-BR, in place of what the file says.")
@click.option("--encoding", help="In place of a guess, such as cp1251.")
@click.option("--rate", default="", help="Frames a second, such as 25, 23.976 or 29.97df.")
@click.option(
    "--shots", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The film, or a list of times."
)
@click.option("--fix", "mend", is_flag=True, help="Mend what is safe; tells what it would do unless -o or --in-place.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the mended file there.")
@click.option("--in-place", is_flag=True, help="Write over the file; what it was is kept beside it as .bak.")
@click.option("--strict", is_flag=True, help="Let warnings count as errors for the exit code.")
@json_flag
def command(
    files: tuple[Path, ...],
    profile: str,
    language: str,
    encoding: str | None,
    rate: str,
    shots: Path | None,
    mend: bool,
    output: Path | None,
    in_place: bool,
    strict: bool,
    as_json: bool,
) -> int:
    """Check subtitle FILES against a delivery profile.

    One line a breach: file:line, cue, time, rule, what is wrong. The exit code is 0 if there is no error, 1 if there
    is one or a file cannot be read, 2 for wrong usage. 'callboard captions profiles' lists profiles.
    """
    project = find_project(Path.cwd())
    folder = project.folder if project is not None else None
    load(profile, language, folder)
    frames = _rate(rate)
    target = target_of(files, mend=mend, output=output, in_place=in_place)
    given = read_shots(shots, frames) if shots else Shots(())
    options = _Options(profile, folder, language, frames, given, mend, encoding)
    reports = [_report(path, options, target, quiet=as_json) for path in files]
    errors = sum(_errors(report, strict=strict) for report in reports)
    if as_json:
        print_json({"files": reports, "errors": errors})
    elif len(files) > 1:
        console().print(f"{count(len(files), 'file')}, {count(errors, 'error')}.")
    return 1 if errors else 0


def _rate(text: str) -> Rate | None:
    if not text:
        return None
    try:
        return parse_rate(text)
    except ValueError as error:
        raise UsageError(f"--rate: {error}", "Give it as 25, 23.976, 30000/1001 or 29.97df.") from None


def _report(path: Path, options: _Options, target: Target, *, quiet: bool) -> Report:
    """Check one file, mend it if that is wanted, and tell what was found."""
    try:
        document = read_file(path, rate=options.rate, language=options.language or None, encoding=options.encoding)
    except SubtitleError as error:
        if not quiet:
            print_error(error.message, error.hint)
        return Report(file=str(path), problem=error.message)
    rate = options.rate or document.rate or options.shots.rate
    profile = load(options.profile, options.language or document.language, options.folder)
    asked: dict[str, Any] = {"shots": options.shots.times, "duration": options.shots.duration}
    cues, changes = list(document.cues), list[Change]()
    if options.fix:
        cues, changes = fix(cues, profile, rate, **asked)
    violations = check(cues, profile, rate, **asked)
    written = ""
    if changes or target.output is not None:
        written = write_fixed(path, msgspec.structs.replace(document, cues=tuple(cues)), target)
    report = _told(path, document, profile, rate, violations, changes, written)
    if not quiet:
        _print(report, rate)
    return report


def _told(
    path: Path,
    document: Document,
    profile: Profile,
    rate: Rate | None,
    violations: list[Violation],
    changes: list[Change],
    written: str,
) -> Report:
    lines = cue_lines(path, document)
    return Report(
        file=str(path),
        format=document.format,
        profile=profile.name,
        language=profile.language,
        rate=str(rate or ""),
        cues=len(document.cues),
        notes=[{"line": note.line, "text": note.text} for note in document.notes],
        violations=[{**msgspec.to_builtins(one), "line": lines[one.index]} for one in violations],
        summary=summary(violations),
        changes=changes,
        written=written,
    )


def _errors(report: Report, *, strict: bool) -> int:
    counted = [one for one in report.violations if strict or one["severity"] == "error"]
    return len(counted) + bool(report.problem) + (len(report.notes) if strict else 0)


def _print(report: Report, rate: Rate | None) -> None:
    """Print a report at once: rich takes longer over ten thousand lines than checking them does."""
    click.echo("\n".join(_lines(report, rate)))


def _lines(report: Report, rate: Rate | None) -> Iterator[str]:
    file = one_line(report.file)
    for note in report.notes:
        yield f"{file}{_line(note['line'])} {click.style('note', fg='yellow')} {one_line(note['text'])}"
    for change in report.changes:
        mended = f"{click.style('mended', fg='green')} {', '.join(change.rules)}: {one_line(change.after)}"
        yield f"{file} cue {change.cue} {mended}"
    for one in report.violations:
        severity = click.style(one["severity"], fg="red" if one["severity"] == "error" else "yellow")
        where = f"{file}{_line(one['line'])} cue {one['cue']} {clock(one['time'])}"
        yield f"{where} {severity} {one['rule']}: {one_line(one['message'])}"
    errors = len([one for one in report.violations if one["severity"] == "error"])
    warnings = count(len(report.violations) - errors, "warning")
    by = ", ".join(filter(None, (report.profile, report.language, f"{rate} fps" if rate else "")))
    yield f"{file}: {count(errors, 'error')} and {warnings} in {count(report.cues, 'cue')} ({one_line(by)})"
    if rate is None:
        yield "The frame rate is not known, so frames and shots were not looked at; --rate gives it."
    if report.written:
        yield f"Wrote {one_line(report.written)}."
    elif report.changes:
        yield "Nothing was written; -o FILE or --in-place does."


def one_line(text: str) -> str:
    """Make text safe for a terminal, on one line."""
    return text if text.isascii() and text.isprintable() else plain(text).replace("\n", " ")


def _line(line: int) -> str:
    return f":{line}" if line else ""


def clock(seconds: float) -> str:
    """Write a time as ``HH:MM:SS.mmm``."""
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02d}:{whole // 60_000 % 60:02d}:{whole // 1000 % 60:02d}.{whole % 1000:03d}"


__all__ = ["clock", "command"]
