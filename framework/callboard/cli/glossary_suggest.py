"""``callboard glossary suggest``: words that people wrote otherwise, which may belong in the glossary."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import click
import msgspec
from callboard_schemas import Captions

from callboard.catalog import proposals
from callboard.cli.captions_corrections import corrections
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, print_json, print_table, table
from callboard.cli.project import catalog, here_or_default
from callboard.config import Project
from callboard.corrections import Correction
from callboard.cuewise import kept_cues
from callboard.glossary import Glossary, load
from callboard.glossary.changes import Suggestion, changes, suggestions
from callboard.glossary.reading import spelling
from callboard.glossary.words import piece
from callboard.timedtext.markup import text_lines


@click.command("suggest")
@click.option("--all", "everything", is_flag=True, help="Also what was reworded, not misheard.")
@json_flag
def command(everything: bool, as_json: bool) -> int:
    """List the words that people corrected, those changed most often first, and that the glossary does not know yet.

    A rewording is not listed without --all: what was heard is a word of accepted captions, or nothing like what was
    written. As a spelling of the glossary it would change every place where that word is right.
    """
    every = suggested(here_or_default())
    found = every if everything else [one for one in every if not one.rewording]
    if as_json:
        print_json({"suggestions": [msgspec.to_builtins(one) for one in found]})
        return 0
    if not found:
        more = (
            f"{count(len(every), 'rewording')} shown by --all" if every else "see 'callboard captions correct --help'"
        )
        console().print(f"No misheard word that the glossary does not know: {more}.")
        return 0
    why = ("rewording",) if everything else ()
    shown = table("no.", "heard", "written", "times", "where", *why, whole=("no.", "times"))
    for number, one in enumerate(found, 1):
        row = (str(number), cell(one.old), cell(one.new), str(one.count), cell(", ".join(one.where)))
        shown.add_row(*row, *((cell(one.rewording),) if everything else ()))
    print_table(shown)
    if not found[0].rewording:
        console().print(
            f"[dim]{count(len(found), 'suggestion')}. Take one by its number or spelling, or all that are misheard:"
            f" callboard glossary promote {cell(shlex.quote(found[0].new))}, or --all[/dim]"
        )
    return 0


def suggested(project: Project) -> list[Suggestion]:
    """Give the changes in a project's captions that its glossary does not know; what was reworded comes last."""
    corrected = corrections(project)
    found = [
        (one.name, one.after.language, change)
        for one in corrected
        if isinstance(one.after, Captions)
        for change in changes(one.before.cues, one.after.cues)
    ]
    path = project.glossary
    glossary = load(path) if path is not None and path.is_file() else Glossary()
    return [one for one in suggestions(found, ordinary(project, corrected)) if not _known(one, glossary)]


def ordinary(project: Project, corrected: Sequence[Correction]) -> frozenset[str]:
    """Give the words, folded, of accepted captions: somebody let them stand, so they are right where they stand.

    Of captions whose sidecar was edited, it is the words of that file.
    """
    if not corrected:
        return frozenset()
    edited = {one.proposal: one.after for one in corrected if one.file}
    with catalog(project) as opened:
        accepted = opened.read(lambda conn: list(proposals.accepted_captions(conn)))
    bodies = [(edited.get(one.id, one.body), one.without) for one in accepted]
    return frozenset(
        spelling(piece(word).core)
        for body, without in bodies
        if isinstance(body, Captions)
        for cue in kept_cues(body.cues, without)
        for word in " ".join(text_lines(cue)).split()
    )


def _known(one: Suggestion, glossary: Glossary) -> bool:
    return any(
        term.text == one.new
        and spelling(one.old) in {spelling(word) for word in (term.text, *term.variants, *term.sounds_like)}
        for term in glossary.of(one.language)
    )


__all__ = ["command", "ordinary", "suggested"]
