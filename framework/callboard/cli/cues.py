"""Shows the cues of a proposal: those that a person must look at first, with the time and the reasons."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from callboard_schemas import Captions, Cue, Proposal, Translation

from callboard.cli.output import cell, console, count, print_table, table

_SHOWN = 30
"""Cues listed on a terminal; a pipe gets all of them."""


def clock(seconds: float) -> str:
    """Write a time as ``0:01:02.345``."""
    ms = round(seconds * 1000)
    minutes, ms = divmod(ms, 60_000)
    return f"{minutes // 60}:{minutes % 60:02d}:{ms // 1000:02d}.{ms % 1000:03d}"


def in_order(cues: Sequence[Cue]) -> list[Cue]:
    """Put what a person should look at first first: failed cues, then by risk, then those with flags, then by time."""
    return sorted(cues, key=lambda cue: (not cue.failed, -(cue.risk or 0.0), not cue.flags, cue.start, cue.id))


def reasons(cue: Cue) -> str:
    """Say why a cue should be looked at."""
    return "; ".join(dict.fromkeys((*cue.failed, *cue.flags)))


def show_cues(made: Proposal, source: Mapping[int, str] | None = None) -> None:
    """Print the cues of a proposal as a table, and what to do next."""
    body = made.body
    assert isinstance(body, Captions | Translation)
    cues = in_order(body.cues)
    on_terminal = sys.stdout.isatty()
    listed = cues[:_SHOWN] if on_terminal else cues
    with_source = bool(source)
    columns = ["cue", "time", "risk", *(["source"] if with_source else []), "text", "look at it because"]
    shown = table(*columns, whole=("cue", "time", "risk"))
    for cue in listed:
        mark = "[dim](left out)[/dim] " if str(cue.id) in made.without else ""
        why = f"[red]{cell(reasons(cue))}[/red]" if cue.failed else cell(reasons(cue))
        risk = "" if cue.risk is None else f"{cue.risk:.2f}"
        said = [cell((source or {}).get(cue.id, ""))] if with_source else []
        shown.add_row(str(cue.id), clock(cue.start), risk, *said, mark + cell(" / ".join(cue.lines)), why)
    if cues:
        print_table(shown)
    out = console()
    if len(listed) < len(cues):
        out.print(f"  and {len(cues) - len(listed)} more; piped or with --json all are shown")
    if isinstance(body, Translation):
        _show_texts(body)
    _show_next(made, cues)


def _show_texts(body: Translation) -> None:
    if body.description:
        console().print(f"description: {cell(body.description)}")
    if body.labels:
        shown = table("text", f"in {body.language}")
        for label, called in body.labels.items():
            shown.add_row(cell(label), cell(called))
        print_table(shown)


def _show_next(made: Proposal, cues: Sequence[Cue]) -> None:
    out = console()
    failed = [cue for cue in cues if cue.failed and str(cue.id) not in made.without]
    if failed:
        must = "must be looked at before it ships" if len(failed) == 1 else "must be looked at before they ship"
        out.print(f"{count(len(failed), 'cue')} {must}.")
    if made.state == "accepted":
        single = f"callboard reject {made.id} --cue N leaves a cue out"
        out.print(f"[dim]accepted; {single}[/dim]" if cues else "[dim]accepted[/dim]")
    elif made.state == "proposed":
        without = f"; callboard accept {made.id} --without-cue {_first(failed, cues)} leaves cues out" if cues else ""
        out.print(f"[dim]callboard accept {made.id}, or reject{without}[/dim]")
        if isinstance(made.body, Translation) and cues:
            out.print(f"[dim]callboard exchange export {made.id} --format xliff gives it to a translator[/dim]")
    else:
        out.print(f"[dim]{made.state}[/dim]")


def _first(failed: Sequence[Cue], cues: Sequence[Cue]) -> str:
    return ",".join(str(cue.id) for cue in (failed or cues)[:3])


__all__ = ["clock", "in_order", "reasons", "show_cues"]
