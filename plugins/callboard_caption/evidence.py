"""What speaks for each cue: how sure its words are, how voiced its time, how far a second decoding agrees. Pure."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from callboard_schemas import Cue, Heard, Word
from msgspec import Struct
from msgspec.structs import replace

from callboard_caption.doubt import Spoken, share_voiced

Spans = Sequence[tuple[float, float]]

_LONGEST = 16
"""Words of the longest phrase whose repetition is looked for: what two lines of 42 characters hold. A recogniser that
repeats itself most often repeats a whole sentence."""
_PHRASE = 3
"""Words from which saying the same twice is no slip of the tongue."""


class Said(Struct, frozen=True):
    """A word, and where it is from."""

    word: Word
    segment: Spoken
    differs: float | None = None
    """Errors that a second decoding charges to it; ``None`` where there was none."""


def compared(segments: Sequence[tuple[Spoken, Sequence[Word]]]) -> list[list[Said]]:
    """Compare the words of segments with the second decoding of their windows, where there was one."""
    windows: dict[str, list[int]] = {}
    for at, (segment, _) in enumerate(segments):
        windows.setdefault(segment.window, []).append(at)
    found: list[list[Said]] = [[] for _ in segments]
    for places in windows.values():
        words = [(at, word) for at in places for word in segments[at][1]]
        second = segments[places[0]][0].second
        charged = _charged([word.text for _, word in words], second) if second is not None else [None] * len(words)
        for (at, word), differs in zip(words, charged, strict=True):
            found[at].append(Said(word, segments[at][0], differs))
    return found


def _charged(first: Sequence[str], second: str) -> list[float | None]:
    """Charge each word of *first* with the errors against *second*, as a word error rate counts them."""
    errors: list[float] = [0.0] * len(first)
    left, right = [_key(text) for text in first], [key for text in second.split() if (key := _key(text))]
    for kind, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        for at in range(a, b):
            errors[at] += float(bool(left[at]))
        extra = (d - c) - (b - a)
        if extra > 0 and errors:
            errors[min(max(b - 1, 0), len(errors) - 1)] += extra
    return list(errors)


def _key(text: str) -> str:
    return re.sub(r"[^\w]+", "", text.lower())


def attach(cues: Sequence[Cue], said: Sequence[Said], spans: Spans, sure: Sequence[float] = ()) -> list[Cue]:
    """Give each cue its evidence.

    Args:
        cues: As laid out of the words of *said*, each once and in order. Cues without words are left as they are.
        said: The words, with where they are from.
        spans: Where the detector hears a voice, in seconds.
        sure: For each word of *said*, how sure it is by the voice who says it; empty where no voice was asked.
    """
    found: list[Cue] = []
    before: list[str] = []
    used = 0
    for cue in cues:
        mine = list(said[used : used + len(cue.words)])
        voice = min(sure[used : used + len(cue.words)], default=None)
        used += len(cue.words)
        if not mine:
            found.append(cue)
            continue
        keys = [_key(one.word.text) for one in mine]
        heard = replace(_heard(cue, mine, before, keys, spans), voice=voice)
        found.append(replace(cue, no_speech=_worst(mine), heard=heard))
        before = [*before, *keys][-2 * _LONGEST :]
    return found


def loops(cues: Sequence[Cue]) -> list[float]:
    """Say for each cue which share of its words is part of a loop; see :func:`looped`."""
    shares: list[float] = []
    before: list[str] = []
    for cue in cues:
        keys = [_key(word.text) for word in cue.words]
        shares.append(looped(before, keys))
        before = [*before, *keys][-2 * _LONGEST :]
    return shares


def _heard(cue: Cue, mine: Sequence[Said], before: Sequence[str], keys: Sequence[str], spans: Spans) -> Heard:
    differs = [one.differs for one in mine if one.differs is not None]
    text = " ".join(one.word.text for one in mine)
    return Heard(
        least_confidence=round(min(one.word.confidence for one in mine), 4),
        compression=round(max(compression(text), max(one.segment.compression for one in mine)), 3),
        repetition=round(repeated(before, keys), 4),
        voiced=round(share_voiced(mine[0].word.start, mine[-1].word.end, spans), 4),
        disagreement=round(min(sum(differs) / len(differs), 1.0), 4) if differs else None,
        quiet=any(one.segment.quiet for one in mine),
    )


def _worst(mine: Sequence[Said]) -> float:
    return round(min(max(max(one.segment.no_speech for one in mine), 0.0), 1.0), 4)


def compression(text: str) -> float:
    """Length of *text* over its zlib-compressed length, as the recogniser counts it."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def repeated(before: Sequence[str], words: Sequence[str]) -> float:
    """Say which share of *words* says again what was said just before, 0 to 1.

    That is a phrase of three words or more, or three in a row of one or two: twice the same word is how people speak.
    """
    run = [*before, *words]
    marked = [False] * len(run)
    for at, size, thrice in _again(run):
        if size >= _PHRASE or thrice:
            marked[at : at + size] = [True] * size
    return _share(marked[len(before) :])


def looped(before: Sequence[str], words: Sequence[str]) -> float:
    """Say which share of *words* is of phrases that are said three times in a row or more, 0 to 1.

    Of a phrase all but the first time counts; of a word or two, what comes after the second time.
    """
    run = [*before, *words]
    marked = [False] * len(run)
    for at, size, thrice in _again(run):
        if thrice:
            first = at - size if size >= _PHRASE else at
            marked[first : at + size] = [True] * (at + size - first)
    return _share(marked[len(before) :])


def _again(run: Sequence[str]) -> Iterator[tuple[int, int, bool]]:
    """Find where words of *run* are those just before: place, how many, and whether it is the third time."""
    for size in range(1, _LONGEST + 1):
        for at in range(size, len(run) - size + 1):
            if run[at : at + size] == run[at - size : at]:
                yield at, size, at >= 2 * size and run[at - 2 * size : at - size] == run[at : at + size]


def _share(marked: Sequence[bool]) -> float:
    return sum(marked) / len(marked) if marked else 0.0


__all__ = ["Said", "attach", "compared", "compression", "looped", "loops", "repeated"]
