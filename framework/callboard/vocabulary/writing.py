"""Vocabularies as text: TOML for Callboard, CSV for tables, keyword trees for Lightroom and Photo Mechanic."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from callboard.replacing import replacing
from callboard.vocabulary.concepts import Concept, Vocabulary, Words


def as_toml(vocabulary: Vocabulary) -> str:
    """Write a ``vocabulary.toml``; read again, it is the same vocabulary."""
    head = []
    if vocabulary.language:
        head.append(f"language = {quoted(vocabulary.language)}")
    if vocabulary.strict:
        head.append("strict = true")
    if vocabulary.never:
        head.append(f"never = {array(vocabulary.never)}")
    blocks = ["\n".join(head) + "\n"] if head else []
    return "\n".join([*blocks, *(block(concept) for concept in vocabulary.concepts)])


def block(concept: Concept) -> str:
    """Write one ``[[concepts]]`` table, its last line ended."""
    lines = ["[[concepts]]", f"id = {quoted(concept.id)}", f"label = {quoted(concept.label)}"]
    if concept.parent:
        lines.append(f"parent = {quoted(concept.parent)}")
    lines += [
        f"{name} = {array(getattr(concept, name))}"
        for name in ("synonyms", "prompts", "analysers")
        if getattr(concept, name)
    ]
    if concept.threshold is not None:
        lines.append(f"threshold = {number(concept.threshold)}")
    if concept.thresholds:
        lines.append(f"thresholds = {shares(concept.thresholds)}")
    if concept.category:
        lines.append("category = true")
    if concept.note:
        lines.append(f"note = {quoted(concept.note)}")
    for tongue, words in concept.languages.items():
        lines += language(tongue, words)
    return "\n".join(lines) + "\n"


def language(tongue: str, words: Words) -> list[str]:
    """Write the sub-table of one language."""
    lines = [f"[concepts.languages.{tongue}]"]
    if words.label:
        lines.append(f"label = {quoted(words.label)}")
    if words.synonyms:
        lines.append(f"synonyms = {array(words.synonyms)}")
    return lines


def quoted(text: str) -> str:
    """Write a TOML basic string; JSON's escapes are TOML's, but for DEL (https://toml.io/en/v1.0.0#string)."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def array(words: Sequence[str]) -> str:
    """Write an array of strings on one line."""
    return f"[{', '.join(map(quoted, words))}]"


def number(value: float) -> str:
    """Write a float as TOML wants it, with a point."""
    return repr(float(value))


def shares(values: dict[str, float]) -> str:
    """Write an inline table of numbers, by name."""
    return "{" + ", ".join(f"{quoted(name)} = {number(value)}" for name, value in sorted(values.items())) + "}"


def as_csv(vocabulary: Vocabulary) -> str:
    """Write a table that ``from_csv`` reads; thresholds of single methods and words never to use are not in it."""
    tongues = sorted({tongue for concept in vocabulary.concepts for tongue in concept.languages})
    plain = ["id", "label", "parent", "synonyms", "prompts", "threshold", "analysers", "category", "note"]
    extra = [f"{kind}_{tongue}" for tongue in tongues for kind in ("label", "synonyms")]
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow([*plain, *extra])
    for concept in vocabulary.concepts:
        row = [concept.id, concept.label, concept.parent, _cell(concept.synonyms), _cell(concept.prompts)]
        row += ["" if concept.threshold is None else number(concept.threshold), _cell(concept.analysers)]
        row += ["true" if concept.category else "", concept.note]
        for tongue in tongues:
            words = concept.languages.get(tongue, Words())
            row += [words.label or "", _cell(words.synonyms)]
        table.writerow(row)
    return out.getvalue()


def _cell(words: Sequence[str]) -> str:
    mark = "|" if any(";" in word for word in words) else ";"
    return mark.join(words) + (mark if len(words) == 1 and mark == "|" else "")


def as_keywords(vocabulary: Vocabulary) -> str:
    """Write a keyword tree: labels in the vocabulary's language, all other words as synonyms."""
    below: dict[str, list[Concept]] = {}
    for concept in vocabulary.concepts:
        below.setdefault(concept.parent, []).append(concept)
    return "".join(f"{line}\n" for line in _tree(vocabulary, below, "", 0))


def _tree(vocabulary: Vocabulary, below: dict[str, list[Concept]], parent: str, depth: int) -> Iterator[str]:
    for concept in below.get(parent, ()):
        label = vocabulary.label(concept.id)
        yield "\t" * depth + (f"[{label}]" if concept.category else label)
        others = [concept.label, *concept.synonyms]
        for words in concept.languages.values():
            others += [words.label or "", *words.synonyms]
        yield from ("\t" * (depth + 1) + f"{{{word}}}" for word in dict.fromkeys(others) if word and word != label)
        yield from _tree(vocabulary, below, concept.id, depth + 1)


def keep(path: Path, text: str | bytes) -> None:
    """Write a file that readers see whole, with the rights that it had.

    Raises:
        OSError: it cannot be written; what was there is as it was.
    """
    data = text.encode("utf-8") if isinstance(text, str) else text
    with replacing(path, durable=True) as file:
        file.write(data)


__all__ = ["array", "as_csv", "as_keywords", "as_toml", "block", "keep", "quoted", "shares"]
