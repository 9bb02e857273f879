"""What a sentence about a shot says of its size, the camera's angle and movement, and how many people are seen.

The words are those of https://en.wikipedia.org/wiki/Shot_(filmmaking), /Camera_angle, /Medium_shot, /American_shot,
/Dutch_angle, /Dolly_shot, /Panning_(camera), /Tilt_(camera), /Two_shot and /Over-the-shoulder_shot there. A word that
has another meaning counts only where its neighbours leave no doubt: a wrong guess costs more than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from callboard_schemas import Angle, Movement, ShotSize, TimeOfDay
from msgspec import Struct


class Guess(Struct, frozen=True):
    """A value for a field of a brief, and the words that say so."""

    field: str
    value: Any
    words: str


_SIZES: Final[tuple[tuple[str, ShotSize], ...]] = (
    # an eye or a mouth; "big" and "very" close-ups go from forehead to chin, with no room for a head
    (r"(?:extreme|big|very) close[- ]?ups?|choker(?: shot)?", "extreme close-up"),
    (r"medium close[- ]?ups?", "medium close-up"),
    (r"close[- ]?ups?(?= (?:of|on|from|shot)\b)|closeups?|close-ups?|tight shot|insert shot", "close-up"),
    (
        r"medium (?:long|wide|full) shots?|medium wide|(?:cowboy|american|three-quarters?) shots?|plan américain",
        "medium long shot",
    ),
    (r"(?:medium|mid)(?: |-)?shots?|waist shots?", "medium shot"),
    (r"(?:extreme|very)(?: |-)(?:long|wide) shots?|extreme (?:wide|establishing)(?: shots?)?", "extreme wide shot"),
    (r"wide(?: |-)shots?|(?:full|master) shots?|long shots?(?= (?:of|on|from)\b)|establishing shots?", "wide shot"),
)
_ANGLES: Final[tuple[tuple[str, Angle], ...]] = (
    (r"low(?: |-)angles?|worm'?s[- ]eye(?: view)?", "low angle"),
    (r"high(?: |-)angles?", "high angle"),
    (
        r"(?:bird|god)'?s[- ]eye(?: view)?|overhead (?:shot|view|angle)s?|top[- ]down(?: shot| view)?|top shots?",
        "overhead",
    ),
    (r"dutch(?: |-)(?:angle|tilt)s?|dutched|canted (?:angle|frame|shot)s?|oblique angles?", "dutch angle"),
    (r"(?:at |from )?eye[- ]level", "eye level"),
)
# Each begins with what the camera does, in its plain form; people do these things too, see _CAMERA.
_MOVES: Final[tuple[tuple[str, Movement], ...]] = (
    (r"(?:push|dolly|track|creep|truck)(?:es|s|ing)?[ -]in", "dolly in"),
    (r"dollies in|dollying in", "dolly in"),
    (r"(?:pull|dolly|track)(?:s|ing)?[ -](?:back|out)|doll(?:ies|ying) (?:back|out)", "dolly out"),
    (r"(?:truck|track|crab|dolly)(?:s|ing)?[ -]left", "truck left"),
    (r"(?:truck|track|crab|dolly)(?:s|ing)?[ -]right", "truck right"),
    (r"pan(?:s|ning)? (?:to the )?left|whip[- ]pan left", "pan left"),
    (r"pan(?:s|ning)? (?:to the )?right|whip[- ]pan right", "pan right"),
    (r"tilt(?:s|ing)? up", "tilt up"),
    (r"tilt(?:s|ing)? down", "tilt down"),
    (r"(?:crane|jib|boom|pedestal)(?:s|ing)? up", "crane up"),
    (r"(?:crane|jib|boom|pedestal)(?:s|ing)? down", "crane down"),
    (r"(?:(?:crash|slow) )?zoom(?:s|ing)?[ -]in", "zoom in"),
    (r"(?:(?:crash|slow) )?zoom(?:s|ing)?[ -]out", "zoom out"),
)
_STATES: Final[tuple[tuple[str, Movement], ...]] = (
    (r"hand-?held|hand held (?:camera|shot)|shaky ?cam", "handheld"),
    (
        r"locked[- ](?:off|down)(?= (?:shot|camera|frame|wide|medium)|[,.;:]|$)|lock-off|static (?:shot|camera|frame)",
        "static",
    ),
    (r"(?:camera|shot) (?:orbits|circles)|orbit(?:ing)? (?:shot|camera)|arc shot|360[- ]degree shot", "orbit"),
)
_TIMES: Final[tuple[tuple[str, TimeOfDay], ...]] = (
    (r"at night|by night|in the (?:middle|dead) of the night|at midnight|night[- ]?time", "night"),
    (r"at dawn|at daybreak|at sunrise|at first light", "dawn"),
    (r"at dusk|at sunset|at twilight|at nightfall", "dusk"),
    (r"in (?:broad )?daylight|at noon|at midday|in the afternoon", "day"),
)
_PEOPLE: Final[tuple[tuple[str, int], ...]] = (
    (r"(?:two|2)-?shots?(?! at\b)|over[- ]the[- ]shoulder(?: shot)?|over (?:his|her|their|[A-Z]\w+'s) shoulder", 2),
    (r"(?:two|2) shot(?= of\b| on\b|[,.;:]|$)|two people", 2),
    (r"(?:three|3)-shots?|three people", 3),
    (r"four people", 4),
    (r"clean single|single (?=of |on )|one person", 1),
    (r"(?:nobody|no one)(?= is (?:here|there|seen|in sight)\b)|no people|without people|(?:a|the) deserted", 0),
    (r"empty (?:frame|room|street|set)", 0),
)
_SHE: Final = re.compile(r"\b(?:she|her|herself)\b", re.IGNORECASE)
_HE: Final = re.compile(r"\b(?:he|him|his|himself)\b", re.IGNORECASE)
_MORE: Final = re.compile(
    r"\b(?:they|them|their|we|us|our|you|i|me|and|with|people|crowd|group|everyone|others?|both)\b", re.IGNORECASE
)
_SUBJECT: Final = re.compile(r"(?:^|[.!?]\s+)(?:she|he)\b", re.IGNORECASE)
# who may do a camera's movement; behind any other word it is a command or a noun only at the beginning of a clause
_CAMERA: Final = re.compile(
    r"(?:^|[.,;:!?(–—-]\s*|"
    r"\b(?:camera|shot|we|slow|slowly|quick|quickly|gentle|gently|then|and|a|the|fast|long|dramatic)\s+)$",
    re.IGNORECASE,
)
_OTHER: Final = re.compile(r"\b(?:she|he|they|you|i|people|who|it)\s+(?:\w+ly\s+)?$", re.IGNORECASE)
_OBJECT: Final = re.compile(
    r"^\s+(?:a|an|his|her|their|its|my|your|some|(?:the|that|this)(?! (?:camera|shot|wide|whole|full|scene)))\b",
    re.IGNORECASE,
)


def of_sentence(text: str) -> Iterator[Guess]:
    """Give what a sentence says; of a field that is said twice and differently, nothing."""
    sizes = _agreed("shot_size", _found(_SIZES, text))
    yield from sizes
    yield from _agreed("angle", _found(_ANGLES, text))
    yield from _agreed("movement", [*_moves(text), *_found(_STATES, text)])
    yield from _agreed("time_of_day", _found(_TIMES, text))
    counted = _agreed("people", _found(_PEOPLE, text))
    yield from counted or _someone(text)


def _found(table: Iterable[tuple[str, Any]], text: str) -> list[tuple[Any, str]]:
    """Give every value whose words are there; what stands inside longer words of the table is those, not itself."""
    taken: list[tuple[int, int]] = []
    found: list[tuple[Any, str]] = []
    for pattern, value in table:
        for hit in re.finditer(rf"(?<![\w-])(?:{pattern})(?![\w-])", text, re.IGNORECASE):
            if not any(start <= hit.start() < end for start, end in taken):
                taken.append(hit.span())
                found.append((value, hit[0]))
    return found


def _agreed(field: str, found: list[tuple[Any, str]]) -> list[Guess]:
    if len({value for value, _ in found}) != 1:
        return []
    value, words = found[0]
    return [Guess(field, value, words)]


def _moves(text: str) -> list[tuple[Any, str]]:
    found: list[tuple[Any, str]] = []
    for pattern, value in _MOVES:
        for hit in re.finditer(rf"(?<![\w-])(?:{pattern})(?![\w-])", text, re.IGNORECASE):
            before, behind = text[: hit.start()], text[hit.end() :]
            if _CAMERA.search(before) and not _OTHER.search(before) and not _OBJECT.search(behind):
                found.append((value, hit[0]))
    return found


def _someone(text: str) -> list[Guess]:
    """One person where a sentence is about her or him, and names or means nobody else."""
    about = [words for words in (_SHE.findall(text), _HE.findall(text)) if words]
    alone = len(about) == 1 and _SUBJECT.search(text) and not _MORE.search(text)
    if not alone or re.search(r"(?<![.!?]\s)(?<!^)\b[A-Z][a-z]+", text):
        return []
    return [Guess("people", 1, about[0][0])]


__all__ = ["Guess", "of_sentence"]
