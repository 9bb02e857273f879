"""What the words of a brief mean to a grey-box scene: poses, places, moods, whose shoulder is looked over."""

from __future__ import annotations

import re
from typing import Final, Literal

from callboard_schemas import Brief

Pose = Literal["standing", "sitting", "walking"]

_POSES: Final[tuple[tuple[Pose, str], ...]] = (
    ("walking", r"walk\w*|stroll\w*|strid\w+|march\w*|runs?|running|jog\w*|hurr\w+|pac(?:es|ing)|arriv\w+|crosses"),
    ("sitting", r"sits?|sitting|sat|seated|driv(?:es|ing)|dines?|dining|at (?:the|a|her|his) (?:desk|table|wheel)"),
)
PLACES: Final[dict[str, str]] = {
    "harbour": r"harbou?r|port|docks?|dockside|pier|quay|wharf|marina|sea|seaside|ocean|beach|coast|shore|lake"
    r"|river|boat",
    "forest": r"forest|woods?|woodland|park|garden|orchard|jungle|grove|clearing",
    "street": r"street|alley|city|town|village|road|market|square|avenue|rooftop|pavement|sidewalk|downtown|plaza",
    "desert": r"desert|dunes?|sands?|wasteland",
    "mountains": r"mountains?|hills?|valley|cliffs?|moor|canyon|summit",
    "field": r"fields?|farm|farmyard|meadow|countryside|plain|pasture|prairie",
    "car": r"car|taxi|cab|van|truck|garage|parking|driveway",
    "room": r"room|kitchen|bedroom|bathroom|office|hall|hallway|corridor|house|flat|apartment|bar|cafe|café|restaurant"
    r"|shop|church|school|class|hospital|ward|court|cell|prison|studio|library|lobby|hotel|pub|diner|lab|laboratory|bridge",
}
"""Place to the words that stand for it, in the order in which they are looked for."""
_LYING: Final = (
    r"lies|lying|asleep|sleep(?:s|ing)?|swim\w*|danc\w+|fights?|fighting|rides?|riding|falls?|falling|kneel\w*|crawl\w*"
)
_SHOULDER: Final = r"over[- ](?:the[- ]|his |her |their |\w+['’]s )?shoulder|\bots\b|\bo/s shot\b"
_MOODS: Final[dict[str, str]] = {
    "dark": r"dark|gloom\w*|tense|tension|ominous|threat\w*|fear\w*|scar\w+|horror|sinister|noir|myster\w+|sad|grie\w+"
    r"|lonely",
    "bright": r"bright|happy|joy\w*|cheer\w*|light|hope\w*|playful|funny|comic|sunny",
    "warm": r"warm|romantic|tender|cosy|cozy|intimate|nostalg\w+|golden",
    "cold": r"cold|bleak|sterile|clinical|icy|detached|melanchol\w+",
}


def _says(pattern: str, text: str) -> re.Match[str] | None:
    return re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE)


def said(brief: Brief) -> str:
    """Give all that a brief says in sentences."""
    return " . ".join(filter(None, (brief.purpose, brief.notes)))


def pose_of(brief: Brief) -> Pose:
    """Say what the people do, by what the brief says first; they stand where it says nothing."""
    found: list[tuple[int, Pose]] = []
    for pose, words in _POSES:
        if match := _says(words, said(brief)):
            found.append((match.start(), pose))
    return min(found)[1] if found else "standing"


def unshown(brief: Brief) -> str:
    """Give the word for something people do that is not shown, or nothing."""
    found = _says(_LYING, said(brief))
    return found[0].lower() if found else ""


def place_of(brief: Brief) -> str:
    """Name the place, as ``PLACES`` does; nothing where no word is known."""
    for text in (brief.place, brief.slug, said(brief)):
        found = [(match.start(), name) for name, words in PLACES.items() if (match := _says(words, text))]
        if found:
            return min(found)[1]
    return ""


def inside(brief: Brief) -> bool:
    """Say whether it is an interior: what the brief says, else what the slug line or the place does."""
    if brief.interior is not None:
        return brief.interior
    if _says("ext", brief.slug):
        return False
    return bool(_says("int", brief.slug)) or place_of(brief) == "room"


def moods_of(brief: Brief) -> list[str]:
    """Name the moods that the brief asks for."""
    return [name for name, words in _MOODS.items() if _says(words, brief.mood)]


def over_shoulder(brief: Brief) -> bool:
    """Say whether somebody is looked at over another's shoulder."""
    return bool(re.search(_SHOULDER, said(brief), re.IGNORECASE))


def looks(tags: tuple[str, ...]) -> Literal["left", "right"] | None:
    """Say whither somebody looks in a neighbour, where its tags do."""
    found = _says(r"(?:looks?|looking|faces?|facing) (left|right)", " . ".join(tags))
    if found is None:
        return None
    return "left" if found[1].lower() == "left" else "right"


__all__ = ["PLACES", "Pose", "inside", "looks", "moods_of", "over_shoulder", "place_of", "pose_of", "said", "unshown"]
