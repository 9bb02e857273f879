"""Who stands where: figures for the people of a brief, placed so that the nearest has the size asked for."""

from __future__ import annotations

import math
from random import Random
from typing import Final, Literal

from callboard_schemas import Brief
from msgspec import Struct
from msgspec.structs import replace

from callboard_placeholder.previs.colouring import clothes
from callboard_placeholder.previs.framing import View
from callboard_placeholder.previs.plan import STATURE, SUNK, Person
from callboard_placeholder.previs.wording import Pose, looks

SEAT: Final = 0.47
"""Metres: height of a chair (EN 1729 for adults)."""
_EYES: Final = 0.9375  # of a standing person's height, to the middle of the head
_SHOULDERS: Final = 0.52  # metres from one person to the next, so that they do not touch
_SPEED: Final = 1.25  # metres a second of an easy walk
_SKINS: Final = ((0.52, 0.34, 0.26), (0.4, 0.24, 0.17), (0.6, 0.42, 0.33), (0.3, 0.17, 0.115))
_HAIRS: Final = ((0.035, 0.022, 0.018), (0.1, 0.055, 0.03), (0.012, 0.011, 0.012), (0.16, 0.1, 0.05))
_TALKS: Final = 30.0  # degrees from the camera of somebody who talks to another: three quarters, as portraits say


class Company(Struct, frozen=True, kw_only=True):
    """The people of a shot."""

    people: tuple[Person, ...]
    along: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Metres that the camera goes along with them."""
    notes: tuple[str, ...] = ()


def count_of(brief: Brief) -> tuple[int, str]:
    """Say how many people there are, and what was assumed."""
    if brief.people is not None:
        return brief.people, ""
    named = len(brief.cast) or len({line.speaker for line in brief.dialogue if line.speaker})
    if named:
        return min(named, 20), f"people are counted by their names: {named}"
    return 1, "nobody said how many people there are: one stands in"


def eyes(pose: Pose, height: float = STATURE) -> float:
    """Give how high above the ground the middle of a head is, metres."""
    return (_EYES - (SUNK / STATURE if pose == "sitting" else 0.0)) * height


def company(
    brief: Brief, count: int, pose: Pose, view: View, seconds: float, seed: int, *, shoulder: bool = False
) -> Company:
    """Place the people.

    Args:
        brief: For names, dialogue and neighbours.
        count: Of people.
        pose: Of all but who is looked over.
        view: What the camera sees at the middle of the shot.
        seconds: How long it lasts.
        seed: Of looks, phases and what nobody said.
        shoulder: One of them stands with the back to the camera, before it.
    """
    chance = Random(seed)  # noqa: S311 - varies figures, and must give the same again
    if count == 0:
        return Company(people=())
    if shoulder:
        people, notes = _shoulder(brief, view, chance)
    elif count == 2:
        people, notes = _pair(brief, view, pose)
    else:
        people, notes = _rows(brief, count, view, pose, chance)
    dressed = [_dressed(person, index, brief, chance) for index, person in enumerate(people)]
    if pose != "walking" or shoulder:
        return Company(people=tuple(dressed), notes=tuple(notes))
    return _walking(dressed, brief, view, seconds, notes)


def _name(brief: Brief, index: int) -> str:
    speakers = list(dict.fromkeys(line.speaker for line in brief.dialogue if line.speaker))
    names = brief.cast or tuple(speakers)
    return names[index][:40] if index < len(names) else f"Person {index + 1}"


def _person(brief: Brief, index: int, pose: Pose, at: tuple[float, float], turn: float, head: float) -> Person:
    return Person(
        name=_name(brief, index), pose=pose, at=(round(at[0], 4), round(at[1], 4)), turn=turn, head=(head, 0.0)
    )


def _gaze(brief: Brief, chance: Random) -> tuple[Literal[-1, 1], list[str]]:
    """Say whither one person looks, -1 for the left of the picture: at whom the neighbours show, or by chance."""
    seen = [way for neighbour in brief.neighbours if (way := looks(neighbour.tags))]
    if seen:
        # Who answers looks the other way, so that the camera stays on its side of the two.
        return (1 if seen[0] == "left" else -1), [f"looks to meet the neighbour's look to the {seen[0]}"]
    return (1 if chance.random() < 0.5 else -1), []


def _pair(brief: Brief, view: View, pose: Pose) -> tuple[list[Person], list[str]]:
    """Two who talk, turned to each other as far as their faces are still seen; the first on the left."""
    half = min(max(0.18 * view.wide, 0.14), 0.55) + (0.12 if pose == "sitting" and view.wide > 1.5 else 0.0)
    back = 0.34 if half < 0.27 else 0.0  # too near to stand beside each other: one stands farther back
    body = _TALKS + 12.0
    people = [
        _person(brief, 0, pose, (-half, 0.0), body, 8.0 - body + _TALKS - 8.0),
        _person(brief, 1, pose, (half, back), -body, body - _TALKS),
    ]
    notes = ["the picture is too narrow for two faces: the second is partly out of it"] if view.wide < 0.45 else []
    return people, notes


def _shoulder(brief: Brief, view: View, chance: Random) -> tuple[list[Person], list[str]]:
    """One who is looked at, and another before the camera who looks at them."""
    side, notes = _gaze(brief, chance)
    # Who looks to the left of the picture is on its right, and the other's shoulder on its left.
    near = max(view.distance - 1.15, 0.5 * view.distance)
    main = _person(brief, 0, "standing", (-side * 0.14 * view.wide, 0.0), side * 22.0, -side * 4.0)
    out = side * (0.44 * view.wide * (1.0 - near / view.distance + 0.04))
    other = _person(brief, 1, "standing", (out, -near), 180.0 + side * 14.0, side * 6.0)
    return [main, other], notes


def _rows(brief: Brief, count: int, view: View, pose: Pose, chance: Random) -> tuple[list[Person], list[str]]:
    """One, or several in rows, the first row as large as was asked for."""
    if count == 1:
        side, notes = _gaze(brief, chance)
        turn = 24.0 if pose != "walking" else 50.0
        return [_person(brief, 0, pose, (-side * 0.07 * view.wide, 0.0), side * turn, -side * (turn - 14.0))], notes
    spacing = max(min(0.8 * view.wide / count, 0.95), _SHOULDERS) + (0.2 if pose == "sitting" else 0.0)
    abreast = max(min(int(0.86 * view.wide / spacing), count), 1)
    people: list[Person] = []
    while len(people) < count:
        row = len(people) // abreast
        here = min(abreast, count - len(people))
        for place in range(here):
            across = (place - (here - 1) / 2 + (0.5 if row % 2 and here == abreast else 0.0)) * spacing
            across += chance.uniform(-0.06, 0.06) + (0.3 * view.wide if abreast == 1 and row % 2 else 0.0)
            deep = row * 0.95 + (chance.uniform(0.02, 0.25) if len(people) else 0.0)
            turn = -math.degrees(math.atan2(across, 2.5)) + chance.uniform(-12.0, 12.0)
            people.append(_person(brief, len(people), pose, (across, deep), turn, chance.uniform(-10.0, 10.0)))
    rows = -(-count // abreast)
    notes = [f"the picture is {abreast} wide: the people stand in {rows} rows"] if rows > 1 else []
    return people, notes


def _dressed(person: Person, index: int, brief: Brief, chance: Random) -> Person:
    """Give a figure its looks; the first four differ, and who speaks moves more."""
    top, bottom = clothes(brief, index)
    speaks = any(line.speaker == person.name for line in brief.dialogue)
    height = round(STATURE * (1.0 if index == 0 else chance.uniform(0.93, 1.0)), 3)
    return replace(
        person,
        height=height,
        sunk=round(SUNK * height / STATURE, 4) if person.pose == "sitting" else 0.0,
        skin=_SKINS[index % len(_SKINS)],
        hair=_HAIRS[index % len(_HAIRS)],
        top=top,
        bottom=bottom,
        phase=round(chance.random(), 3),
        lively=1.8 if speaks else 1.0,
    )


def _walking(people: list[Person], brief: Brief, view: View, seconds: float, notes: list[str]) -> Company:
    """Let them walk, the camera along with them where they would leave the picture."""
    goes = _SPEED * seconds
    lead = math.radians(people[0].turn)
    still = brief.movement == "static"
    if still:  # across the picture, as far as it is wide
        whole = (math.copysign(min(goes, 0.5 * view.wide), lead), 0.0)
    else:
        whole = (goes * math.sin(lead), -goes * math.cos(lead))
        notes = [*notes, "the camera goes along with who walks"]
    walk = (round(whole[0], 4), round(whole[1], 4))
    ways = tuple(replace(person, turn=people[0].turn, head=people[0].head, walk=walk) for person in people)
    return Company(people=ways, along=(0.0, 0.0, 0.0) if still else (*walk, 0.0), notes=tuple(notes))


__all__ = ["SEAT", "Company", "company", "count_of", "eyes"]
