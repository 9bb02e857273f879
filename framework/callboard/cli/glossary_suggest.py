"""``callboard glossary suggest``: words that people wrote otherwise, which may belong in the glossary."""

from __future__ import annotations

import shlex

import click
import msgspec
from callboard_schemas import Captions

from callboard.cli.captions_corrections import corrections
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, print_json, print_table, table
from callboard.cli.project import here_or_default
from callboard.config import Project
from callboard.glossary import Glossary, load
from callboard.glossary.changes import Suggestion, changes, suggestions
from callboard.glossary.reading import spelling


@click.command("suggest")
@click.option("--all", "everything", is_flag=True, help="Also what was reworded, not misheard.")
@json_flag
def command(everything: bool, as_json: bool) -> int:
    """List the words that people corrected, those changed most often first, and that the glossary does not know yet."""
    found = suggested(here_or_default(), everything=everything)
    if as_json:
        print_json({"suggestions": [msgspec.to_builtins(one) for one in found]})
        return 0
    if not found:
        hidden = 0 if everything else len(suggested(here_or_default(), everything=True))
        more = f"{count(hidden, 'rewording')} shown by --all" if hidden else "see 'callboard captions correct --help'"
        console().print(f"No misheard word that the glossary does not know: {more}.")
        return 0
    shown = table("no.", "heard", "written", "times", "where", whole=("no.", "times"))
    for number, one in enumerate(found, 1):
        shown.add_row(str(number), cell(one.old), cell(one.new), str(one.count), cell(", ".join(one.where)))
    print_table(shown)
    console().print(
        f"[dim]{count(len(found), 'suggestion')}. Take one by its number or spelling, or all that are misheard:"
        f" callboard glossary promote {cell(shlex.quote(found[0].new))}, or --all[/dim]"
    )
    return 0


def suggested(project: Project, *, everything: bool = False) -> list[Suggestion]:
    """Give the changes in a project's captions that its glossary does not know."""
    found = [
        (one.name, one.after.language, change)
        for one in corrections(project)
        if isinstance(one.after, Captions)
        for change in changes(one.before.cues, one.after.cues)
    ]
    path = project.glossary
    glossary = load(path) if path is not None and path.is_file() else Glossary()
    return [one for one in suggestions(found, least=0.0 if everything else 0.35) if not _known(one, glossary)]


def _known(one: Suggestion, glossary: Glossary) -> bool:
    return any(
        term.text == one.new
        and spelling(one.old) in {spelling(word) for word in (term.text, *term.variants, *term.sounds_like)}
        for term in glossary.of(one.language)
    )


__all__ = ["command", "suggested"]
