"""Prompts: a brief put into words by a template that people can edit."""

from __future__ import annotations

import colorsys
import string
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from callboard.errors import JobError
from callboard.known_types import know
from callboard_schemas import Brief
from msgspec import Struct

DEFAULT: Final = Path(__file__).with_name("prompts.toml")
_NUMBERS: Final = ("nobody", "one person", "two people")
_HUES: Final = (
    (15, "red"),
    (45, "orange"),
    (70, "yellow"),
    (165, "green"),
    (200, "cyan"),
    (260, "blue"),
    (320, "purple"),
)
"""Degrees up to which a hue has a name; behind the last it is red again."""
_COLOURS: Final = 4
"""Colours that are put into words; models do not tell more apart."""
_LABELS: Final = 5


class _More(Struct, frozen=True, forbid_unknown_fields=True):
    prompt: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()


class Template(Struct, frozen=True, forbid_unknown_fields=True):
    """What a prompts file says."""

    prompt: tuple[str, ...]
    negative: tuple[str, ...] = ()
    models: dict[str, _More] = {}
    """Name of a model pack to phrases that are added for it."""


class Prompt(Struct, frozen=True):
    """What is asked of a model."""

    text: str
    negative: str


def fields(brief: Brief, shot: str) -> dict[str, str]:
    """Put what a brief says into words, by the names that templates use; what it does not say is empty."""
    neighbours = {one.side: ", ".join(one.tags[:_LABELS]) for one in brief.neighbours}
    return {
        "purpose": brief.purpose.strip().rstrip("."),
        "shot_size": brief.shot_size or "",
        "angle": "" if brief.angle in (None, "eye level") else str(brief.angle),
        "movement": "" if brief.movement in (None, "static") else str(brief.movement),
        "people": "" if brief.people is None else _people(brief.people),
        "cast": ", ".join(brief.cast),
        "place": brief.place,
        "setting": "" if brief.interior is None else "interior" if brief.interior else "exterior",
        "time_of_day": brief.time_of_day or "",
        "mood": brief.mood,
        "colours": ", ".join(dict.fromkeys(map(colour, brief.palette[:_COLOURS]))),
        "lens": f"{brief.lens:g} mm lens" if brief.lens else "",
        "notes": brief.notes,
        "slug": brief.slug,
        "shot": shot,
        "before": neighbours.get("before", ""),
        "after": neighbours.get("after", ""),
    }


def read(path: str = "") -> Template:
    """Read a template; the built-in one where *path* is empty.

    Raises:
        JobError: it is not there or wrong: the message names the field.
    """
    file = Path(path) if path else DEFAULT
    try:
        template = msgspec.convert(tomllib.loads(file.read_text("utf-8")), Template)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise JobError(
            f"the prompts in {file} cannot be read: {error}", f"{DEFAULT} is the one to start from."
        ) from None
    for phrase in _phrases(template):
        _check(phrase, file)
    return template


def compose(template: Template, brief: Brief, shot: str, model: str = "") -> Prompt:
    """Put a brief into a prompt.

    Args:
        template: As ``read`` gives it.
        brief: What the shot is for.
        shot: Its name.
        model: The model's name, for what the template adds for it.

    Raises:
        JobError: the brief says nothing that the template uses.
    """
    known = fields(brief, shot)
    more = template.models.get(model, _More())
    if not any(known[name] for phrase in template.prompt for name in _named(phrase)):
        raise JobError(
            f"the brief of {shot} says nothing that a prompt could be made of", "Say its purpose in one sentence."
        )
    return Prompt(
        _joined((*template.prompt, *more.prompt), known), _joined((*template.negative, *more.negative), known)
    )


def _phrases(template: Template) -> list[str]:
    own = [phrase for more in template.models.values() for phrase in (*more.prompt, *more.negative)]
    return [*template.prompt, *template.negative, *own]


def _check(phrase: str, file: Path) -> None:
    try:
        parts = list(string.Formatter().parse(phrase))
    except ValueError as error:
        raise JobError(f"{file}: {phrase!r} is no template: {error}", "A brace as such is written twice.") from None
    for _, name, how, turned in parts:
        if name is not None and (name not in FIELDS or how or turned):
            raise JobError(f"{file}: there is no field {{{name}}} (in {phrase!r})", f"There are: {', '.join(FIELDS)}.")


def _named(phrase: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(phrase) if name]


def _joined(phrases: Sequence[str], known: Mapping[str, str]) -> str:
    said = [phrase.format_map(known) for phrase in phrases if all(known[name] for name in _named(phrase))]
    return ", ".join(dict.fromkeys(" ".join(each.split()) for each in said if each.strip()))


def _people(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else f"{number} people"


def colour(code: str) -> str:
    """Give the plain name of an sRGB colour such as ``#1b2a3c``: ``dark blue``."""
    red, green, blue = (int(code[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, light, vivid = colorsys.rgb_to_hls(red, green, blue)
    if light < 0.08:
        return "black"
    if light > 0.93:
        return "white"
    shade = "dark " if light < 0.3 else "pale " if light > 0.75 else ""
    if vivid < 0.12:
        return f"{shade}grey"
    name = next((name for limit, name in _HUES if hue * 360 < limit), "red")
    return "brown" if name == "orange" and light < 0.4 else f"{shade}{name}"


FIELDS: Final = tuple(fields(Brief(), ""))
"""Names that a template may use."""


know(Template)

__all__ = ["DEFAULT", "FIELDS", "Prompt", "Template", "colour", "compose", "fields", "read"]
