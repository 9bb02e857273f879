"""Places as grey boxes: what stands for a harbour, a forest, a street or a room, behind and beside the people."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, radians, sin
from random import Random
from typing import Final

from callboard_schemas import Brief
from msgspec.structs import replace

from callboard_placeholder.previs.casting import SEAT, Company
from callboard_placeholder.previs.colouring import leaning
from callboard_placeholder.previs.framing import View
from callboard_placeholder.previs.plan import Colour, Point, Prop, Shape

_GROUNDS: Final[dict[str, Colour]] = {
    "": (0.2, 0.2, 0.195),
    "harbour": (0.21, 0.2, 0.185),
    "forest": (0.11, 0.125, 0.075),
    "street": (0.14, 0.14, 0.145),
    "desert": (0.42, 0.32, 0.2),
    "mountains": (0.17, 0.17, 0.13),
    "field": (0.19, 0.2, 0.1),
    "car": (0.15, 0.15, 0.155),
    "room": (0.22, 0.17, 0.125),
}
_WATER: Final[Colour] = (0.07, 0.12, 0.16)
_WALL: Final[Colour] = (0.36, 0.35, 0.33)
_WOOD: Final[Colour] = (0.17, 0.12, 0.08)
_GREY: Final[Colour] = (0.25, 0.25, 0.25)
_GREEN: Final[Colour] = (0.075, 0.115, 0.06)
_CEILING: Final = 2.9  # metres; 2.5 is usual at home, 3 in offices


def ground_of(brief: Brief, place: str, *, indoors: bool) -> Colour:
    """Give the colour of the ground."""
    return leaning(_GROUNDS["room" if indoors and place in ("", "room") else place], brief, 0, 0.4)


def props_of(brief: Brief, place: str, company: Company, view: View, seed: int, *, indoors: bool) -> list[Prop]:
    """Give what stands about, none of it where people are or between them and the camera.

    Args:
        brief: For its palette.
        place: A name of ``wording.PLACES``, or nothing.
        company: Of those who sit, each gets a seat.
        view: How much is seen; walls stand outside of it.
        seed: Of where things stand.
        indoors: Walls, a floor and what is in a room.
    """
    chance = Random(seed * 7919 + 17)  # noqa: S311 - places grey boxes, and must give the same again
    deep = max((person.at[1] for person in company.people), default=0.0)
    built = _seats(company)
    if indoors:
        built += _room(chance, view, deep)
    elif place in _BUILDERS:
        built += _BUILDERS[place](chance, deep)
    return [_coloured(prop, brief, index) for index, prop in enumerate(built)]


def _coloured(prop: Prop, brief: Brief, index: int) -> Prop:
    return replace(prop, colour=leaning(prop.colour, brief, index + 1, 0.45))


def _prop(
    name: str, shape: Shape, at: Point, size: Point, colour: Colour, *, turn: float = 0.0, shadow: bool = True
) -> Prop:
    rounded = [tuple(round(value, 4) for value in point) for point in (at, size)]
    return Prop(
        name=name,
        shape=shape,
        at=(rounded[0][0], rounded[0][1], rounded[0][2]),
        size=(rounded[1][0], rounded[1][1], rounded[1][2]),
        colour=colour,
        turn=round(turn, 2),
        shadow=shadow,
    )


def _box(name: str, x: float, y: float, size: Point, colour: Colour, *, turn: float = 0.0, shadow: bool = True) -> Prop:
    """Put a box on the ground."""
    return _prop(name, "box", (x, y, size[2] / 2), size, colour, turn=turn, shadow=shadow)


def _seats(company: Company) -> list[Prop]:
    seats = []
    for person in company.people:
        if person.pose == "sitting":
            x, y = person.at
            tall = SEAT * person.height / 1.8
            seats.append(_box(f"Seat of {person.name}", x, y, (0.44, 0.44, tall), _WOOD, turn=person.turn))
            turned = radians(person.turn)
            back = (x - 0.235 * sin(turned), y + 0.235 * cos(turned), tall + 0.2)
            seats.append(_prop(f"Back of {person.name}", "box", back, (0.42, 0.035, 0.42), _WOOD, turn=person.turn))
    return seats


def _room(chance: Random, view: View, deep: float) -> list[Prop]:
    """Give three walls with a window, a door, a table and shelves; the fourth is where the camera is."""
    back = deep + max(1.7, 0.75 * view.wide)
    half = max(2.6, 1.5 * view.wide + 0.5)
    long = back + view.distance + 3.0
    tall = max(_CEILING, view.centre[2] + 0.9 * view.high)
    middle = back - long / 2
    seen = 0.5 * view.wide * (1.0 + back / view.distance)
    window = chance.choice((-1.0, 1.0)) * min(0.5 * seen, 1.3)
    walls = [
        _prop("Wall back", "box", (0.0, back + 0.05, tall / 2), (2 * half, 0.1, tall), _WALL, shadow=False),
        _prop("Wall left", "box", (-half, middle, tall / 2), (0.1, long, tall), _WALL, shadow=False),
        _prop("Wall right", "box", (half, middle, tall / 2), (0.1, long, tall), _WALL, shadow=False),
        _prop("Skirting", "box", (0.0, back - 0.01, 0.05), (2 * half, 0.03, 0.1), _WOOD, shadow=False),
        _prop("Window", "box", (window, back - 0.01, 1.6), (1.0, 0.04, 1.2), (0.6, 0.66, 0.72), shadow=False),
        _prop("Window bar", "box", (window, back - 0.03, 1.6), (0.05, 0.03, 1.2), _WOOD, shadow=False),
        _prop("Window sill", "box", (window, back - 0.06, 0.98), (1.1, 0.14, 0.04), _WOOD, shadow=False),
        _prop("Door", "box", (-window * 1.15, back - 0.01, 1.02), (0.9, 0.05, 2.04), _WOOD, shadow=False),
        _box("Table", window * 1.25, back - 0.6, (1.3, 0.7, 0.74), _WOOD, shadow=False),
    ]
    shelf = half - 0.2
    walls.append(_box("Shelves", -shelf if window > 0 else shelf, back - 1.2, (0.36, 1.6, 2.0), _WOOD, shadow=False))
    if view.pitch < 15.0:  # a camera from above looks over the walls
        walls.append(_prop("Ceiling", "box", (0.0, middle, tall + 0.05), (2 * half, long, 0.1), _WALL, shadow=False))
    return walls


def _harbour(chance: Random, deep: float) -> list[Prop]:
    edge = deep + 4.5
    built = [
        _prop("Water", "box", (0.0, edge + 150.0, 0.01), (600.0, 300.0, 0.02), _WATER),
        _prop("Quay edge", "box", (0.0, edge, 0.09), (600.0, 0.5, 0.18), _GREY),
    ]
    for index in range(5):
        x = -9.0 + 4.5 * index + chance.uniform(-0.6, 0.6)
        built.append(
            _prop(f"Bollard {index + 1}", "cylinder", (x, edge - 0.7, 0.3), (0.34, 0.34, 0.6), (0.1, 0.1, 0.11))
        )
    for index, x in enumerate((-8.0, -5.2, 6.0)):
        high = 2.6 if index != 1 else 5.2
        built.append(_box(f"Container {index + 1}", x, edge - 1.9 + chance.uniform(-0.3, 0.3), (2.4, 2.4, high), _GREY))
    for index in range(3):
        x, y = -16.0 + 15.0 * index + chance.uniform(-3, 3), edge + 9.0 + chance.uniform(0, 9)
        built.append(
            _prop(f"Hull {index + 1}", "box", (x, y, 0.8), (9.0, 2.6, 1.6), (0.3, 0.3, 0.31), turn=8.0 - 6.0 * index)
        )
        built.append(_prop(f"Cabin {index + 1}", "box", (x - 1.5, y, 2.3), (2.8, 1.8, 1.5), (0.4, 0.4, 0.4)))
        built.append(_prop(f"Mast {index + 1}", "cylinder", (x + 1.2, y, 4.6), (0.14, 0.14, 6.2), _WOOD))
    built.append(_box("Far shore", 0.0, edge + 210.0, (500.0, 20.0, 9.0), (0.22, 0.24, 0.26), shadow=False))
    return built


def _forest(chance: Random, deep: float) -> list[Prop]:
    built = []
    for index in range(34):
        y = deep + 3.0 + 26.0 * (index / 34) ** 1.3
        x = chance.uniform(-1.0, 1.0) * (5.0 + 0.9 * y)
        tall, wide = chance.uniform(4.5, 8.5), chance.uniform(1.7, 2.8)
        built.append(_prop(f"Trunk {index + 1}", "cylinder", (x, y, 0.9), (0.3, 0.3, 1.8), _WOOD))
        built.append(_prop(f"Tree {index + 1}", "cone", (x, y, 1.3 + tall / 2), (wide, wide, tall), _GREEN))
    return built


def _street(chance: Random, deep: float) -> list[Prop]:
    built = [_prop("Road", "box", (0.0, deep + 8.0, 0.005), (300.0, 7.0, 0.01), (0.075, 0.075, 0.08))]
    built.append(_box("Pavement", 0.0, deep + 14.5, (300.0, 6.0, 0.12), _GREY))
    x = -44.0
    for index in range(9):
        wide = chance.uniform(7.5, 12.0)
        tall = chance.uniform(6.0, 15.0)
        shade = chance.uniform(0.2, 0.34)
        built.append(
            _box(
                f"House {index + 1}",
                x + wide / 2,
                deep + 22.0,
                (wide - 0.25, 9.0, tall),
                (shade, shade, shade),
                shadow=False,
            )
        )
        for window in range(3):
            at = (x + wide * (0.22 + 0.28 * window), deep + 17.46, 3.0 + chance.uniform(-0.1, 0.1))
            built.append(
                _prop(f"Window {index + 1}.{window + 1}", "box", at, (1.1, 0.1, 1.7), (0.08, 0.09, 0.11), shadow=False)
            )
        x += wide
    for index in range(4):
        lamp = -15.0 + 10.0 * index
        built.append(
            _prop(f"Lamp post {index + 1}", "cylinder", (lamp, deep + 12.0, 2.3), (0.12, 0.12, 4.6), (0.1, 0.1, 0.1))
        )
    return [*built, *_parked(-5.4, deep + 5.6, 0.0, "Car 1"), *_parked(6.2, deep + 10.4, 180.0, "Car 2")]


def _parked(x: float, y: float, turn: float, name: str) -> list[Prop]:
    colour: Colour = (0.2, 0.21, 0.23)
    wheels = [
        _prop(f"{name} wheel {at + 1}", "box", (x + dx, y + dy, 0.3), (0.6, 0.2, 0.6), (0.03, 0.03, 0.03))
        for at, (dx, dy) in enumerate(((-1.3, -0.72), (1.3, -0.72), (-1.3, 0.72), (1.3, 0.72)))
    ]
    return [
        _prop(f"{name} body", "box", (x, y, 0.62), (4.3, 1.75, 0.62), colour, turn=turn),
        _prop(
            f"{name} cabin",
            "box",
            (x + (0.25 if turn else -0.25), y, 1.15),
            (2.2, 1.55, 0.5),
            (0.09, 0.1, 0.12),
            turn=turn,
        ),
        *wheels,
    ]


def _car(chance: Random, deep: float) -> list[Prop]:
    return [*_parked(chance.uniform(-0.6, 0.6), deep + 2.3, 0.0, "Car"), *_street(chance, deep + 4.0)[:14]]


def _desert(chance: Random, deep: float) -> list[Prop]:
    return [
        _prop(
            f"Dune {index + 1}",
            "sphere",
            (chance.uniform(-1, 1) * (20.0 + 6.0 * index), deep + 16.0 + 9.0 * index, -0.4),
            (chance.uniform(26, 48), chance.uniform(12, 18), chance.uniform(2.5, 5.5) + index * 0.4),
            (0.44, 0.34, 0.22),
        )
        for index in range(9)
    ]


def _mountains(chance: Random, deep: float) -> list[Prop]:
    built = [
        _prop(
            f"Mountain {index + 1}",
            "cone",
            (-150.0 + 45.0 * index + chance.uniform(-12, 12), deep + 120.0 + chance.uniform(0, 60), 18.0),
            (90.0, 90.0, 36.0 + chance.uniform(0, 34)),
            (0.24, 0.26, 0.29),
            shadow=False,
        )
        for index in range(8)
    ]
    for index in range(8):
        size = chance.uniform(0.5, 1.6)
        at = (chance.uniform(-12, 12), deep + 3.0 + chance.uniform(0, 12), size * 0.25)
        built.append(_prop(f"Rock {index + 1}", "sphere", at, (size * 1.4, size, size), _GREY))
    return built


def _field(chance: Random, deep: float) -> list[Prop]:
    built = [_box("Barn", chance.choice((-11.0, 12.0)), deep + 27.0, (9.0, 7.0, 5.0), (0.26, 0.16, 0.13))]
    built += [_box(f"Fence post {at + 1}", 2.5 * at - 20.0, deep + 6.0, (0.12, 0.12, 1.15), _WOOD) for at in range(17)]
    rails = ((0.5, "lower"), (0.95, "upper"))
    built += [
        _prop(f"Fence rail {name}", "box", (0.0, deep + 6.0, high), (40.0, 0.05, 0.11), _WOOD) for high, name in rails
    ]
    built.append(_box("Hedge", 0.0, deep + 70.0, (300.0, 4.0, 3.0), _GREEN, shadow=False))
    return [*built, *_forest(chance, deep + 30.0)[:12]]


_BUILDERS: Final[dict[str, Callable[[Random, float], list[Prop]]]] = {
    "harbour": _harbour,
    "forest": _forest,
    "street": _street,
    "desert": _desert,
    "mountains": _mountains,
    "field": _field,
    "car": _car,
}

__all__ = ["ground_of", "props_of"]
