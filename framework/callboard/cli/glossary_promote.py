"""``callboard glossary promote``: corrections become terms of the glossary, with one command."""

from __future__ import annotations

from collections.abc import Sequence

import click

from callboard.cli.captions_corrections import corrections
from callboard.cli.glossary import put
from callboard.cli.glossary_suggest import ordinary, suggested
from callboard.cli.output import cell, console
from callboard.cli.project import here_or_default
from callboard.errors import UsageError
from callboard.glossary import Term
from callboard.glossary.changes import Suggestion
from callboard.glossary.reading import spelling
from callboard.glossary.terms import primary


@click.command("promote")
@click.argument("words", nargs=-1, metavar="[WORD|NUMBER]...")
@click.option("--all", "everything", is_flag=True, help="Everything that 'callboard glossary suggest' lists.")
@click.option("--anyway", is_flag=True, help="Also a rewording; what was heard becomes a hint, never a variant.")
def command(words: tuple[str, ...], everything: bool, anyway: bool) -> int:
    """Write corrections into the glossary: WORD as it is right, or its NUMBER in 'callboard glossary suggest'.

    What was heard becomes a variant, which is always rewritten; where it is made of ordinary words it only becomes a
    hint on how the term sounds. Rewordings are refused. Comments and layout of the file stay.
    """
    project = here_or_default()
    if not words and not everything:
        raise UsageError("which words?", "Give what 'callboard glossary suggest' lists, or --all.")
    every = suggested(project)
    found = [one for one in every if not one.rewording] if everything else _chosen(every, words)
    if not found:
        raise UsageError("there is nothing to promote", "'callboard glossary suggest' lists corrections.")
    found = _misheard(found, anyway=anyway)
    known = ordinary(project, corrections(project))
    put(tuple(as_term(one, known) for one in found), yes=True)
    return 0


def _chosen(every: Sequence[Suggestion], words: Sequence[str]) -> list[Suggestion]:
    """Find what a person means; what was reworded is left out where the same spelling was misheard as well."""
    chosen: list[Suggestion] = []
    for word in words:
        if word.isdecimal() and 0 < int(word) <= len(every):
            found = [every[int(word) - 1]]
        else:
            found = [one for one in every if spelling(one.new) == spelling(word)]
            found = [one for one in found if not one.rewording] or found
        if not found:
            raise UsageError(
                f"nobody corrected anything to {word!r}", "'callboard glossary suggest' lists corrections."
            )
        chosen += [one for one in found if one not in chosen]
    return chosen


def _misheard(found: list[Suggestion], *, anyway: bool) -> list[Suggestion]:
    reworded = [one for one in found if one.rewording]
    if reworded and not anyway:
        told = "; ".join(f"{one.old!r} was reworded to {one.new!r}, not misheard: {one.rewording}" for one in reworded)
        raise UsageError(told, "If it was misheard all the same, --anyway makes it a hint on how the term sounds.")
    for one in reworded:
        console(stderr=True).print(f"[yellow]note:[/yellow] {cell(one.old)} is a hint only: {cell(one.rewording)}")
    return found


def as_term(one: Suggestion, known: frozenset[str]) -> Term:
    """Make a term of a correction.

    Args:
        one: The correction.
        known: Words, folded, that stand in captions as they should be.
    """
    heard = () if spelling(one.old) == spelling(one.new) else (one.old,)
    hint = bool(one.rewording) or all(spelling(word) in known for word in one.old.split())
    name = any(char.isupper() for char in one.new)
    return Term(
        text=one.new,
        language=None if name else primary(one.language),
        variants=() if hint else heard,
        sounds_like=heard if hint else (),
    )


__all__ = ["as_term", "command"]
