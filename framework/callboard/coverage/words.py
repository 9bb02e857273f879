"""What people write into shot lists, as a brief says it: ``MCU``, ``low``, ``push in``, ``I/E``, ``2 s 12 f``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Final, TypeVar

from callboard_schemas import ANGLES, MOVEMENTS, SHOT_SIZES, TIMES_OF_DAY, Angle, Line, Movement, ShotSize, TimeOfDay

from callboard.timedtext.rate import Rate

T = TypeVar("T", bound=str)

_SIZES: Final[Mapping[str, ShotSize]] = {
    "ecu": "extreme close-up",
    "xcu": "extreme close-up",
    "bcu": "extreme close-up",
    "vcu": "extreme close-up",
    "big close-up": "extreme close-up",
    "insert": "extreme close-up",
    "macro": "extreme close-up",
    "cu": "close-up",
    "close": "close-up",
    "close shot": "close-up",
    "mcu": "medium close-up",
    "cms": "medium close-up",
    "medium close": "medium close-up",
    "bust": "medium close-up",
    "ms": "medium shot",
    "mid": "medium shot",
    "mid shot": "medium shot",
    "medium": "medium shot",
    "waist": "medium shot",
    "mls": "medium long shot",
    "mws": "medium long shot",
    "medium wide": "medium long shot",
    "medium wide shot": "medium long shot",
    "medium long": "medium long shot",
    "cowboy": "medium long shot",
    "cowboy shot": "medium long shot",
    "american": "medium long shot",
    "american shot": "medium long shot",
    "ws": "wide shot",
    "ls": "wide shot",
    "fs": "wide shot",
    "wide": "wide shot",
    "long shot": "wide shot",
    "full": "wide shot",
    "full shot": "wide shot",
    "master": "wide shot",
    "ews": "extreme wide shot",
    "els": "extreme wide shot",
    "xls": "extreme wide shot",
    "xws": "extreme wide shot",
    "vws": "extreme wide shot",
    "vls": "extreme wide shot",
    "extreme long shot": "extreme wide shot",
    "establishing": "extreme wide shot",
    "establishing shot": "extreme wide shot",
}
_ANGLES: Final[Mapping[str, Angle]] = {
    "eye": "eye level",
    "straight on": "eye level",
    "neutral": "eye level",
    "normal": "eye level",
    "low": "low angle",
    "worm's eye": "low angle",
    "high": "high angle",
    "top": "overhead",
    "top shot": "overhead",
    "top down": "overhead",
    "bird's eye": "overhead",
    "god's eye": "overhead",
    "aerial": "overhead",
    "dutch": "dutch angle",
    "canted": "dutch angle",
    "tilted": "dutch angle",
}
_MOVES: Final[Mapping[str, Movement]] = {
    "locked": "static",
    "locked off": "static",
    "lock off": "static",
    "still": "static",
    "none": "static",
    "fixed": "static",
    "sticks": "static",
    "tripod": "static",
    "push": "dolly in",
    "push in": "dolly in",
    "track in": "dolly in",
    "tracking in": "dolly in",
    "dolly forward": "dolly in",
    "pull": "dolly out",
    "pull out": "dolly out",
    "pull back": "dolly out",
    "track out": "dolly out",
    "dolly back": "dolly out",
    "track left": "truck left",
    "dolly left": "truck left",
    "slide left": "truck left",
    "track right": "truck right",
    "dolly right": "truck right",
    "slide right": "truck right",
    "boom up": "crane up",
    "jib up": "crane up",
    "pedestal up": "crane up",
    "boom down": "crane down",
    "jib down": "crane down",
    "pedestal down": "crane down",
    "hand held": "handheld",
    "shoulder": "handheld",
    "arc": "orbit",
    "circle": "orbit",
}
_DAYTIMES: Final[Mapping[str, TimeOfDay]] = {
    "morning": "dawn",
    "sunrise": "dawn",
    "d": "day",
    "noon": "day",
    "afternoon": "day",
    "evening": "dusk",
    "sunset": "dusk",
    "golden hour": "dusk",
    "n": "night",
    "midnight": "night",
}
_BLANKS: Final = re.compile(r"[\s_./-]+")
_CLOCK: Final = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d{1,6})?)")
_TIMECODE: Final = re.compile(r"\d{1,3}:[0-5]?\d:[0-5]?\d[:;.]\d{1,3}")
_PARTS: Final = re.compile(
    r"(?:(\d{1,5}(?:\.\d{1,6})?)\s*(?:m|min|mins|minutes?)\b)?\s*"
    r"(?:(\d{1,6}(?:\.\d{1,6})?)\s*(?:s|sec|secs|seconds?|\"|″)(?![a-z]))?\s*"
    r"(?:\+?\s*(\d{1,8})\s*(?:f|fr|frm|frames?)\b)?",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"\d{1,8}(?:\.\d{1,6})?")
_SPEAKER: Final = re.compile(r"\s*([^\s:\"“”][^:\"“”\n]{0,40}?)\s*:\s+(.+)")
LONGEST: Final = 10_000_000
"""Frames of a shot; as many as a request may ask for."""


def size(text: str) -> ShotSize | None:
    """Read a shot size; nothing where it is none that a brief knows."""
    return _one_of(text, SHOT_SIZES, _SIZES, "shot")


def angle(text: str) -> Angle | None:
    """Read a camera angle."""
    return _one_of(text, ANGLES, _ANGLES, "angle")


def movement(text: str) -> Movement | None:
    """Read what the camera does."""
    return _one_of(text, MOVEMENTS, _MOVES, "shot")


def daytime(text: str) -> TimeOfDay | None:
    """Read a time of day."""
    return _one_of(text, TIMES_OF_DAY, _DAYTIMES, "")


def interior(text: str) -> bool | None:
    """Read ``INT``, ``EXT`` or ``I/E``; both are neither."""
    plain = _plain(text)
    return {"int": True, "i": True, "interior": True, "ext": False, "e": False, "exterior": False}.get(plain)


def _one_of(text: str, known: tuple[T, ...], more: Mapping[str, T], ending: str) -> T | None:
    """Find what a text names: as a brief calls it, by another name, or with a word behind it that says its kind."""
    plain = _plain(text)
    by_name = {**{_plain(name): value for name, value in more.items()}, **{_plain(one): one for one in known}}
    for one in (plain, plain.removesuffix(f" {ending}") if ending else plain):
        if one in by_name:
            return by_name[one]
    return None


def _plain(text: str) -> str:
    return _BLANKS.sub(" ", text.replace("’", "'").strip().lower()).strip()


def people(text: str) -> tuple[str, ...]:
    """Read names of characters, separated by commas, semicolons, slashes, ``&`` or lines."""
    return tuple(one.strip() for one in re.split(r"[,;/&\n]|\band\b", text) if one.strip())[:20]


def lines(text: str) -> tuple[Line, ...]:
    """Read dialogue: a line of text each, with ``NAME:`` before it where it is said who speaks."""
    found = []
    for row in text.splitlines():
        said = _SPEAKER.fullmatch(row)
        words, speaker = (said[2], said[1]) if said else (row, "")
        words = words.strip().strip('"“”').strip()
        if words:
            found.append(Line(text=words[:2000], speaker=speaker))
    return tuple(found)


def frames(text: str, rate: Rate, *, plain: str = "seconds") -> int:
    """Read a length as whole frames: ``00:00:02:12``, ``0:02.5``, ``2.5 s``, ``1 min 3 s``, ``2s 12f``, ``60 frames``.

    Args:
        text: As the list writes it.
        rate: By which frames are counted.
        plain: What a bare number counts: ``seconds`` or ``frames``.

    Raises:
        ValueError: it is no length, or none that a shot has.
    """
    count = _frames(text.strip(), rate, plain)
    if not 0 < count <= LONGEST:
        raise ValueError(f"{text[:40]!r} is no length that a shot has")
    return count


def _frames(text: str, rate: Rate, plain: str) -> int:
    if _TIMECODE.fullmatch(text):
        return rate.frame_of(text)
    if _NUMBER.fullmatch(text):
        return round(Fraction(text)) if plain == "frames" else round(Fraction(text) * rate.fps)
    if clock := _CLOCK.fullmatch(text):
        return round((int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + Fraction(clock[3])) * rate.fps)
    parts = _PARTS.fullmatch(text)
    if parts is None or not any(parts.groups()):
        raise ValueError(f"{text[:40]!r} is no length: such as 2.5 s, 60 frames or 00:00:02:12")
    seconds = Fraction(parts[1] or 0) * 60 + Fraction(parts[2] or 0)
    return round(seconds * rate.fps) + int(parts[3] or 0)


__all__ = ["LONGEST", "angle", "daytime", "frames", "interior", "lines", "movement", "people", "size"]
