"""From a brief to a plan: everything that can be decided without Blender, and what the plan leaves out in words."""

from __future__ import annotations

from typing import Final

from callboard.timedtext.rate import Rate
from callboard_schemas import Brief, ShotSize

from callboard_placeholder.engine import Order
from callboard_placeholder.previs import wording
from callboard_placeholder.previs.casting import Company, company, count_of, eyes
from callboard_placeholder.previs.colouring import light_of, palette_of
from callboard_placeholder.previs.framing import View, camera_of, view_of
from callboard_placeholder.previs.places import ground_of, props_of
from callboard_placeholder.previs.plan import Plan

_SAMPLES: Final = 1  # at each corner of a pixel; almost all of the time goes into rays, and each costs as much
_SMOOTH: Final = 24
"""Frames a second; every second one is rendered and stands for two, as animatics are drawn: on twos."""


def plan_of(order: Order, side: int = 960, *, labels: bool = False) -> Plan:
    """Work out the scene for an order.

    Args:
        order: What to make.
        side: Pixels of the longer side at most that is rendered; the rest is enlargement.
        labels: Write names above the figures.
    """
    brief = order.brief
    notes: list[str] = []
    size = _size(brief, notes)
    count, counted = count_of(brief)
    indoors, place = wording.inside(brief), wording.place_of(brief)
    pose = wording.pose_of(brief)
    shoulder = wording.over_shoulder(brief) and count >= 2
    aspect = float(order.pixel_aspect) * order.width / order.height
    view = view_of(brief, size, aspect, (0.0, 0.0, eyes("standing" if shoulder else pose)))
    who = company(brief, count, pose, view, order.seconds, order.seed, shoulder=shoulder)
    movement = brief.movement or "static"
    camera = camera_of(view, movement, order.frames, size, who.along)
    light, lit = light_of(brief, indoors=indoors)
    step = _step(order.rate)
    percent = min(100, max(1, 100 * side // max(order.width, order.height)))
    notes += [counted, *who.notes, *lit, *_left_out(brief, view, who, place, indoors=indoors)]
    if step > 1:
        whole = "" if len(camera.keys) == 1 and not camera.shake else ", the camera too"
        notes.append(f"moves on every {_ordinal(step)} frame{whole}")
    if percent < 100:
        notes.append(f"rendered at {percent} % of its size and enlarged")
    return Plan(
        shot=order.shot,
        about=_about(order),
        frames=order.frames,
        rate=(order.rate.numerator, order.rate.denominator),
        width=order.width,
        height=order.height,
        pixel_aspect=(order.pixel_aspect.numerator, order.pixel_aspect.denominator),
        percent=percent,
        samples=_SAMPLES,
        step=step,
        seed=order.seed,
        size=size,
        people=who.people,
        camera=camera,
        light=light,
        ground=ground_of(brief, place, indoors=indoors),
        props=tuple(props_of(brief, place, who, view, order.seed, indoors=indoors)),
        labels=labels,
        notes=tuple(note for note in notes if note),
    )


def _size(brief: Brief, notes: list[str]) -> ShotSize:
    if brief.shot_size is not None:
        return brief.shot_size
    notes.append("nobody said the shot size: it is a medium shot")
    return "medium shot"


def _step(rate: Rate) -> int:
    """Give how many frames one rendered picture stands."""
    return max(1, round(rate.fps / _SMOOTH)) * 2


def _ordinal(step: int) -> str:
    return {2: "second", 3: "third"}.get(step, f"{step}th")


def _left_out(brief: Brief, view: View, who: Company, place: str, *, indoors: bool) -> list[str]:
    """Say what the brief asks for and the pictures do not show."""
    notes = []
    if not place and not indoors:
        told = brief.place or brief.slug
        notes.append(f"no grey boxes stand for {told!r}: there is ground alone" if told else "no place is known")
    if indoors and place not in ("", "room"):
        notes.append("any interior is a room")
    if (undone := wording.unshown(brief)) and who.people:
        notes.append(f"nobody {undone!r} here: figures stand, sit or walk")
    if brief.angle == "low angle" and view.pitch > -8.0:
        notes.append("the camera would be under the ground for a lower angle")
    if wording.over_shoulder(brief) and len(who.people) < 2:
        notes.append("over the shoulder needs two people")
    if brief.references:
        notes.append("references are not looked at")
    if brief.dialogue:
        notes.append("mouths do not move")
    _, whose = palette_of(brief)
    if whose:
        notes.append(f"colours lean to those of {whose}")
    return notes


def _about(order: Order) -> str:
    brief = order.brief
    told = {
        "purpose": brief.purpose,
        "slug": brief.slug,
        "shot size": brief.shot_size,
        "angle": brief.angle,
        "movement": brief.movement,
        "place": brief.place,
        "time of day": brief.time_of_day,
        "mood": brief.mood,
        "notes": brief.notes,
    }
    lines = [f"{name}: {value}" for name, value in told.items() if value]
    lines += [f"{line.speaker}: {line.text}" for line in brief.dialogue]
    return "\n".join([f"{order.shot}, version {order.version}, seed {order.seed}", *lines])


__all__ = ["plan_of"]
