"""The markup of a styled cue: ``<i>``, ``<b>``, ``<u>``, and ``&amp;``, ``&lt;``, ``&gt;`` for those characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

_MARKUP = re.compile(r"<(?P<close>/?)(?P<tag>[ibu])>|&(?P<entity>amp|lt|gt);", re.IGNORECASE)
_CHARACTER = {"amp": "&", "lt": "<", "gt": ">"}


class Rich(NamedTuple):
    """Text without its markup, and the tags around each character, outermost first: ``ib``."""

    text: str
    styles: tuple[str, ...] = ()
    """One for each character; none at all where nothing is styled."""

    def part(self, start: int, end: int | None = None) -> Rich:
        """Give the text between two indices."""
        return Rich(self.text[start:end], self.styles[start:end])

    def then(self, other: Rich) -> Rich:
        """Give this text with *other* after it."""
        text = self.text + other.text
        if not self.styles and not other.styles:
            return Rich(text)
        return Rich(text, (self.styles or ("",) * len(self.text)) + (other.styles or ("",) * len(other.text)))


def rich(text: str, *, styled: bool = True) -> Rich:
    """Read markup; a tag that closes nothing is left out.

    Args:
        text: Lines of a cue.
        styled: Whether *text* holds markup; else ``<`` and ``&`` are themselves.
    """
    if not styled or ("<" not in text and "&" not in text):
        return Rich(text)
    parts: list[str] = []
    styles: list[str] = []
    style, at = "", 0
    for match in _MARKUP.finditer(text):
        parts.append(text[at : match.start()])
        styles += [style] * (match.start() - at)
        at = match.end()
        if match["entity"]:
            parts.append(_CHARACTER[match["entity"].lower()])
            styles.append(style)
        else:
            style = _after(style, match["tag"].lower(), closes=bool(match["close"]))
    return Rich("".join([*parts, text[at:]]), (*styles, *[style] * (len(text) - at)))


def _after(style: str, tag: str, *, closes: bool) -> str:
    if not closes:
        return style if tag in style else style + tag
    return style.replace(tag, "")


def written(text: Rich, *, styled: bool = True) -> str:
    """Write text with the fewest tags, all of them closed."""
    if not styled:
        return text.text
    if not any(text.styles):
        return _escaped(text.text)
    parts: list[str] = []
    open_now = ""
    at = 0
    for style, run in groupby(text.styles):
        kept = _common(open_now, style)
        parts += [f"</{tag}>" for tag in reversed(open_now[kept:])]
        parts += [f"<{tag}>" for tag in style[kept:]]
        length = sum(1 for _ in run)
        parts.append(_escaped(text.text[at : at + length]))
        at += length
        open_now = style
    parts += [f"</{tag}>" for tag in reversed(open_now)]
    return "".join(parts)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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


def bare(text: str) -> str:
    """Give the text without its tags and entities, to see what else is in it."""
    return _MARKUP.sub("", text)


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


__all__ = ["Rich", "balanced", "bare", "plain", "rich", "tags", "written"]
