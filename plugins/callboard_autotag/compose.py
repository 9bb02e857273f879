"""One sentence about an asset, composed from its tags and numbers; it says nothing that they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from callboard_schemas import Scalar, Tag

Facts = Mapping[str, Scalar | list[str]]

_SURE = 0.7  # score from which the sentence says it
_MIXED = 3  # shot sizes, or movements, of which it says none: an edited film has all


def describe(tags: Sequence[Tag], facts: Facts) -> str:
    """Compose the description: what it is, how it looks, how it is cut, what is heard and read."""
    parts = [
        *(_what(tags, facts), _damage(tags, facts), _framed(tags), _looks(tags)),
        *(_editing(facts), _heard(tags, facts), _text(tags)),
    ]
    sentence = "; ".join(part for part in parts if part)
    return sentence[:1].upper() + sentence[1:] + "." if sentence else ""


def say_duration(seconds: float) -> str:
    """Say a duration as people do: 0.4 s, 12 s, 3 min 32 s, 1 h 5 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def _what(tags: Sequence[Tag], facts: Facts) -> str:
    media = str(facts.get("media", "media"))
    found = []
    if "width" in facts:
        found.append(f"{facts['width']} x {facts['height']}")
    rate = _labels(tags, "technical", "frame rate")
    if rate:
        found.append(rate[0])
    duration = facts.get("duration_seconds")
    if "first_frame" in facts:
        found.append(f"frames {facts['first_frame']} to {facts['last_frame']}")
    elif facts.get("frames") == 1:
        found.append("one frame")
    elif isinstance(duration, (int, float)) and duration > 0 and media != "still":
        found.append(say_duration(duration))
    return f"{media}, {', '.join(found)}" if found else media


def _damage(tags: Sequence[Tag], facts: Facts) -> str:
    found = []
    missing = facts.get("missing_frames")
    if isinstance(missing, int):
        found.append("1 frame missing" if missing == 1 else f"{missing} frames missing")
    if "damaged" in _labels(tags, "technical", "damage"):
        found.append("damaged or cut off")
    return ", ".join(found)


def _framed(tags: Sequence[Tag]) -> str:
    """Say how near and how the camera moves, where that is sure and not too mixed."""
    sizes = [tag.label for tag in tags if tag.group == ("framing", "shot size") and tag.score >= _SURE]
    moves = [tag.label for tag in tags if tag.group == ("camera", "movement") and tag.score >= _SURE]
    sizes, moves = ([] if len(words) > _MIXED else words for words in (sizes, moves))
    return ", ".join(part for part in (_list(sizes), _list(moves)) if part)


def _looks(tags: Sequence[Tag]) -> str:
    words = _labels(tags, "picture", "brightness") + _labels(tags, "picture", "saturation")
    words += (
        _labels(tags, "picture", "key")
        + _labels(tags, "picture", "contrast")
        + _labels(tags, "picture", "test pattern")
    )
    colours = _labels(tags, "picture", "colour")
    if colours and "black and white" not in words:
        words.append("mostly " + _list(colours[:3]))
    return ", ".join(words)


def _editing(facts: Facts) -> str:
    shots, mean = facts.get("shots"), facts.get("mean_shot_seconds")
    if not isinstance(shots, int) or not isinstance(mean, (int, float)):
        return ""
    return "one shot" if shots == 1 else f"{shots} shots of {say_duration(mean)} on average"


def _heard(tags: Sequence[Tag], facts: Facts) -> str:
    if "no audio" in _labels(tags, "technical", "sound"):
        return "no audio"
    found = []
    for tag in tags:
        if tag.group != ("sound",) or tag.label == "clipped sound":
            continue
        share = tag.evidence[0].value if tag.evidence else None
        where = f" in {share:.0%} of it" if share is not None and share < 0.995 and tag.label != "silent audio" else ""
        found.append(("probably " if tag.guess and tag.label == "music" else "") + tag.label + where)
    loudness = facts.get("loudness_lufs")
    level = f", {loudness:.1f} LUFS" if found and isinstance(loudness, float) else ""
    return ("sound: " if found else "") + _list(found) + level


def _text(tags: Sequence[Tag]) -> str:
    slate = _labels(tags, "text", "slate")
    if slate:
        return "slate: " + ", ".join(slate)
    texts = [tag.label.removeprefix("text: ") for tag in tags if tag.group == ("text",)]
    return f"text reads {_list([f'“{text}”' for text in texts[:3]])}" if texts else ""


def _labels(tags: Sequence[Tag], *group: str) -> list[str]:
    return [tag.label for tag in tags if tag.group == group]


def _list(words: Sequence[str]) -> str:
    return ", ".join(words) if len(words) < 2 else f"{', '.join(words[:-1])} and {words[-1]}"
