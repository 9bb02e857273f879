"""``callboard vocabulary``: the studio's own words, shown, checked, imported and exported."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import cast, get_args

import click

from callboard.cli.options import Group, json_flag
from callboard.cli.output import cell, console, count, print_json
from callboard.cli.project import here_or_default
from callboard.errors import UsageError, VocabularyError
from callboard.vocabulary import Concept, Vocabulary, fold, load
from callboard.vocabulary.drafting import Drafted, merged
from callboard.vocabulary.editing import edited
from callboard.vocabulary.importing import Format, read_list
from callboard.vocabulary.writing import as_csv, as_keywords, as_toml, keep

_WRITERS = {"toml": as_toml, "csv": as_csv, "keywords": as_keywords}


@click.group("vocabulary", cls=Group, plain="show")
@json_flag
def command(as_json: bool) -> None:
    """Show, check, import and export the studio's own words for tags."""


@command.command("show")
@click.argument("word", default="")
@json_flag
def show(word: str, as_json: bool) -> int:
    """Show the tree of concepts, or those that WORD is part of the words of."""
    vocabulary = _ours()
    concepts = [one for one in vocabulary.concepts if not word or _says(one, word)]
    if as_json:
        print_json({"digest": vocabulary.digest, "concepts": concepts, "never": vocabulary.never})
        return 0
    if word and not concepts:
        raise UsageError(f"no concept has {word!r} among its words", "'callboard vocabulary show' lists them all.")
    out = console()
    if word:
        for concept in concepts:
            _details(vocabulary, concept)
        return 0
    below: dict[str, list[Concept]] = {}
    for concept in concepts:
        below.setdefault(concept.parent, []).append(concept)
    _tree(vocabulary, below, "", 0)
    out.print(f"[dim]{count(len(concepts), 'concept')}, {vocabulary.digest[:12]}{_rules(vocabulary)}[/dim]")
    return 0


@command.command("check")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@json_flag
def check(file: Path | None, as_json: bool) -> int:
    """Check FILE, or the project's vocabulary; every problem is told with its line."""
    path = file or _path()
    problems: tuple[str, ...] = ()
    number = 0
    try:
        number = len(load(path).concepts)
    except VocabularyError as error:
        problems = error.problems
    if as_json:
        print_json({"file": str(path), "concepts": number, "problems": problems})
    elif problems:
        for problem in problems:
            console().print(f"{cell(str(path))}: [red]{cell(problem)}[/red]")
    else:
        console().print(f"{cell(str(path))}: {count(number, 'concept')}, nothing wrong.")
    return 1 if problems else 0


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "kind", type=click.Choice(get_args(Format)), help="What FILE is; else its name says.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write there; not over a file.")
@click.option("--merge", is_flag=True, help="Add to the vocabulary that is there (-o, or the project's).")
@click.option("--yes", is_flag=True, help="Merge without asking.")
def import_(file: Path, kind: str | None, output: Path | None, merge: bool, yes: bool) -> int:
    """Turn FILE into a vocabulary, on stdout or in a new file.

    FILE is a CSV table with a column 'label' and maybe id, parent, synonyms (by ;), label_de, synonyms_de, prompts,
    threshold, category and note; or a keyword text file of Lightroom or Photo Mechanic.
    """
    drafted = read_list(file, cast("Format | None", kind))
    _tell(drafted)
    if merge:
        return _merge(drafted.vocabulary, output or _path(), yes=yes)
    text = as_toml(drafted.vocabulary)
    if output is None:
        click.echo(text, nl=False)
        return 0
    if output.exists():
        raise UsageError(f"{output} is there already", "Add to it with --merge, or give another name.")
    output.write_text(text, encoding="utf-8")
    console(stderr=True).print(f"Wrote {count(len(drafted.vocabulary.concepts), 'concept')} into {cell(str(output))}.")
    return 0


@command.command("export")
@click.option("--format", "kind", type=click.Choice(list(_WRITERS)), default="keywords", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write there; not over a file.")
def export(kind: str, output: Path | None) -> int:
    """Write the vocabulary for other programs, on stdout or into a new file."""
    text = _WRITERS[kind](_ours())
    if output is None:
        click.echo(text, nl=False)
        return 0
    if output.exists():
        raise UsageError(f"{output} is there already", "Give another name.")
    output.write_text(text, encoding="utf-8")
    return 0


def _path() -> Path:
    project = here_or_default()
    if project.vocabulary is None:
        raise UsageError(
            "the settings say that there is no vocabulary", 'Set vocabulary = "vocabulary.toml" to have one.'
        )
    return project.vocabulary


def _ours() -> Vocabulary:
    path = _path()
    if not path.is_file():
        raise UsageError(f"there is no {path}", "Make one with 'callboard vocabulary import FILE -o vocabulary.toml'.")
    return load(path)


def _merge(new: Vocabulary, path: Path, *, yes: bool) -> int:
    text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    drafted = merged(load(path) if path.exists() else Vocabulary(), new)
    _tell(drafted)
    after = edited(text, drafted.vocabulary, str(path))
    if not confirmed_change(text, after, path, yes=yes):
        return 0
    keep(path, after)
    console(stderr=True).print(f"Wrote {cell(str(path))}.")
    return 0


def confirmed_change(before: str, after: str, path: Path, *, yes: bool) -> bool:
    """Show what would change in a file and ask; say so when nothing would."""
    out = console(stderr=True)
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), str(path), "changed", lineterm="", n=2))
    if not lines:
        out.print(f"Nothing in {cell(str(path))} changes.")
        return False
    for line in lines:
        colour = {"+": "green", "-": "red"}.get(line[:1], "dim")
        out.print(f"[{colour}]{cell(line)}[/{colour}]")
    return yes or click.confirm(f"Change {path}?", err=True)


def _tell(drafted: Drafted) -> None:
    for note in drafted.notes:
        console(stderr=True).print(f"[yellow]note:[/yellow] {cell(note)}")


def _says(concept: Concept, word: str) -> bool:
    from callboard.vocabulary import words_of

    return any(fold(word) in fold(one) for one in (concept.id, *words_of(concept)))


def _tree(vocabulary: Vocabulary, below: dict[str, list[Concept]], parent: str, depth: int) -> None:
    for concept in below.get(parent, ()):
        label = vocabulary.label(concept.id)
        words = f" [dim]{cell(', '.join(concept.synonyms))}[/dim]" if concept.synonyms else ""
        console().print("  " * depth + (f"\\[{cell(label)}]" if concept.category else cell(label)) + words)
        _tree(vocabulary, below, concept.id, depth + 1)


def _details(vocabulary: Vocabulary, concept: Concept) -> None:
    out = console()
    out.print(
        f"[bold]{cell(' / '.join((*vocabulary.path(concept.id), vocabulary.label(concept.id))))}[/bold] {concept.id}"
    )
    said = [("synonyms", ", ".join(concept.synonyms))]
    said += [
        (tongue, ", ".join(word for word in (words.label or "", *words.synonyms) if word))
        for tongue, words in concept.languages.items()
    ]
    least = "" if concept.threshold is None else f"{concept.threshold:g}"
    by_method = ", ".join(f"{method} {value:g}" for method, value in sorted(concept.thresholds.items()))
    said += [("prompts", "; ".join(concept.prompts)), ("threshold", " ".join(filter(None, (least, by_method))))]
    said += [("listens to", ", ".join(concept.analysers)), ("note", concept.note)]
    for name, text in said:
        if text:
            out.print(f"  {name}: {cell(text)}")


def _rules(vocabulary: Vocabulary) -> str:
    rules = [f"written in {vocabulary.language}"] if vocabulary.language else []
    rules += ["strict"] if vocabulary.strict else []
    rules += [f"never {', '.join(vocabulary.never[:10])}"] if vocabulary.never else []
    return "".join(f"; {rule}" for rule in rules)


__all__ = ["command", "confirmed_change"]
