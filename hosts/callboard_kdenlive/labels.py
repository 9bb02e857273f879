"""Tags and a description on a clip of the bin.

Kdenlive's own tags are colours. A clip with tags of ours gets one dot, its tags stand in its description, where the
bin's search finds them, and in ``kdenlive:callboard.tags`` for scripts.
"""

from __future__ import annotations

from typing import Final

from callboard_kdenlive.outcome import Work
from callboard_kdenlive.properties import Element, drop, prop, put
from callboard_kdenlive.refs import number_of, ref_of
from callboard_kdenlive.sources import mirror

DOT: Final = "#00ffff"
"""Kdenlive's fifth tag, cyan."""
TAGS: Final = "kdenlive:callboard.tags"
_TEXT: Final = "kdenlive:description"
_DOTS: Final = "kdenlive:tags"
_OUR_TEXT: Final = "kdenlive:callboard.description"
_OUR_DOT: Final = "kdenlive:callboard.dot"
_AUTHOR: Final = "kdenlive:callboard.author"


def write(work: Work) -> None:
    """Write the command's tags, or its description, on the clip of its use."""
    clip = number_of(work.project, work.command.use.ref) if work.command.use is not None else ""
    element = work.project.clip(clip) if clip else None
    if element is None:
        work.outcome.stale = f"{work.named} is not in the bin"
        return
    made = work.ledger.at(work.command.proposal, ref_of(work.project, clip))
    if work.command.verb == "tags.write":
        made["tags"] = list(dict.fromkeys(tag for tag in work.content.tags if tag.strip()))
    else:
        made["description"] = work.content.description.strip()
        if work.content.author:
            made["author"] = work.content.author
    _settle(work, ref_of(work.project, clip), element)


def clear(work: Work, ref: str) -> None:
    """Bring a clip in line with our list, after something was taken off it."""
    element = work.project.clip(number_of(work.project, ref))
    if element is not None:
        _settle(work, ref, element)


def _all(work: Work, ref: str, kind: str) -> list[str]:
    found: list[str] = []
    for _, where, made in work.ledger.every(kind):
        if where == ref:
            found.extend(made if isinstance(made, list) else [made])
    return [one for one in dict.fromkeys(found) if one]


def _settle(work: Work, ref: str, element: Element) -> None:
    """Write on the clip what our list says, beside what a person wrote there."""
    _write(work, ref, element)
    mirror(work.project, element, (TAGS, _AUTHOR, _TEXT, _OUR_TEXT, _DOTS, _OUR_DOT))


def _write(work: Work, ref: str, element: Element) -> None:
    tags, authors = _all(work, ref, "tags"), _all(work, ref, "author")
    _set(element, TAGS, ", ".join(tags))
    _set(element, _AUTHOR, ", ".join(authors))
    _dot(element, wanted=bool(tags))
    text = "\n".join([*_all(work, ref, "description"), *(["Tags: " + ", ".join(tags)] if tags else [])])
    there, ours = prop(element, _TEXT), prop(element, _OUR_TEXT)
    if there and there != ours:
        if text:
            work.outcome.miss("description", "a person wrote one, which is kept")
        drop(element, _OUR_TEXT)
        return
    if text:
        put(element, _TEXT, text)
        put(element, _OUR_TEXT, text)
    elif ours is not None:
        drop(element, _TEXT)
        drop(element, _OUR_TEXT)


def _set(element: Element, name: str, value: str) -> None:
    if value:
        put(element, name, value)
    else:
        drop(element, name)


def _dot(element: Element, *, wanted: bool) -> None:
    dots = [dot for dot in (prop(element, _DOTS) or "").split(";") if dot]
    if wanted and DOT not in dots:
        put(element, _DOTS, ";".join([*dots, DOT]))
        put(element, _OUR_DOT, DOT)
    elif not wanted and prop(element, _OUR_DOT) is not None:
        _set(element, _DOTS, ";".join(dot for dot in dots if dot != DOT))
        drop(element, _OUR_DOT)


def present(work: Work, ref: str, kind: str, ours: object) -> tuple[list[str], int]:
    """Name what is there of our tags or our description, and count what is not."""
    element = work.project.clip(number_of(work.project, ref))
    if element is None:
        return [], 1
    if kind == "tags":
        wanted = [str(tag) for tag in ours] if isinstance(ours, list) else []
        there = f", {prop(element, TAGS) or ''}, "
        names = [f"tag {tag}" for tag in wanted if f", {tag}, " in there]
        return names, len(wanted) - len(names)
    there_text = prop(element, _TEXT) or ""
    return (["description"], 0) if str(ours) and str(ours) in there_text else ([], 1)


__all__ = ["DOT", "TAGS", "clear", "present", "write"]
