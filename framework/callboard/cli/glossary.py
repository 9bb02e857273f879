"""``callboard glossary``: names and terms of the film; checked, listed, exchanged as CSV, learnt from corrections."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from callboard.cli.options import Group, json_flag
from callboard.cli.output import cell, console, count, print_json, print_table, table
from callboard.cli.project import here_or_default
from callboard.cli.vocabulary import confirmed_change
from callboard.errors import UsageError
from callboard.glossary import Glossary, Term, load
from callboard.glossary.editing import with_terms
from callboard.glossary.tables import as_csv, from_csv
from callboard.replacing import replacing

_LATER = {name: f"callboard.cli.glossary_{name}" for name in ("suggest", "promote")}


@click.group("glossary", cls=Group, later=_LATER)
def command() -> None:
    """Keep names and terms: check, import, learn them from corrections."""


@command.command("check")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_flag
def check(file: Path | None, as_json: bool) -> int:
    """Check FILE, or the project's glossary; every problem is said with its line. Exit code 2 if there is one."""
    glossary = load(file) if file else ours()
    if as_json:
        print_json({"terms": len(glossary.term), "digest": glossary.digest})
        return 0
    console().print(f"{count(len(glossary.term), 'term')}, nothing wrong ({glossary.digest[:12]})")
    return 0


@command.command("list")
@click.argument("word", required=False)
@json_flag
def list_(word: str | None, as_json: bool) -> int:
    """List the terms, or those that have WORD among their spellings and translations."""
    glossary = ours()
    terms = [term for term in glossary.term if word is None or _says(term, word)]
    if as_json:
        print_json({"term": msgspec.to_builtins(terms), "banned": glossary.banned, "synopsis": glossary.synopsis})
        return 0
    shown = table("term", "language", "heard as", "translated")
    for term in terms:
        kept = "never" if term.keep else ", ".join(f"{tag} {text}" for tag, text in term.translations.items())
        heard = ", ".join((*term.variants, *term.sounds_like))
        shown.add_row(cell(term.text), term.language or "any", cell(heard), cell(kept))
    print_table(shown)
    for tongue, words in glossary.banned.items():
        console().print(f"banned in {tongue}: {cell(', '.join(words))}")
    return 0


@command.command("export")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write there; not over a file.")
def export(output: Path | None) -> int:
    """Write the terms as a CSV table, on stdout or into a new file."""
    text = as_csv(ours())
    if output is None:
        click.echo(text, nl=False)
        return 0
    if output.exists():
        raise UsageError(f"{output} is there already", "Give another name.")
    output.write_text(text, encoding="utf-8")
    return 0


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask before the glossary is changed.")
def import_(file: Path, yes: bool) -> int:
    """Add the terms of FILE, a CSV table, to the glossary; what it says already stays as it is.

    The table has a column 'text' and maybe language, id, variants and sounds_like (by ;), keep, case, note and
    translation_de.
    """
    try:
        terms = from_csv(file.read_text("utf-8-sig"), str(file))
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8: {error.reason} at byte {error.start}", "Save it as UTF-8.") from None
    put(terms, yes=yes)
    return 0


def path_of() -> Path:
    """Say where the project's glossary is, or would be.

    Raises:
        UsageError: the settings say that there is none.
    """
    found = here_or_default().glossary
    if found is None:
        raise UsageError("the settings say that there is no glossary", 'Set glossary = "glossary.toml" to have one.')
    return found


def ours() -> Glossary:
    """Read the project's glossary.

    Raises:
        UsageError: there is none.
        GlossaryError: it is broken.
    """
    path = path_of()
    if not path.is_file():
        raise UsageError(f"there is no {path}", "Write one, or make one with 'callboard glossary import TABLE.csv'.")
    return load(path)


def put(terms: tuple[Term, ...], *, yes: bool) -> bool:
    """Put terms into the project's glossary; say what changes, and ask unless *yes*. Returns whether it was changed.

    Raises:
        GlossaryError: the glossary is broken, or would be.
    """
    path = path_of()
    before = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    after, notes = with_terms(before, terms, str(path))
    for note in notes:
        console(stderr=True).print(f"[yellow]note:[/yellow] {cell(note)}")
    if not confirmed_change(before, after, path, yes=yes):
        return False
    with replacing(path, durable=True, shared=True) as file:
        file.write(after.encode("utf-8"))
    console(stderr=True).print(f"Wrote {cell(str(path))}.")
    return True


def _says(term: Term, word: str) -> bool:
    told = (term.id, term.text, *term.variants, *term.sounds_like, *term.translations.values())
    return any(word.casefold() in one.casefold() for one in told)


__all__ = ["command", "ours", "path_of", "put"]
