"""``callboard captions export``: accepted captions and translations from the catalog, in any format."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import click
from callboard_schemas import Captions, Proposal, Translation
from msgspec.structs import replace

from callboard.catalog import journal, proposals
from callboard.cli.captions_convert import save, tell
from callboard.cli.output import cell, console, count
from callboard.cli.project import catalog, here_or_default
from callboard.config import Project
from callboard.cuewise import kept_cues
from callboard.daemon import watched_root
from callboard.errors import UsageError
from callboard.following import LOCAL_ROOT
from callboard.timedtext.document import Result, of_result
from callboard.timedtext.files import FORMATS, losses, write

_WRITTEN = [one.name for one in FORMATS.values() if one.writes]


@click.command("export")
@click.argument("what", metavar="PATH|ID")
@click.option("--format", "kind", type=click.Choice(_WRITTEN), required=True)
@click.option("--language", help="Which one, where there are several; BCP 47.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write there; not over a file.")
def command(what: str, kind: str, language: str | None, output: Path | None) -> int:
    """Write the accepted captions of the media at PATH, or the accepted proposal ID, on stdout or into a new file."""
    project = here_or_default()
    with catalog(project) as opened:
        found = opened.read(lambda conn: _found(project, conn, what))
    made = _chosen(what, found, language)
    document = of_result(made)
    save(write(document, kind), output)
    tell(what, (), kind, losses(document, kind))
    if output is not None:
        console(stderr=True).print(f"Wrote {count(len(document.cues), 'cue')} into {cell(str(output))}.")
    return 0


def of_path(project: Project, conn: sqlite3.Connection, what: str) -> list[Proposal] | None:
    """Give every proposal for the media at a path, oldest first; ``None`` where no such media is known."""
    absolute = os.path.abspath(os.fsencode(what))
    root, relative = watched_root(project, absolute) or (LOCAL_ROOT, absolute.lstrip(b"/"))
    seen = journal.place(conn, root, relative)
    return None if seen is None else proposals.of_digest(conn, seen.digest)


def _found(project: Project, conn: sqlite3.Connection, what: str) -> list[Proposal]:
    seen = of_path(project, conn, what)
    if seen is not None:
        return seen
    idents = proposals.resolve(conn, what)
    if len(idents) == 1:
        one = proposals.get(conn, idents[0])
        return [one] if one is not None else []
    if idents:
        raise UsageError(f"{what!r} is the start of several ids: {', '.join(idents)}", "Type more of it.")
    raise UsageError(
        f"{what}: neither media that was processed nor a proposal", "'callboard inbox' lists proposals that wait."
    )


def _chosen(what: str, found: list[Proposal], language: str | None) -> Result:
    """Give what was accepted in the language that was asked for; speech counts before a translation."""
    spoken: dict[str, Result] = {}
    waiting = ""
    for kind in (Translation, Captions):
        for proposal in found:
            body = proposal.body
            if not isinstance(body, kind) or (kind is Translation and not body.cues):
                continue
            if proposal.state == "accepted":
                spoken[body.language] = replace(body, cues=kept_cues(body.cues, proposal.without))
            elif proposal.state == "proposed":
                waiting = proposal.id
    if not spoken:
        hint = f"Accept them first: callboard accept {waiting}" if waiting else "'callboard explain PATH' says why."
        raise UsageError(f"{what} has no accepted captions", hint)
    if language is not None and language not in spoken:
        raise UsageError(f"{what} has no accepted captions in {language!r}", f"There are {', '.join(sorted(spoken))}.")
    if language is None and len(spoken) > 1:
        raise UsageError(f"{what} has captions in {', '.join(sorted(spoken))}", "Say which with --language.")
    return spoken[language] if language is not None else next(iter(spoken.values()))


__all__ = ["command", "of_path"]
