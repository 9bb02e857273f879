"""Changes to a ``vocabulary.toml`` that leave its comments and its order as a person wrote them.

The text is edited line by line, then read again: what comes out must be exactly the vocabulary that was wanted, or
nothing is changed.
"""

from __future__ import annotations

import re
import tomllib

from callboard.errors import VocabularyError
from callboard.vocabulary.concepts import Concept, Vocabulary, Words
from callboard.vocabulary.lines import Block, Lines
from callboard.vocabulary.reading import parse
from callboard.vocabulary.writing import array, block, language, number, quoted, shares

_KEYS = ("synonyms", "threshold", "thresholds")
"""What may change in a concept that is there; new languages and new concepts are added at the end."""


def edited(text: str, wanted: Vocabulary, name: str = "vocabulary.toml") -> str:
    """Give *text* changed so that it says *wanted*: the same concepts in the same order, and new ones after them.

    Raises:
        VocabularyError: the text is broken, or laid out so that it cannot be edited safely.
    """
    before = parse(text, name)
    lines = text.replace("\r\n", "\n").split("\n")
    known = {concept.id: at for at, concept in enumerate(before.concepts)}
    blocks = Lines("\n".join(lines)).blocks
    changed = {
        known[one.id]: one for one in wanted.concepts if one.id in known and one != before.concepts[known[one.id]]
    }
    for at in sorted(changed, reverse=True):  # from the end, so that the blocks before stay where they are
        if at < len(blocks):
            start, end = blocks[at].start, blocks[at].end
            lines[start:end] = _changed(lines[start:end], before.concepts[at], changed[at])
    new = [block(concept) for concept in wanted.concepts if concept.id not in known]
    after = "\n".join(lines).rstrip("\n") + "\n" + "".join(f"\n{one}" for one in new)
    after = after.replace("\n", "\r\n") if "\r\n" in text else after
    try:
        if parse(after, name) == wanted:
            return after
    except VocabularyError:
        pass
    raise VocabularyError(
        name, ("it is laid out so that it cannot be changed without rewriting it; change it by hand",)
    )


def _changed(lines: list[str], before: Concept, after: Concept) -> list[str]:
    """Change the keys of one block, given by its lines; text that ends up wrong is found by whoever reads it again."""
    for tongue, words in after.languages.items():
        lines = _spoken(lines, tongue, before.languages.get(tongue, Words()), words)
    for key in _KEYS:
        value = getattr(after, key)
        if value != getattr(before, key) and (place := _block(lines)) is not None:
            lines = _set(lines, key, value, place.start, place.keys_end)
    return lines


def _spoken(lines: list[str], tongue: str, before: Words, after: Words) -> list[str]:
    """Change a concept's words in one language; a language that is new to it gets a table."""
    if before == after or (place := _block(lines)) is None:
        return lines
    header = re.compile(rf"^\s*\[\s*concepts\s*\.\s*languages\s*\.\s*[\"']?{re.escape(tongue)}[\"']?\s*\]")
    start = next((i for i in range(place.start, place.end) if header.match(lines[i])), -1)
    if start < 0:
        end = _last_written(lines, place.start, place.end)
        return [*lines[:end], *language(tongue, after), *lines[end:]]
    end = next((i for i in range(start + 1, place.end) if lines[i].lstrip().startswith("[")), place.end)
    if after.label != before.label:
        lines = _set(lines, "label", after.label, start, end)
        again = _block(lines)
        end = again.end if again is not None and end == place.end else end
    return _set(lines, "synonyms", after.synonyms, start, end) if after.synonyms != before.synonyms else lines


def _block(lines: list[str]) -> Block | None:
    return next(iter(Lines("\n".join(lines)).blocks), None)


def _set(lines: list[str], key: str, value: object, header: int, stop: int) -> list[str]:
    """Set one key of the table whose header is on line *header*; a new one goes behind its last line."""
    start, end = _assignment(lines, key, header + 1, stop)
    if start == end:
        start = end = _last_written(lines, header, stop)
    return [*lines[:start], *_written(key, value, _comment(lines[start:end])), *lines[end:]]


def _written(key: str, value: object, comment: str) -> list[str]:
    if value is None or value in ((), {}):
        return []
    if isinstance(value, tuple):
        told = array(value)
    elif isinstance(value, dict):
        told = shares(value)
    else:
        told = quoted(value) if isinstance(value, str) else number(float(str(value)))
    return [f"{key} = {told}{comment}"]


def _assignment(lines: list[str], key: str, start: int, end: int) -> tuple[int, int]:
    """Find the lines of ``key = value``; an empty span when it is not there."""
    for first in range(start, end):
        if not re.match(rf'^\s*"?{key}"?\s*=', lines[first]):
            continue
        for last in range(first + 1, end + 1):
            try:
                tomllib.loads("\n".join(lines[first:last]))
            except tomllib.TOMLDecodeError:
                continue
            return first, last
    return start, start


def _last_written(lines: list[str], start: int, end: int) -> int:
    """Give the line after the last one that is neither empty nor a comment: what follows belongs to the next table."""
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def _comment(lines: list[str]) -> str:
    """Keep the comment behind a value on one line."""
    if len(lines) != 1:
        return ""
    for at in [found.start() for found in re.finditer("#", lines[0])]:
        try:
            tomllib.loads(lines[0][:at])
        except tomllib.TOMLDecodeError:
            continue
        space = len(lines[0][:at]) - len(lines[0][:at].rstrip())
        return lines[0][at - space :]
    return ""


__all__ = ["edited"]
