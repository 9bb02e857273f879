"""Sound descriptions for those who do not hear: music between what is said, marked as a description and as a guess."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from callboard.media.hearing import HARMONIC, RATE, Seconds, spans_of
from callboard_schemas import Cue
from msgspec.structs import replace

from callboard_caption.layout import Layout

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard.media import AudioBlock

Span = tuple[float, float]

GUESSED = "sound described by a guess"
"""Flag of every sound description: music is told from other sound by indirect evidence."""
SURE = 0.7
"""How sure it is that what is taken for music is that: measured on the sounds that the tests make and know."""
_LEAST = 3.0
"""Seconds of music from which it is worth a cue."""
_SHOWN = 3.0
"""Seconds that a description stays: two words are read by then."""
_NAMES = {
    "ca": "música",
    "da": "musik",
    "de": "Musik",
    "en": "music",
    "es": "música",
    "fr": "musique",
    "it": "musica",
    "nl": "muziek",
    "pt": "música",
    "sv": "musik",
}


def music_in(context: Context) -> list[Span]:
    """Hear where there is music in the asset; see ``music_heard``.

    Raises:
        MediaError: the sound cannot be decoded.
    """
    return music_heard(context.media.audio(RATE, 10.0))


def music_heard(blocks: Iterable[AudioBlock]) -> list[Span]:
    """Hear where there is music, in seconds from the start of the media; blocks are mono, at 16 kHz, in order."""
    seconds = Seconds()
    started = None
    for block in blocks:
        started = block.time if started is None else started
        seconds.add(block.samples)
    if started is None:
        return []
    kinds = seconds.kinds()
    return [(started + a, started + b) for a, b in (_sounding(span, seconds) for span in spans_of(kinds, "music"))]


def _sounding(span: Span, seconds: Seconds) -> Span:
    """Trim a span to where its notes stand: a beat is measured over eight seconds, and so seems to begin early."""
    first, last = int(span[0]), int(span[1])
    notes = [at for at in range(first, last) if seconds.persistence[at] >= HARMONIC]
    return (float(notes[0]), float(notes[-1] + 1)) if notes else span


def with_sounds(
    cues: Sequence[Cue], music: Sequence[Span], spoken: Sequence[Span], layout: Layout, duration: float
) -> list[Cue]:
    """Put a description wherever music is heard and nobody speaks; cues are numbered again.

    Args:
        cues: What is said, in order.
        music: Spans in seconds, in order.
        spoken: Where the speech detector hears a voice, in seconds, whether or not there are words for it.
        layout: Its gap and shortest time hold for descriptions too.
        duration: Seconds of media; 0 where that is unknown.
    """
    name = _NAMES.get(layout.language.split("-")[0].lower(), "music")
    brackets = layout.profile.sound_brackets
    line = f"{brackets[0]}{name}{brackets[1]}"
    taken = _merged([*((cue.start, cue.end) for cue in cues), *spoken])
    made: list[Cue] = []
    for start, end in _merged(music):
        free = _free(start, min(end, duration or end), taken, layout)
        made += [_described(first, last, line, layout) for first, last in free[:1]]
    joined = sorted([*cues, *made], key=lambda cue: (cue.start, cue.end))
    return [replace(cue, id=number) for number, cue in enumerate(joined, 1)]


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _free(start: float, end: float, taken: Sequence[Span], layout: Layout) -> list[tuple[int, int]]:
    """Give the stretches of a span, in units, that nothing else is in and that are long enough."""
    edges = [(-1.0, -1.0), *taken, (float("inf"), float("inf"))]
    least = max(_LEAST, layout.profile.shortest)
    found: list[tuple[int, int]] = []
    for (_, before), (after, _) in pairwise(edges):
        low, high = max(start, before), min(end, after)
        if high - low < least:
            continue
        least_first = layout.unit_at(before) + layout.gap if before >= 0 else 0
        first = max(layout.unit_at(low), least_first)
        first = least_first if before >= 0 and first - least_first <= layout.close - layout.gap else first
        found.append((first, layout.unit_at(high) - layout.gap))
    return found


def _described(first: int, last: int, line: str, layout: Layout) -> Cue:
    most = first + round(_SHOWN * layout.per_second)
    if last - most <= layout.close - layout.gap:  # no flash of empty screen before the next cue
        most = last
    return Cue(
        id=1,
        start=layout.seconds(first),
        end=layout.seconds(min(last, most)),
        lines=(line,),
        confidence=SURE,
        flags=(GUESSED,),
        kind="sound",
    )


__all__ = ["GUESSED", "music_heard", "music_in", "with_sounds"]
