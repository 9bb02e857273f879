"""No real person's likeness by default: no brief that asks for one, and no reference with a face without a yes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from callboard.errors import Blocked, JobError, MediaError, ModelMissing

from callboard_placeholder.engine import Array

if TYPE_CHECKING:
    from pathlib import Path

    from callboard.context import Context
    from callboard_schemas import Neighbour, PlaceholderRequested

_ASKS: Final = re.compile(
    r"\b(?:looks?|looking|look)\s+(?:just\s+|exactly\s+|a\s+lot\s+)?like"
    r"|\bin\s+the\s+likeness\s+of|\blikeness\s+of|\bresembl(?:es|ing|e)|\bportraits?\s+of|\bphoto(?:graph)?s?\s+of"
    r"|\b(?:as\s+)?played\s+by|\bportrayed\s+by|\bstarring|\blook-?alikes?\s+of|\bdoubles?\s+of|\bdead\s+ringers?\s+for"
    r"|\bdeep-?fakes?\s+of|\bimpersonating|\bimpersonates|\bwith\s+the\s+face\s+of|\bthe\s+face\s+of|\bspitting\s+image\s+of",
    re.IGNORECASE,
)
"""What people write before the name of whom somebody is to look like."""
_NAME: Final = re.compile(r"\s*[:\"'“‘(]*\s*((?:[^\W\d_][\w.'’-]*\s+){0,3}[^\W\d_][\w.'’-]*)")
_NO_NAME: Final = frozenset(
    re.findall(
        r"\w+",
        """a an the his her their my your our its this that these those some someone somebody something no one nobody
        he she it they we you i him them us what who whoever if in on at from as and or two three four many
        monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
        september october november december""",
    )
)
"""Words that begin what is no name, as ``portrait of a lady`` in capitals."""
_SIDE: Final = 1280
"""Pixels that a reference is scaled to before it is looked at: a face of 20 of them is found, and what is smaller does
not make a likeness."""
AGREED: Final = "references_agreed"
"""Parameter of a request, never of a project: the yes to its references."""
_FROM: Final = {"diffusion": "diffusion_from", "comfyui": "comfy_from"}
"""Engine to the parameter that says what it starts from."""


def people(asked: PlaceholderRequested, given: Iterable[tuple[str, str]]) -> None:
    """Refuse a brief that asks for somebody's likeness by name; characters of its cast are nobody.

    Raises:
        JobError: naming the field and the words.
    """
    brief = asked.brief
    cast = {name.casefold() for name in (*brief.cast, *(line.speaker for line in brief.dialogue))} if brief else set()
    places = {brief.place.casefold()} if brief and brief.place else set()
    for field, text in given:
        if field.startswith("brief.dialogue"):  # what is said is not what is seen
            continue
        for phrase in _ASKS.finditer(text):
            if text.isupper() and "like" in phrase[0].casefold().split():  # IT LOOKS LIKE RAIN
                continue
            name = _name(text[phrase.end() :])
            if name and not _known(name, cast | places):
                raise JobError(
                    f"{field} asks for the likeness of {name!r}; real persons' likenesses are not made in this project",
                    'Describe the character, or name it in the cast; the plugin\'s likeness = "allowed" permits it.',
                )


def _name(behind: str) -> str:
    """Give the proper name that a text begins with; empty where it begins with none."""
    found = _NAME.match(behind)
    words: list[str] = []
    for word in found[1].split() if found else ():
        if not word[0].isupper() or (not words and word.casefold() in _NO_NAME):
            break
        words.append(word.rstrip(".'’-"))
        if word.endswith("."):
            break
    return " ".join(words)


def _known(name: str, known: set[str]) -> bool:
    """Tell whether a name is one of the film's own, with or without what belongs to it: ``ANNA (O.S.)``, ``Anna's``."""
    plain = re.sub(r"['’]s$", "", name.casefold())
    parts = {part for one in known for part in re.findall(r"[^\W\d_][\w'’-]*", one)}
    return plain in known or all(part in parts for part in plain.split())


def pictures(asked: PlaceholderRequested, engine: str, context: Context) -> None:
    """Refuse pictures to go by in which there is a face, or in which none can be looked for, but for a yes.

    The references of the brief, and the neighbour's frame where the project lets the engine start from it.

    Raises:
        JobError: a reference is not there, or a picture needs a yes; or a yes has no name to it.
    """
    agreed = asked.parameters.get(AGREED) is True
    for name, load in _pictures(asked, engine, context):
        if agreed and not asked.by.strip():
            raise JobError(f"{AGREED} says yes to {name}, and nobody's name is to it", "Say who asks.")
        if not agreed and (why := _why_ask(load, context)):
            raise JobError(
                f"{name} {why}; who is in it has to be asked first",
                f"Ask again with --references-agreed ({AGREED} = true) if it may be used; the audit keeps who said so.",
            )


def _pictures(
    asked: PlaceholderRequested, engine: str, context: Context
) -> Iterator[tuple[str, Callable[[], Array | None]]]:
    """Give what an engine may go by, with what loads it."""
    brief = asked.brief
    for name in brief.references if brief else ():
        path = context.named(name)
        if path is None:
            raise JobError(
                f"the reference {name} is not in the project", "Name pictures by their paths from the project's folder."
            )
        yield f"the reference {name}", partial(_read, path)
    side = context.parameters.get(_FROM.get(engine, ""))
    for near in brief.neighbours if brief else ():
        if near.side == side and near.asset is not None:
            yield f"the frame of {near.name or near.asset.place.path}", partial(_frame, near, context)


def _why_ask(load: Callable[[], Array | None], context: Context) -> str:
    """Say why a picture needs a yes; empty where it does not."""
    from callboard.faces.cascade import FaceFinder

    try:
        pixels = load()
    except (OSError, ValueError):
        return "cannot be looked at"
    if pixels is None:
        return ""
    try:
        faces = FaceFinder(context.runtime).find(pixels)
    except (ModelMissing, Blocked, ImportError):
        return "may show a face, and no face detector is here"
    return f"shows {len(faces)} face{'s' if len(faces) > 1 else ''}" if faces else ""


def _read(path: Path) -> Array:
    from PIL import Image

    from callboard_placeholder.starting import read_picture

    picture = Image.fromarray(read_picture(path))
    picture.thumbnail((_SIDE, _SIDE))
    return np.asarray(picture)


def _frame(near: Neighbour, context: Context) -> Array | None:
    """Give a neighbour's frame; nothing where it cannot be had: then no engine has it either."""
    assert near.asset is not None
    try:
        frame = context.open(near.asset).picture(near.time, _SIDE)
    except MediaError:
        return None
    return None if frame is None else np.asarray(frame.pixels)


__all__ = ["AGREED", "people", "pictures"]
