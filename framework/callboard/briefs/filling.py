"""Fills a brief where nobody said anything, and marks each guess with its reason. What a person said is not touched."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast, get_args

from callboard_schemas import SHOT_SIZES, Brief, Neighbour, ShotSize, TimeOfDay
from msgspec.structs import replace

from callboard.briefs.headings import is_heading, read_heading
from callboard.briefs.shotnames import of_name, of_words
from callboard.briefs.wording import Guess, of_sentence

DEFAULT: Final = "nobody said; the default"
_DEFAULTS: Final[dict[str, Any]] = {"shot_size": "medium shot", "angle": "eye level", "movement": "static"}
_COLOURS = 5
_FEWEST_STEPS = 2
"""Sizes from one shot to the next. A cut to nearly the same framing looks like a fault: film schools ask for 30 degrees
or a clear change of size (https://en.wikipedia.org/wiki/30-degree_rule); the next size alone is not clear."""
_PREFERRED: Final[tuple[ShotSize, ...]] = (
    "medium shot",
    "close-up",
    "wide shot",
    "medium close-up",
    "medium long shot",
)
_MOODS: Final = ("low key", "high key", "warm colours", "cool colours", "muted colours", "vivid colours")
"""Labels of pictures that say how a scene feels; both neighbours must bear one."""


def fill(brief: Brief, shot: str, neighbours: Sequence[Neighbour] = (), cast: Sequence[str] = ()) -> Brief:
    """Fill what a brief leaves open, from the surest source to the least.

    In this order: the slug line; the purpose and the notes; the shot's name; who speaks; the neighbours; and for size,
    angle and movement a default. Done again with more neighbours it changes defaults only.

    Args:
        brief: As a person, or a program, left it.
        shot: The shot's name.
        neighbours: The shots before and behind it, where they are known; those that the brief has stay.
        cast: Names of people in the film, by which names of shots are read.

    Returns:
        A brief whose ``guesses`` says of each field that was filled why it says what it says.
    """
    sides = {one.side for one in brief.neighbours}
    beside = (*brief.neighbours, *(one for one in neighbours if one.side not in sides))
    filled = _Filling(brief)
    if beside != brief.neighbours:
        filled.put("neighbours", beside, "from the timeline")
    for field, value, reason in _said(brief, shot, cast):
        filled.put(field, value, reason)
    for field, value, reason in _beside(filled.brief, beside):
        filled.put(field, value, reason)
    for field, value in _DEFAULTS.items():
        filled.put(field, value, DEFAULT)
    return filled.brief


class _Filling:
    """A brief on its way."""

    def __init__(self, brief: Brief) -> None:
        unsaid = {
            field: None
            for field, value in _DEFAULTS.items()
            if brief.guesses.get(field) == DEFAULT and getattr(brief, field) == value
        }
        brief = replace(brief, **unsaid)
        stale = [field for field in brief.guesses if not _open(brief, field)]
        self.brief = replace(brief, guesses={field: brief.guesses[field] for field in stale})

    def put(self, field: str, value: object, reason: str) -> None:
        """Fill a field, unless it says something."""
        known = field == "neighbours" and value != self.brief.neighbours
        if value in (None, "", ()) or not (known or _open(self.brief, field)):
            return
        self.brief = replace(self.brief, **{field: value}, guesses={**self.brief.guesses, field: reason})


def _open(brief: Brief, field: str) -> bool:
    return getattr(brief, field, None) in (None, "", ())


_Filled = tuple[str, object, str]


def _said(brief: Brief, shot: str, cast: Sequence[str]) -> Iterator[_Filled]:
    """Give what words say: of the scene, of the shot, and of who speaks in it."""
    slug = brief.slug or (brief.purpose if is_heading(brief.purpose) else "")
    if slug:
        heading = read_heading(slug)
        for field in ("interior", "place", "time_of_day"):
            yield field, getattr(heading, field), "from the slug line"
    speakers = tuple(dict.fromkeys(line.speaker for line in brief.dialogue if line.speaker and "(" not in line.speaker))
    for name, text in (("purpose", brief.purpose), ("notes", brief.notes)):
        if text and text != slug:
            yield from _reasoned((*of_words(text), *of_sentence(text)), f"the {name}")
    yield from _reasoned(of_name(shot, (*cast, *brief.cast, *speakers)), "the shot's name")
    if speakers:
        yield "cast", speakers[:20], "who speaks"


def _reasoned(guesses: Sequence[Guess] | Iterator[Guess], source: str) -> Iterator[_Filled]:
    for guess in guesses:
        yield guess.field, guess.value, f"from {source}: {guess.words}"


def _beside(brief: Brief, beside: Sequence[Neighbour]) -> Iterator[_Filled]:
    """Give what follows from what is filled by now, and from the neighbours."""
    if brief.cast:
        yield "people", min(len(brief.cast), 20), "counted from the cast"
    yield "time_of_day", *_alike(beside, get_args(TimeOfDay))
    interior, reason = _alike(beside, ("interior", "exterior"))
    yield "interior", interior == "interior" if interior else None, reason
    moods = [mood for mood in _MOODS if len(beside) == 2 and all(mood in one.tags for one in beside)]
    yield "mood", ", ".join(moods), "as both neighbours look"
    colours = itertools.chain.from_iterable(itertools.zip_longest(*(one.palette for one in beside)))
    palette = tuple(dict.fromkeys(colour for colour in colours if colour))[:_COLOURS]
    yield "palette", palette, f"from {_named(beside)}"
    yield from _contrast(beside)


def _alike(beside: Sequence[Neighbour], labels: Sequence[str]) -> tuple[str | None, str]:
    """Give the one label that all neighbours bear who bear any."""
    bearing = [(one, label) for one in beside for label in labels if label in one.tags]
    if len({label for _, label in bearing}) != 1:
        return None, ""
    return bearing[0][1], f"as in {_named([one for one, _ in bearing])}"


def _named(beside: Sequence[Neighbour]) -> str:
    if len(beside) != 1:
        return "the shots before and after"
    return f"the shot {beside[0].side}{': ' if beside[0].name else ''}{beside[0].name}"


def size_beside(neighbour: Neighbour) -> ShotSize | None:
    """Say how large people are in a neighbour, by its tags, else by its name; nothing where it is not one size."""
    found: list[ShotSize] = [size for size in SHOT_SIZES if size in neighbour.tags]
    if not found:
        found = [guess.value for guess in of_name(neighbour.name) if guess.field == "shot_size"]
    return found[0] if len(found) == 1 else None


def _contrast(beside: Sequence[Neighbour]) -> Iterator[_Filled]:
    """Choose a size clearly other than the neighbours', the most usual of those that are."""
    sizes = {one.side: size for one in beside if (size := size_beside(one)) is not None}
    if not sizes:
        return

    def jump(size: ShotSize) -> int:
        return min(steps(size, other) for other in sizes.values())

    chosen = next((size for size in _PREFERRED if jump(size) >= _FEWEST_STEPS), max(_PREFERRED, key=jump))
    there = " and ".join(f"the {size} {side}" for side, size in sizes.items())
    yield "shot_size", chosen, f"another size than {there}"


def steps(one: str, other: str) -> int:
    """Count the sizes from one to another."""
    order = cast("tuple[str, ...]", SHOT_SIZES)
    return abs(order.index(one) - order.index(other))


__all__ = ["DEFAULT", "fill", "size_beside", "steps"]
