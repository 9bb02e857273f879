"""The markup of a styled cue: ``<i>``, ``<b>``, ``<u>``, and ``&amp;``, ``&lt;``, ``&gt;`` for those characters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

_MARKUP = re.compile(r"<(?P<close>/?)(?P<tag>[ibu])>|&(?P<entity>amp|lt|gt);", re.IGNORECASE)
_CHARACTER = {"amp": "&", "lt": "<", "gt": ">"}
_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class Letter(NamedTuple):
    """One character, and the tags around it, outermost first: ``ib``."""

    text: str
    style: str = ""


def letters(text: str, *, styled: bool = True) -> list[Letter]:
    """Give the characters of *text* with their styles; a tag that closes nothing is left out.

    Args:
        text: Lines of a cue.
        styled: Whether *text* holds markup; else ``<`` and ``&`` are themselves.
    """
    if not styled or ("<" not in text and "&" not in text):
        return [Letter(char) for char in text]
    found: list[Letter] = []
    style, at = "", 0
    for match in _MARKUP.finditer(text):
        found += [Letter(char, style) for char in text[at : match.start()]]
        at = match.end()
        if match["entity"]:
            found.append(Letter(_CHARACTER[match["entity"].lower()], style))
        else:
            style = _after(style, match["tag"].lower(), closes=bool(match["close"]))
    return found + [Letter(char, style) for char in text[at:]]


def _after(style: str, tag: str, *, closes: bool) -> str:
    if not closes:
        return style if tag in style else style + tag
    return style.replace(tag, "")


def written(letters: Sequence[Letter], *, styled: bool = True) -> str:
    """Write characters with the fewest tags, all of them closed."""
    if not styled:
        return "".join(letter.text for letter in letters)
    parts: list[str] = []
    open_now = ""
    for style, run in groupby(letters, key=lambda letter: letter.style):
        kept = _common(open_now, style)
        parts += [f"</{tag}>" for tag in reversed(open_now[kept:])]
        parts += [f"<{tag}>" for tag in style[kept:]]
        parts += [_ENTITY.get(letter.text, letter.text) for letter in run]
        open_now = style
    parts += [f"</{tag}>" for tag in reversed(open_now)]
    return "".join(parts)


def _common(one: str, other: str) -> int:
    """Count the tags that both have open, from the outermost."""
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return length


def plain(text: str, *, styled: bool = True) -> str:
    """Give the text as it is read: without tags, with the characters that entities stand for."""
    if not styled or ("<" not in text and "&" not in text):
        return text
    return _MARKUP.sub(lambda found: _CHARACTER[found["entity"].lower()] if found["entity"] else "", text)


def tags(text: str) -> Iterator[tuple[str, bool]]:
    """Give the name of each tag, and whether it opens."""
    for match in _MARKUP.finditer(text):
        if match["tag"]:
            yield match["tag"].lower(), not match["close"]


def balanced(text: str) -> bool:
    """Say whether every tag is closed, in the order that nesting asks for."""
    inside: list[str] = []
    for tag, opens in tags(text):
        if opens:
            inside.append(tag)
        elif not inside or inside.pop() != tag:
            return False
    return not inside


__all__ = ["Letter", "balanced", "letters", "plain", "tags", "written"]
