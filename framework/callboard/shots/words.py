"""Placeholders and swaps in words: a line for lists, and all that a person may want to know before choosing."""

from __future__ import annotations

import os

from callboard_schemas import Placeholder, Swap

_SOURCES = {
    "algorithmicMedia": "rendered by rules",
    "trainedAlgorithmicMedia": "made by a trained model",
    "compositeWithTrainedAlgorithmicMedia": "made with parts from a trained model",
}


def line(body: Placeholder | Swap) -> str:
    """Say it in a line."""
    return _placeholder(body) if isinstance(body, Placeholder) else _swap(body)


def _placeholder(body: Placeholder) -> str:
    parts = [f"placeholder for {body.shot} by {body.generator}"]
    if body.versions > 1:
        parts.append(f"version {body.version} of {body.versions}")
    if body.seed is not None:
        parts.append(f"seed {body.seed}")
    if body.matches:
        worst = min(body.matches, key=lambda match: match.score)
        parts.append(f"{worst.what} goes {worst.score:.0%} with the shot {worst.side}")
    if body.notes:
        parts.append(f"{len(body.notes)} {'note' if len(body.notes) == 1 else 'notes'}")
    return ", ".join(parts)


def _swap(body: Swap) -> str:
    version = f", version {body.version}" if body.version is not None else ""
    by = "" if body.by == "name" else ", known by timecode and reel"
    asks = f": {body.questions[0]}" if body.questions else ""
    more = f", and {len(body.questions) - 1} more" if len(body.questions) > 1 else ""
    return f"the real {body.shot} for its placeholder{version}{by}{asks}{more}"


def details(body: Placeholder | Swap) -> list[tuple[str, str]]:
    """Give all that is known of it, as names and texts; what is not known is left out."""
    found = _of_placeholder(body) if isinstance(body, Placeholder) else _of_swap(body)
    return [(name, text) for name, text in found if text]


def _of_placeholder(body: Placeholder) -> list[tuple[str, str]]:
    brief = body.brief
    size = f"{body.width} x {body.height}" if body.width else ""
    found = [
        ("shot", body.shot),
        ("file", body.file),
        ("engine", body.generator),
        ("what it is", _SOURCES[body.source_type]),
        ("version", f"{body.version} of {body.versions}" if body.versions > 1 else ""),
        ("seed", "" if body.seed is None else str(body.seed)),
        ("length", f"{body.frames} frames at {body.rate}" if body.frames else ""),
        ("size", ", ".join(filter(None, (size, f"pixels {body.pixel_aspect}" if body.pixel_aspect else "")))),
        ("timeline", " ".join(filter(None, (body.timeline, body.ref, body.start)))),
        ("purpose", brief.purpose if brief is not None else ""),
        ("prompt", body.prompt),
        ("not", body.negative),
        ("made with", ", ".join(f"{name} {_version(what)}" for name, what in body.models.items())),
        ("references", ", ".join(body.references)),
        ("signed by", body.credentials),
    ]
    guesses = brief.guesses.items() if brief is not None else ()
    found += [("guessed", f"{name.replace('_', ' ')}: {why}") for name, why in guesses]
    found += [
        (
            "goes with",
            f"the shot {match.side}, {match.what} {match.score:.0%}{f' ({match.note})' if match.note else ''}",
        )
        for match in body.matches
    ]
    found += [(f"its {one.what}", one.file) for one in body.files]
    return found + [("note", note) for note in body.notes]


def _version(what: str) -> str:
    """Shorten a digest, and nothing else."""
    return what[:19] if what.startswith("sha256:") else what


def _of_swap(body: Swap) -> list[tuple[str, str]]:
    length = f"{body.frames} frames" + (f" at {body.rate}" if body.rate else "") if body.frames else ""
    handles = body.handles
    found = [
        ("shot", body.shot),
        ("file", f"{body.root}:{body.path}"),
        ("in place of", body.placeholder),
        ("known by", "its name" if body.by == "name" else "its timecode and reel"),
        ("version", "" if body.version is None else str(body.version)),
        ("length", length),
        ("begins at", body.first),
        ("handles", f"{handles[0]} frames before, {handles[1]} behind" if handles is not None else ""),
    ]
    return found + [("question", question) for question in body.questions]


def flags(body: object) -> list[str]:
    """Say why a person should look, most urgent first."""
    if isinstance(body, Swap):
        return list(body.questions)
    if isinstance(body, Placeholder):
        poor = [one for one in body.matches if one.score < 0.5]  # half way from what goes well
        return [
            *body.notes,
            *(f"{one.what} goes {one.score:.0%} with the shot {one.side}" for one in sorted(poor, key=_score)),
        ]
    return []


def _score(match: object) -> float:
    return float(getattr(match, "score", 0.0))


def title(body: Placeholder | Swap) -> str:
    """Name what it is about: the placeholder's shot, or the media that came."""
    return body.shot if isinstance(body, Placeholder) else os.path.basename(body.path)


__all__ = ["details", "flags", "line", "title"]
