"""Shows coverage on a terminal: the strip, a table that fits 80 columns, totals, and what to do next."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from callboard_schemas import PlaceholderRequested
from rich.cells import cell_len

from callboard.cli.output import cell, console, count, failed_cell, plain
from callboard.coverage.cut import STATES, Cut, Item
from callboard.coverage.matching import Compared
from callboard.coverage.report import Coverage
from callboard.coverage.strip import BLOCKS, COLOURS, markup
from callboard.report import RunReport

_WIDTH: Final = 80
_NAME: Final = 18
_MOST: Final = 200
"""Rows of the table on a terminal."""
_NAMED: Final = 8
_ANSI: Final = {
    name: f"\x1b[{number}m"
    for name, number in {"green": 32, "yellow": 33, "magenta": 35, "red": 31, "bright_red": 91}.items()
}


def show(
    coverage: Coverage,
    everything: bool,
    *,
    deliver: bool = False,
    asked: Sequence[PlaceholderRequested] = (),
    standing: Sequence[PlaceholderRequested] = (),
    report: RunReport | None = None,
) -> None:
    """Print coverage for people.

    Args:
        coverage: What was found.
        everything: List what is there, too.
        deliver: Say whether it may be delivered.
        asked: The placeholders that were asked for.
        standing: Those that were not, as they wait or stand in already.
        report: What became of them.
    """
    out = console()
    cut = coverage.cut
    out.print(_head(cut))
    for note in coverage.notes:
        console(stderr=True).print(f"[dim]note: {cell(note)}[/dim]")
    if not cut.items:
        out.print("There is nothing on its picture tracks.")
    else:
        wide = max(console().width, 40) if sys.stdout.isatty() else _WIDTH
        for line in markup(coverage, min(wide, 160), plain=not _draws()):
            out.print(line, soft_wrap=True)
        _table(coverage, everything, min(wide, 160))
        for line in _totals(coverage):
            out.print(line)
    if coverage.compared is not None:
        _show_list(coverage.compared)
    if deliver:
        _show_delivery(coverage)
    elif not (asked or standing) and coverage.lacking:
        out.print("[dim]--request asks for placeholders for what is missing[/dim]")
    for one in standing:
        out.print(f"{cell(_short(one.shot))}: waits or stands in already; --again asks for more")
    if report is not None:
        _show_requests(asked, report)


def _draws() -> bool:
    """Say whether the terminal has the signs of the strip."""
    try:
        "".join(BLOCKS.values()).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _head(cut: Cut) -> str:
    name = f" {cell(cut.name)}," if cut.name else ""
    size = f", {cut.width}x{cut.height}" if cut.width else ""
    if not cut.timed:
        return f"{cell(cut.path)}:{name} {count(len(cut.items), 'shot')}, without times"
    span = f"{cut.timecode(0)} to {cut.timecode(cut.frames)} ({count(cut.frames, 'frame')})"
    return f"{cell(cut.path)}:{name} {cut.rate} fps{size}, {span}"


def _table(coverage: Coverage, everything: bool, width: int) -> None:
    wanted = [
        one
        for one in coverage.cut.items
        if everything or (one.enabled and not one.covered and (one.state != "real" or one.short))
    ]
    if not wanted:
        console().print("Nothing is missing.")
        return
    rows = sorted(wanted, key=lambda one: (one.start, one.track))
    limit = _MOST if sys.stdout.isatty() else len(rows)
    for line in _lines([_row(coverage.cut, one) for one in rows[:limit]], width):
        sys.stdout.write(line)
    if len(rows) > limit:
        console().print(f"and {len(rows) - limit} more; --json lists them all")


class _Row(NamedTuple):
    cells: tuple[str, ...]
    why: str
    colour: str


def _row(cut: Cut, item: Item) -> _Row:
    what = "short" if item.state == "real" and item.short else item.state
    why = item.problem or (f"known by {item.by}" if item.by not in ("", "cut") else "")
    why = why or (f"proposal {item.stands}" if item.stands else "")
    why = "another track covers it" if item.covered else why
    why = why if item.enabled else "; ".join(filter(None, ("switched off", why)))
    guess = "?" if "shot" in item.guesses else ""
    name = f"{_short(item.shot or item.name)}{guess}"
    cells = (_short(item.ref), what, cut.timecode(item.start), str(item.frames or ""), name)
    return _Row(cells, plain(why).replace("\n", " "), "yellow" if what == "short" else COLOURS[item.state])


def _lines(rows: Sequence[_Row], width: int) -> Iterator[str]:
    """Lay the table out; a long reason goes on in its own column. Rich takes seconds for thousands of rows."""
    heads = ("at", "what", "timecode", "frames", "shot")
    wide = [max(len(head), *(cell_len(row.cells[at]) for row in rows)) for at, head in enumerate(heads)]
    before = sum(wide) + len(wide)
    room = max(width - before, 20)
    coloured = sys.stdout.isatty() and not console().no_color
    yield " ".join((*(_padded(head, wide[at]) for at, head in enumerate(heads)), "why")).rstrip() + "\n"
    for row in rows:
        cells = [_padded(text, wide[at]) for at, text in enumerate(row.cells)]
        if coloured:
            cells[1] = f"{_ANSI[row.colour]}{cells[1]}\x1b[0m"
        first, *more = textwrap.wrap(row.why, room) or [""]
        yield " ".join((*cells, first)).rstrip() + "\n"
        for line in more:
            yield f"{' ' * before}{line}\n"


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _short(name: str) -> str:
    name = plain(name).replace("\n", " ")
    return name if len(name) <= _NAME else f"{name[: _NAME // 2]}…{name[1 - _NAME // 2 :]}"


def _totals(coverage: Coverage) -> Iterator[str]:
    for state in STATES:
        one = coverage.totals[state]
        name = f"[{COLOURS[state]}]{state}[/{COLOURS[state]}]{' ' * (9 - len(state))}"
        if coverage.cut.timed and (one.frames or one.items):
            times = f"{_seconds(one.seconds):>12} {one.frames:>8} frames {one.percent:>6.2f} %"
            yield f"{name}{times}  {count(one.items, 'item')}"
        elif one.items:
            yield f"{name}{count(one.items, 'shot')}"


def _seconds(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f} min {rest:.1f} s" if minutes else f"{rest:.1f} s"


def _show_list(found: Compared) -> None:
    out = console()
    for names, words in (
        (found.absent, "not in the cut"),
        (found.unknown, "not in the list"),
        (found.longer, "longer in the cut than in the list"),
    ):
        if names:
            listed = ", ".join(cell(_short(one)) for one in names[:_NAMED])
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            out.print(f"[yellow]{words}:[/yellow] {listed}{more}")
    if not (found.absent or found.unknown or found.longer):
        out.print(f"All {count(found.shots, 'shot')} of {cell(found.file)} are in the cut, and no other.")


def _show_delivery(coverage: Coverage) -> None:
    bad = coverage.undelivered
    if coverage.ready:
        console().print("[green]ready to deliver[/green]: every picture is the real shot, whole")
        return
    words = ", ".join(
        f"{number} {state}"
        for state in STATES
        if (number := sum(one.state == state for one in bad)) and state != "real"
    )
    console().print(f"[red]not ready to deliver[/red]: {words or 'it shows nothing'}")


def _show_requests(asked: Sequence[PlaceholderRequested], report: RunReport) -> None:
    out = console()
    made = [proposal for one in report.assets for job in one.jobs for proposal in job.proposals]
    for one, became in zip(asked, report.assets, strict=False):
        for job in became.jobs:
            if job.failure is not None:
                out.print(f"{cell(_short(one.shot))}: {failed_cell(job.state, job.failure)}")
        if became.state == "nothing":
            out.print(f"{cell(_short(one.shot))}: no plugin makes placeholders; 'callboard plugins list' shows why")
    out.print(
        f"run {report.run}: {count(len(asked), 'placeholder')} asked for, {count(len(made), 'version')} made so far"
    )
    if len(made) < len(asked) and report.ok:
        out.print("[dim]the board makes them; 'callboard status' shows how far it is[/dim]")
    if made:
        out.print("[dim]'callboard inbox' lists them, 'callboard placeholder show SHOT' compares versions[/dim]")


__all__ = ["show"]
