"""What a slate says: everything that the brief knows, with what was guessed marked as a guess."""

from __future__ import annotations

from callboard_schemas import Brief
from msgspec import Struct

from callboard_placeholder.engine import Order


class Fact(Struct, frozen=True):
    """A thing that is known of the shot."""

    label: str
    value: str
    guess: str = ""
    """Why it is thought to be so, where nobody said it."""

    @property
    def said(self) -> str:
        """The value as it is shown."""
        return f"{self.value} (guess: {self.guess})" if self.guess else self.value


def facts(brief: Brief) -> list[Fact]:
    """List what is known of a shot beside its purpose, dialogue and notes, the most telling first."""
    rows = (
        ("SCENE", brief.slug, ("slug",)),
        ("SIZE", brief.shot_size or "", ("shot_size",)),
        ("ANGLE", brief.angle or "", ("angle",)),
        ("MOVE", brief.movement or "", ("movement",)),
        ("TIME", (brief.time_of_day or "").upper(), ("time_of_day",)),
        ("PLACE", _place(brief), ("place", "interior")),
        ("PEOPLE", _people(brief), ("people", "cast")),
        ("MOOD", brief.mood, ("mood",)),
        ("LENS", _lens(brief), ("lens", "sensor")),
    )
    return [Fact(label, value, _guess(brief, fields)) for label, value, fields in rows if value]


def _guess(brief: Brief, fields: tuple[str, ...]) -> str:
    reasons = dict.fromkeys(brief.guesses[field] for field in fields if field in brief.guesses)
    return ", ".join(reason or "no reason given" for reason in reasons)


def guessed(brief: Brief, field: str) -> str:
    """Give what follows a text that somebody guessed; nothing where somebody said it."""
    reason = _guess(brief, (field,))
    return f" (guess: {reason})" if reason else ""


def _place(brief: Brief) -> str:
    inside = "" if brief.interior is None else ("INT." if brief.interior else "EXT.")
    return f"{inside} {brief.place}".strip()


def _people(brief: Brief) -> str:
    names = ", ".join(brief.cast)
    if brief.people is None:
        return names
    count = "nobody" if brief.people == 0 else str(brief.people)
    return f"{count}: {names}" if names else count


def _lens(brief: Brief) -> str:
    sensor = f"{brief.sensor:g} mm sensor" if brief.sensor else ""
    lens = f"{brief.lens:g} mm" if brief.lens else ""
    return " on ".join(part for part in (lens, sensor) if part)


def technical(order: Order) -> tuple[str, str]:
    """Give two lines of numbers: how long it is, and what the picture is."""
    frames = "1 frame" if order.frames == 1 else f"{order.frames} frames"
    aspect = order.pixel_aspect
    pixels = "" if aspect == 1 else f", pixel {aspect.numerator}:{aspect.denominator}"
    length = f"{order.rate.timecode(order.frames)} long, {frames} at {order.rate}"
    return length, f"{order.width} x {order.height}{pixels}"


def version(order: Order) -> str:
    """Say which of the versions this is, and its seed."""
    return f"v{order.version} of {order.versions} · seed {order.seed}"


__all__ = ["Fact", "facts", "guessed", "technical", "version"]
