"""``callboard placeholder again``: makes a placeholder once more from what is kept of it, and compares every byte."""

from __future__ import annotations

from pathlib import Path

import click
from callboard_schemas import Proposal
from msgspec.structs import replace

from callboard.catalog import placeholders, proposals, standins
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, print_json
from callboard.cli.placeholder_show import found
from callboard.cli.project import catalog, here, me
from callboard.cli.review import decide
from callboard.config import Project
from callboard.control import Order
from callboard.errors import UsageError


@click.command("again")
@click.argument("ident", metavar="SHOT|ID|FILE")
@json_flag
def command(ident: str, as_json: bool) -> int:
    """Make a placeholder again from its brief, seed and engine, and say whether it is the same to the byte.

    Of a SHOT the last that was asked for; of a FILE, whoever made it and wherever, what the sidecar beside it says.
    Exit code 1 where something differs; signed files always do.
    """
    from callboard.cli.requesting import request

    project = here()
    if Path(ident).is_file():
        return _of_file(Path(ident), project, as_json=as_json)
    before = found(project, ident)[-1]
    with catalog(project) as opened:
        stand = opened.read(lambda conn: standins.find(conn, before.id))
        asked = opened.read(lambda conn: standins.asked_for(conn, stand)) if stand is not None else None
        first = opened.read(lambda conn: proposals.of_job(conn, before.job))
    if asked is None:
        raise UsageError(f"what {before.id} was asked for with is not kept", "Ask for it anew.")
    asked = replace(asked, engines=(placeholders.body(before).generator,))  # each engine has a job of its own
    report = request(project, [asked], quiet=as_json)
    made = [one for asset in report.assets for job in asset.jobs for one in job.proposals]
    rows = [(one, _same_place(one, made)) for one in first]
    same = tuple(again.id for one, again in rows if again is not None and _same(one, again))
    if same:  # there is nothing to choose: what was made before stands as it did
        why = "made again, the same to the byte"
        order = Order(ids=same, by=me(), reason=why)
        decide(project, "reject", order, lambda desk, conn: desk.decide_many(conn, same, "reject", order.by, why))
    if as_json:
        print_json({"versions": [{"before": a.id, "again": b.id if b else "", "same": _same(a, b)} for a, b in rows]})
    else:
        for one, again in rows:
            body = placeholders.body(one)
            said = "[green]the same[/green]" if _same(one, again) else "[red]not the same[/red]"
            console().print(f"{cell(body.shot)} {body.generator} {body.version}: {said if again else 'not made'}")
        for asset in report.assets:
            for job in asset.jobs:
                if job.failure is not None:
                    console().print(f"{cell(job.failure.message)} [dim]{cell(job.failure.hint)}[/dim]")
    return int(not all(_same(one, again) for one, again in rows))


def _of_file(path: Path, project: Project, *, as_json: bool) -> int:
    """Make what a sidecar says again; the project need not know of it."""
    from callboard import marks
    from callboard.cli.placeholder_request import show
    from callboard.cli.requesting import request

    mark = marks.read(path)
    if mark is None or mark.made is None:
        raise UsageError(f"{path} has no sidecar that says how it was made", "Give a shot or an id of this project.")
    report = request(project, [marks.again(mark.made)], quiet=as_json)
    made = [one for asset in report.assets for job in asset.jobs for one in job.proposals]
    same = any(placeholders.body(one).digest == mark.digest for one in made)
    if as_json:
        rows = [{"before": str(path), "again": one.id, "same": same} for one in made]
        print_json({"versions": rows})
    else:
        show(report)
        console().print(f"{cell(str(path))}: {'[green]the same[/green]' if same else '[red]not the same[/red]'}")
    return int(not same)


def _same_place(one: Proposal, made: list[Proposal]) -> Proposal | None:
    wanted = placeholders.body(one)
    return next(
        (
            other
            for other in made
            if (placeholders.body(other).generator, placeholders.body(other).version)
            == (wanted.generator, wanted.version)
        ),
        None,
    )


def _same(one: Proposal, again: Proposal | None) -> bool:
    return again is not None and placeholders.body(one).digest == placeholders.body(again).digest


__all__ = ["command"]
