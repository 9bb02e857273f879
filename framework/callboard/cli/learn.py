"""``callboard learn``: thresholds of concepts, from what people accepted and rejected."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from callboard.catalog import verdicts
from callboard.cli.options import json_flag
from callboard.cli.output import cell, console, count, print_json, print_table, table
from callboard.cli.project import catalog, here_or_default
from callboard.cli.vocabulary import confirmed_change
from callboard.errors import UsageError
from callboard.vocabulary import Vocabulary, load
from callboard.vocabulary.editing import edited
from callboard.vocabulary.learning import LEAST, Fit, Learned, Seen, applied, learn
from callboard.vocabulary.writing import keep


@click.command("learn")
@click.option("--write", is_flag=True, help="Put the new thresholds into the vocabulary, after a look.")
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option(
    "--least", type=click.IntRange(min=2), default=LEAST, show_default=True, help="Decisions a concept needs."
)
@click.option("--sidecars/--no-sidecars", default=True, help="Count words that people wrote into XMP as accepted.")
@json_flag
def command(write: bool, yes: bool, least: int, sidecars: bool, as_json: bool) -> int:
    """Propose thresholds for the concepts of the vocabulary, from tags that people accepted and rejected.

    A tag of an accepted proposal counts as wanted, one that was left out or stood in a rejected proposal as not
    wanted; what the policy accepted counts as neither. Nothing is written without --write.
    """
    project = here_or_default()
    path = project.vocabulary
    if path is None or not path.is_file():
        raise UsageError("there is no vocabulary to learn for", "'callboard vocabulary import' makes one of a list.")
    vocabulary = load(path)
    with catalog(project) as opened:
        seen, others = opened.read(lambda conn: judged(conn, vocabulary, sidecars=sidecars))
    learned = learn(seen, vocabulary, least)
    if as_json:
        print_json({"learned": learned, "judged": len(seen), "of no concept": others})
    else:
        _report(learned, len(seen), others, vocabulary)
    changed = [one for one in learned if one.changed]
    if not changed:
        return 0
    if not write:
        if not as_json:
            console().print("[dim]Nothing was written; --write puts the new thresholds into the vocabulary.[/dim]")
        return 0
    _write(path, applied(vocabulary, changed), len(changed), yes=yes)
    return 0


def judged(conn: sqlite3.Connection, vocabulary: Vocabulary, *, sidecars: bool) -> tuple[list[Seen], int]:
    """Give the judged tags that are concepts, each asset's once, and how many judged tags are none."""
    found: dict[tuple[str, str, str], Seen] = {}
    open_tags: list[tuple[str, str, verdicts.Verdict]] = []
    others = 0
    for one in verdicts.verdicts(conn):
        tag = one.tag
        concept = vocabulary.get(tag.concept) if tag.concept else vocabulary.find(tag.label)
        if concept is None:
            others += one.wanted is not None and tag.group[:1] != ("technical",)
        elif one.wanted is None:
            open_tags.append((concept.id, tag.method, one))
        else:
            key = (one.digest, concept.id, tag.method)
            found[key] = Seen(concept=concept.id, method=tag.method, score=tag.score, wanted=one.wanted)
    written = _human_concepts(verdicts.xmp_files(conn), vocabulary) if sidecars else {}
    for ident, method, one in open_tags:
        if ident in written.get(one.digest, ()):
            seen = Seen(concept=ident, method=method, score=one.tag.score, wanted=True, source="sidecar")
            found.setdefault((one.digest, ident, method), seen)
    return list(found.values()), others


def _human_concepts(files: Iterable[tuple[str, str]], vocabulary: Vocabulary) -> dict[str, set[str]]:
    """Give for each asset the concepts that people wrote into its XMP file: those that are not ours."""
    from callboard.effects.spans import XmlRefused, parse
    from callboard.effects.xmpmodel import recorded, values

    found: dict[str, set[str]] = {}
    for digest, path in files:
        try:
            root = parse(Path(path).read_bytes())
        except (OSError, XmlRefused):
            continue  # gone, or not to be read: it says nothing
        ours = recorded(root)
        added = set(ours.added.subjects) if ours else set()
        for word in set(values(root).subjects) - added:
            concept = vocabulary.find(word)
            if concept is not None:
                found.setdefault(digest, set()).add(concept.id)
    return found


def _report(learned: Sequence[Learned], seen: int, others: int, vocabulary: Vocabulary) -> None:
    out = console()
    if not learned:
        out.print("No person has judged a tag of the vocabulary yet; what the policy accepted does not count.")
        return
    shown = table("concept", "method", "yes", "no", "from", "to", "precision", "recall", "F1", "note")
    for one in learned:
        arrow = f"{_share(one.new)}" if one.changed else "[dim]same[/dim]"
        shown.add_row(
            cell(vocabulary.label(one.concept)),
            cell(one.method),
            str(one.accepted) + (f" ({one.from_sidecars} in XMP)" if one.from_sidecars else ""),
            str(one.rejected),
            _share(one.old),
            f"[bold]{arrow}[/bold]" if one.changed else arrow,
            *(_from_to(one, name) for name in ("precision", "recall", "f1")),
            f"[dim]{cell(one.note)}[/dim]",
        )
    print_table(shown)
    rest = f"; {count(others, 'judged tag')} of no concept left out" if others else ""
    out.print(f"[dim]From {count(seen, 'judged tag')}{rest}. Best expected F1 on a rising, smoothed curve.[/dim]")


def _from_to(one: Learned, name: str) -> str:
    def said(fit: Fit) -> str:
        value: float | None = getattr(fit, name)
        return "-" if value is None else f"{value:.2f}"

    return f"{said(one.before)} → {said(one.after)}" if one.changed else said(one.before)


def _share(value: float | None) -> str:
    return "its own" if value is None else f"{value:g}"


def _write(path: Path, wanted: Vocabulary, changed: int, *, yes: bool) -> None:
    text = path.read_bytes().decode("utf-8-sig")
    after = edited(text, wanted, str(path))
    if not confirmed_change(text, after, path, yes=yes):
        return
    keep(path, after)
    out = console(stderr=True)
    out.print(f"Wrote {count(changed, 'threshold')} into {cell(str(path))}; the next run tags by them.")


__all__ = ["command", "judged"]
