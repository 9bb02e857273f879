"""``callboard glossary promote``: corrections become terms of the glossary, with one command."""

from __future__ import annotations

from collections.abc import Sequence

import click
from callboard_schemas import Captions

from callboard.cli.captions_corrections import corrections
from callboard.cli.glossary import put
from callboard.cli.glossary_suggest import suggested
from callboard.cli.project import here_or_default
from callboard.config import Project
from callboard.errors import UsageError
from callboard.glossary import Term
from callboard.glossary.changes import Suggestion
from callboard.glossary.reading import spelling
from callboard.glossary.terms import primary
from callboard.glossary.words import piece
from callboard.timedtext.markup import text_lines


@click.command("promote")
@click.argument("words", nargs=-1, metavar="[WORD|NUMBER]...")
@click.option("--all", "everything", is_flag=True, help="Everything that 'callboard glossary suggest' lists.")
def command(words: tuple[str, ...], everything: bool) -> int:
    """Write corrections into the glossary: WORD as it is right, or its NUMBER in 'callboard glossary suggest'.

    What was heard becomes a variant, which is always rewritten; where it is made of ordinary words it only becomes a
    hint on how the term sounds. Comments and layout of the file stay.
    """
    project = here_or_default()
    if not words and not everything:
        raise UsageError("which words?", "Give what 'callboard glossary suggest' lists, or --all.")
    found = suggested(project) if everything else _chosen(suggested(project, everything=True), project, words)
    if not found:
        raise UsageError("there is nothing to promote", "'callboard glossary suggest' lists corrections.")
    ordinary = _ordinary(project)
    put(tuple(as_term(one, ordinary) for one in found), yes=True)
    return 0


def _chosen(every: Sequence[Suggestion], project: Project, words: Sequence[str]) -> list[Suggestion]:
    """Find what a person means: numbers count as the plain list does."""
    listed = suggested(project)
    chosen: list[Suggestion] = []
    for word in words:
        if word.isdecimal() and 0 < int(word) <= len(listed):
            found = [listed[int(word) - 1]]
        else:
            found = [one for one in every if spelling(one.new) == spelling(word)]
        if not found:
            raise UsageError(
                f"nobody corrected anything to {word!r}", "'callboard glossary suggest' lists corrections."
            )
        chosen += [one for one in found if one not in chosen]
    return chosen


def as_term(one: Suggestion, ordinary: frozenset[str]) -> Term:
    """Make a term of a correction.

    Args:
        one: The correction.
        ordinary: Words, folded, that stand in captions as they should be.
    """
    heard = () if spelling(one.old) == spelling(one.new) else (one.old,)
    plain = all(spelling(word) in ordinary for word in one.old.split())
    name = any(char.isupper() for char in one.new)
    return Term(
        text=one.new,
        language=None if name else primary(one.language),
        variants=() if plain else heard,
        sounds_like=heard if plain else (),
    )


def _ordinary(project: Project) -> frozenset[str]:
    """Give the words of corrected captions: a person has seen them, so they are right where they stand."""
    return frozenset(
        spelling(piece(word).core)
        for one in corrections(project)
        if isinstance(one.after, Captions)
        for cue in one.after.cues
        for word in " ".join(text_lines(cue)).split()
    )


__all__ = ["as_term", "command"]
