"""``shots.toml``: a shot list that people write by hand.

rate = "24"                      # by which lengths are counted
size = "1920x1080"               # of placeholders, where no timeline says one

[[shot]]
name = "SH010"                   # must be there; all else may be left out
purpose = "Mara finds the door open"
slug = "EXT. HARBOUR - NIGHT"
frames = 60                      # or: duration = 2.5, or "2 s 12 f", or "00:00:02:12"
start = "01:00:10:00"            # its place on the timeline
shot_size = "medium close-up"    # or MCU; angle = "low"; movement = "push in"
people = 2
cast = ["Mara", "Jon"]           # from the left of the picture
dialogue = ["MARA: It was locked."]
time_of_day = "night"            # place, interior, mood, notes, lens, sensor, palette, references as in a brief
"""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Final

import msgspec
from callboard_schemas import ANGLES, MOVEMENTS, SHOT_SIZES, TIMES_OF_DAY, Brief
from callboard_schemas.placeholders import Colour
from msgspec import Meta, Struct

from callboard.coverage import words
from callboard.coverage.shotlist import Listed, Shot, mistake
from callboard.timedtext.rate import Rate, parse_rate

_AS_THEY_ARE: Final = (
    *("purpose", "slug", "people", "place", "interior", "mood", "notes", "lens", "sensor", "palette", "references"),
    "cast",
)


class _Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=256)]
    purpose: Annotated[str, Meta(max_length=1000)] = ""
    slug: Annotated[str, Meta(max_length=300)] = ""
    frames: Annotated[int, Meta(ge=1, le=words.LONGEST)] | None = None
    duration: float | str | None = None
    start: str = ""
    shot_size: str = ""
    angle: str = ""
    movement: str = ""
    people: Annotated[int, Meta(ge=0, le=20)] | None = None
    cast: tuple[str, ...] = ()
    place: str = ""
    interior: bool | None = None
    time_of_day: str = ""
    mood: str = ""
    dialogue: str | tuple[str, ...] = ()
    notes: str = ""
    lens: Annotated[float, Meta(gt=0, le=2000)] | None = None
    sensor: Annotated[float, Meta(gt=0, le=200)] | None = None
    palette: tuple[Colour, ...] = ()
    references: tuple[str, ...] = ()


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rate: str | float | None = None
    size: Annotated[str, Meta(pattern=r"^([1-9]\d{0,4}x[1-9]\d{0,4})?$")] = ""
    shot: Annotated[tuple[_Entry, ...], Meta(max_length=100_000)] = ()


def parse(path: str, data: bytes, rate: Rate) -> Listed:
    """Read ``shots.toml``.

    Raises:
        TimelineError: it is no TOML, or says what no shot has; with the line or the key.
    """
    try:
        found = msgspec.convert(tomllib.loads(data.decode("utf-8-sig")), _File)
    except UnicodeDecodeError:
        raise mistake(path, "", "is no UTF-8 text") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise mistake(path, "", f"is no TOML: {error}") from None
    except msgspec.ValidationError as error:
        what, _, key = str(error).rpartition(" - at `$")
        raise mistake(path, key.strip("`.").removeprefix("."), (what or str(error)).lower()) from None
    counted = _rate(path, found.rate) or rate
    width, height = map(int, found.size.split("x")) if found.size else (0, 0)
    shots = tuple(_shot(path, number, one, counted) for number, one in enumerate(found.shot))
    if not shots:
        raise mistake(path, "shot", "there is no [[shot]] in it")
    timed = all(one.start is not None and one.frames for one in shots)
    return Listed(path=path, rate=counted, shots=shots, timed=timed, width=width, height=height)


def _rate(path: str, said: str | float | None) -> Rate | None:
    try:
        return None if said is None else parse_rate(said if isinstance(said, str) else f"{said:g}")
    except ValueError as error:
        raise mistake(path, "rate", str(error)) from None


def _shot(path: str, number: int, one: _Entry, rate: Rate) -> Shot:
    key = f"shot[{number}]"
    return Shot(
        name=one.name,
        frames=_frames(path, key, one, rate),
        start=_start(path, key, one, rate),
        brief=_brief(path, key, one),
        where=key,
    )


def _frames(path: str, key: str, one: _Entry, rate: Rate) -> int:
    if one.frames is not None and one.duration is not None:
        raise mistake(path, f"{key}.duration", "frames say already how long it is")
    if one.duration is None:
        return one.frames or 0
    said = one.duration if isinstance(one.duration, str) else f"{one.duration:.6f}"
    try:
        return words.frames(said, rate)
    except ValueError as error:
        raise mistake(path, f"{key}.duration", str(error)) from None


def _start(path: str, key: str, one: _Entry, rate: Rate) -> int | None:
    try:
        return rate.frame_of(one.start) if one.start else None
    except ValueError as error:
        raise mistake(path, f"{key}.start", str(error)) from None


def _brief(path: str, key: str, one: _Entry) -> Brief:
    told: dict[str, Any] = {name: getattr(one, name) for name in _AS_THEY_ARE}
    for field, read, known in (
        ("shot_size", words.size, SHOT_SIZES),
        ("angle", words.angle, ANGLES),
        ("movement", words.movement, MOVEMENTS),
        ("time_of_day", words.daytime, TIMES_OF_DAY),
    ):
        said = getattr(one, field)
        told[field] = read(said) if said else None
        if said and told[field] is None:
            raise mistake(path, f"{key}.{field}", f"{said!r} is none of: {', '.join(known)}")
    spoken = one.dialogue if isinstance(one.dialogue, str) else "\n".join(one.dialogue)
    return Brief(dialogue=words.lines(spoken), **told)


__all__ = ["parse"]
