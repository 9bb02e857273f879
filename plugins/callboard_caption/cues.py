"""Words with times become cues: divided by ``dividing``, timed by ``timing``, broken into lines by the language."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from callboard.timedtext.breaking import break_lines
from callboard_schemas import Cue, Word

from callboard_caption.dividing import Costs, Span, divide
from callboard_caption.layout import BETWEEN, Layout
from callboard_caption.timing import FAR, Clock

Array = np.ndarray[Any, Any]

_ITS_DASH = re.compile(r"^[-‐‑–—−]\s?(?=\S)")
_DOTS = re.compile(r"\.{3}|…")
_CLOSING = re.compile(r"[?!:;»›%…)\]、。，．！？：；）」』】》〉]+")
_OPENING = re.compile(r"[«‹¿¡(\[（「『【《〈]+")
_LEAST = 0.04
"""Seconds that a cue is shown where the recogniser put more words into an instant than can be shown."""


def lay_out(
    words: Sequence[Word],
    layout: Layout | None = None,
    duration: float = 0.0,
    phrase_ends: Collection[int] = (),
    speakers: Sequence[int] = (),
) -> list[Cue]:
    """Lay *words* out as cues, numbered from 1.

    Every word appears once and in order; cues do not overlap and stay inside the media.

    Args:
        words: Recognised words in spoken order. Times that run backwards are mended.
        layout: The limits; those of the web, in milliseconds, where ``None``.
        duration: Length of the media in seconds; 0 when it is not known.
        phrase_ends: Indices of words after which a cue may well end, whatever their punctuation.
        speakers: Who says each word, as a number, -1 where that is unknown; empty where it is for all of them.

    Returns:
        Cues with lines, times, words and mean confidence; no flags. Where two people share a cue, each line begins
        with the profile's dash.
    """
    layout = layout or Layout()
    spoken, places = in_order(words, duration)
    if not spoken:
        return []
    edges = _edges(spoken)
    atoms = [_joined(spoken[a:b], layout.joint) for a, b in pairwise(edges)]
    ends = frozenset(
        at for at, (a, b) in enumerate(pairwise(edges)) if any(places[n] in phrase_ends for n in range(a, b))
    )
    who = [speakers[places[at]] for at in edges[:-1]] if len(speakers) else []
    clock = Clock(atoms, layout, duration)
    costs = Costs(atoms, layout, clock, ends, who)
    spans = divide(costs.table())
    starts, stops = _shown(costs, clock, layout, spans)
    cues: list[Cue] = []
    for number, (first, last) in enumerate(spans):
        said = tuple(spoken[edges[first] : edges[last]])
        turns = [first + at + 1 for at in np.flatnonzero(costs.turns[first : last - 1]).tolist()]
        cues.append(
            Cue(
                id=number + 1,
                start=layout.seconds(starts[number]),
                end=layout.seconds(stops[number]),
                lines=_lines(atoms, [first, *turns, last], layout),
                confidence=mean_confidence(said),
                words=said,
                speaker=_speaker(who[first:last]) if layout.labels else None,
            )
        )
    return cues


def in_order(words: Sequence[Word], duration: float = 0.0) -> tuple[list[Word], list[int]]:
    """Mend the times of *words* so that they never run backwards, overlap or leave the media; drop blank ones.

    Returns:
        The words, and the index that each had.
    """
    limit = duration if duration > 0 else math.inf
    kept: list[Word] = []
    places: list[int] = []
    for place, word in enumerate(words):
        text = " ".join(word.text.split())
        if not text:
            continue
        start = min(max(word.start, kept[-1].start if kept else 0.0), limit)
        end = min(max(word.end, start), limit)
        if kept and kept[-1].end > start:
            last = kept[-1]
            kept[-1] = Word(text=last.text, start=last.start, end=start, confidence=last.confidence)
        kept.append(Word(text=text, start=start, end=end, confidence=word.confidence))
        places.append(place)
    return kept, places


def _edges(words: Sequence[Word]) -> list[int]:
    """Give where each thing begins that no break may part: a word with the marks that are set off from it by spaces."""
    loose = (
        at
        for at in range(1, len(words))
        if not (_CLOSING.fullmatch(words[at].text) or _OPENING.fullmatch(words[at - 1].text))
    )
    return [0, *loose, len(words)]


def _joined(words: Sequence[Word], joint: str) -> Word:
    if len(words) == 1:
        return words[0]
    text = joint.join(word.text for word in words)
    return Word(text=text, start=words[0].start, end=words[-1].end, confidence=words[0].confidence)


def _speaker(who: Sequence[int]) -> str | None:
    """Name the one who speaks in a cue; nobody where there are two, or somebody is not known."""
    return f"Speaker {who[0] + 1}" if who and who[0] >= 0 and len(set(who)) == 1 else None


def mean_confidence(words: Sequence[Word]) -> float:
    """Average confidence, each word weighed by how long it is spoken."""
    weights = [max(word.end - word.start, 0.02) for word in words]
    total = sum(word.confidence * weight for word, weight in zip(words, weights, strict=True))
    return round(min(max(total / sum(weights), 0.0), 1.0), 4)


def _lines(words: Sequence[Word], turns: Sequence[int], layout: Layout) -> tuple[str, ...]:
    """Write the lines of a cue.

    Args:
        words: All words.
        turns: Index of the first word of each turn in the cue, and of the word after the last.
        layout: What joins words and breaks lines.
    """
    profile = layout.profile
    said = [layout.joint.join(word.text for word in words[a:b]) for a, b in pairwise(turns)]
    if profile.ellipsis:
        said = [_DOTS.sub(profile.ellipsis, text) for text in said]
    if len(said) == 1:
        lines = break_lines(said[0], profile, layout.language, styled=False)
        return tuple(line.replace(BETWEEN, "") for line in lines)
    said = [_ITS_DASH.sub("", text).replace(BETWEEN, "") for text in said]
    return tuple(
        text if profile.dashes == "second" and not at else f"{profile.dash}{text}" for at, text in enumerate(said)
    )


def _shown(costs: Costs, clock: Clock, layout: Layout, spans: Sequence[Span]) -> tuple[list[int], list[int]]:
    """Give each cue's first unit and the unit at which it is gone."""
    firsts, stops = (np.array(edge) for edge in zip(*spans, strict=True))
    starts = clock.starts[firsts]
    ends = clock.ends(firsts, stops, costs.needed(firsts, stops))
    if (ends > starts).all():
        return starts.tolist(), ends.tolist()
    return _spread(starts, ends, clock, max(math.ceil(_LEAST * layout.per_second), 1))


def _spread(starts: Array, ends: Array, clock: Clock, least: int) -> tuple[list[int], list[int]]:
    """Move cues apart where the recogniser put too many words into too little time."""
    step = clock.limits.gap + least
    room = clock.last
    if room < FAR:
        step = min(step, room // len(starts))
    gap = max(min(clock.limits.gap, step - 1), 0)
    order = np.arange(len(starts)) * step
    spread = np.maximum.accumulate(starts - order) + order
    latest = room - step * np.arange(len(starts), 0, -1)
    spread = np.maximum(np.minimum(spread, np.minimum.accumulate((latest - order)[::-1])[::-1] + order), 0)
    ceilings = np.append(spread[1:] - gap, room)
    gone = np.minimum(np.maximum(ends, spread + max(least, 0)), ceilings)
    return spread.tolist(), np.maximum(gone, spread).tolist()


__all__ = ["in_order", "lay_out", "mean_confidence"]
