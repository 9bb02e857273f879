"""Words with times become cues: which words share a cue, where its lines break, and when it is on the screen.

The limits follow the general requirements for English in the Netflix Timed Text Style Guide
(https://partnerhelp.netflixstudios.com/hc/en-us/articles/217350977): two lines of 42 characters, 5/6 s to 7 s,
two frames between cues. Seventeen characters a second is aimed at, as for other languages there.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from callboard_schemas import Cue, Word
from msgspec import Struct

SENTENCE_END = (".", "?", "!", "…", '."', '?"', '!"', ".”", "?”", "!”")
CLAUSE_END = (",", ";", ":", "—", "–", ',"', ",”")
# Words that lean on the next one; a line or a cue that ends in one reads badly.
_LEANING = """
a an the and or but nor so of to in on at by for from with as into than that which who whose if
because when while is are was were be been am i you he she it we they my your his her its our their
this these those not under over behind before after between through about against without within
until onto no very mr mrs ms dr st will would can could should shall may might must do does did has
have had
"""
LEANING = frozenset(_LEANING.split())


class Rules(Struct, frozen=True, kw_only=True):
    """What a cue may be; times in seconds, speeds in characters a second."""

    line_length: int = 42
    lines: int = 2
    """1 or 2."""
    reading_speed: float = 17.0
    shortest: float = 5 / 6
    longest: float = 7.0
    gap: float = 2 / 25
    linger: float = 0.5
    """How long a cue may stay after its last word. Gaps shorter than this are closed to ``gap``."""


def lay_out(
    words: Sequence[Word], rules: Rules | None = None, duration: float = 0.0, phrase_ends: Collection[int] = ()
) -> list[Cue]:
    """Lay *words* out as cues, numbered from 1.

    Every word appears once and in order; cues do not overlap and stay inside the media.

    Args:
        words: Recognised words in spoken order. Times that run backwards are mended.
        rules: The limits; the defaults where ``None``.
        duration: Length of the media in seconds; 0 when it is not known.
        phrase_ends: Indices of words after which a cue may well end, whatever their punctuation.

    Returns:
        Cues with lines, times, words and mean confidence; no flags.
    """
    rules = rules or Rules()
    spoken = in_order(words, duration)
    if not spoken:
        return []
    places = [index for index, word in enumerate(words) if word.text.strip()]
    ends = frozenset(at for at, index in enumerate(places) if index in phrase_ends)
    spans = _best_spans(spoken, rules, ends)
    times = _times(spoken, spans, rules, duration)
    return [
        Cue(
            id=number,
            start=start,
            end=end,
            lines=break_lines([word.text for word in spoken[first:last]], rules),
            confidence=_mean_confidence(spoken[first:last]),
            words=tuple(spoken[first:last]),
        )
        for number, ((first, last), (start, end)) in enumerate(zip(spans, times, strict=True), 1)
    ]


def in_order(words: Sequence[Word], duration: float = 0.0) -> list[Word]:
    """Mend the times of *words* so that they never run backwards, overlap or leave the media; drop blank ones."""
    limit = duration if duration > 0 else math.inf
    kept: list[Word] = []
    for word in words:
        text = " ".join(word.text.split())
        if not text:
            continue
        start = min(max(word.start, kept[-1].start if kept else 0.0), limit)
        end = min(max(word.end, start), limit)
        if kept and kept[-1].end > start:
            last = kept[-1]
            kept[-1] = Word(text=last.text, start=last.start, end=start, confidence=last.confidence)
        kept.append(Word(text=text, start=start, end=end, confidence=word.confidence))
    return kept


def break_lines(texts: Sequence[str], rules: Rules) -> tuple[str, ...]:
    """Break the words of one cue into its lines: balanced, at punctuation, not after a word that leans on the next."""
    whole = " ".join(texts)
    if len(whole) <= rules.line_length or len(texts) == 1:
        return (whole,)
    best = min(range(1, len(texts)), key=lambda at: _line_cost(texts, at, rules))
    return (" ".join(texts[:best]), " ".join(texts[best:]))


def _line_cost(texts: Sequence[str], at: int, rules: Rules) -> float:
    top, bottom = len(" ".join(texts[:at])), len(" ".join(texts[at:]))
    over = max(top - rules.line_length, 0) + max(bottom - rules.line_length, 0)
    cost = over * 10.0 + 2.0 * abs(top - bottom) / rules.line_length
    if top > bottom:  # a longer lower line hides less of the picture
        cost += 0.1
    return cost + 0.6 * _break_cost(texts[at - 1])


def _break_cost(text: str) -> float:
    """Say how badly a line ends with *text*: 0 at the end of a sentence, 2 after an article."""
    if text.endswith(SENTENCE_END):
        return 0.0
    if text.endswith(CLAUSE_END):
        return 0.4
    return 2.0 if text.lower().strip("'\"“”‘’") in LEANING else 1.0


def _cut_cost(before: Word, after: Word) -> float:
    """Weigh a cue's end between two words: cheap at punctuation, and in a pause of more than half a second."""
    return _break_cost(before.text) * (0.36 if after.start - before.end > 0.5 else 1.2)


def _fits(texts: Sequence[str], rules: Rules) -> bool:
    if len(texts) == 1 or len(" ".join(texts)) <= rules.line_length:
        return True
    if rules.lines < 2:
        return False
    return any(
        len(" ".join(texts[:at])) <= rules.line_length and len(" ".join(texts[at:])) <= rules.line_length
        for at in range(1, len(texts))
    )


def _best_spans(words: list[Word], rules: Rules, ends: frozenset[int]) -> list[tuple[int, int]]:
    """Choose the cheapest division of *words* into cues, by dynamic programming over the place of each break."""
    texts = [word.text for word in words]
    cost = [0.0] + [math.inf] * len(words)
    origin = [0] * (len(words) + 1)
    for last in range(1, len(words) + 1):
        length = -1
        for first in range(last - 1, -1, -1):
            length += len(texts[first]) + 1
            alone = first == last - 1
            if not alone and (
                length > rules.line_length * rules.lines + 1
                or words[last - 1].end - words[first].start > rules.longest
                or not _fits(texts[first:last], rules)
            ):
                if length > rules.line_length * rules.lines + 1:
                    break
                continue
            total = cost[first] + _cue_cost(words, first, last, length, rules)
            if last < len(words) and last - 1 not in ends:
                total += _cut_cost(words[last - 1], words[last])
            if total < cost[last]:
                cost[last], origin[last] = total, first
    spans: list[tuple[int, int]] = []
    last = len(words)
    while last:
        spans.append((origin[last], last))
        last = origin[last]
    return spans[::-1]


def _cue_cost(words: list[Word], first: int, last: int, length: int, rules: Rules) -> float:
    """Weigh one cue: fewer cues are better, unless they hurry the reader, split a phrase or span a pause."""
    start, spoken_until = words[first].start, words[last - 1].end
    room = words[last].start - rules.gap if last < len(words) else spoken_until + rules.linger + rules.shortest
    wish = max(spoken_until - start, rules.shortest, length / rules.reading_speed)
    shown = max(min(wish, room - start, rules.longest), 0.04)
    cost = 1.0
    hurry = length / shown / rules.reading_speed - 1.0
    if hurry > 0:
        cost += 4.0 * min(hurry, 3.0) ** 2
    if shown < rules.shortest:
        cost += 3.0 * (1.0 - shown / rules.shortest)
    if last < len(words) and last - first == 1 and not words[first].text.endswith(SENTENCE_END):
        cost += 1.0
    so_far = -1
    for index in range(first + 1, last):
        so_far += len(words[index - 1].text) + 1
        pause = words[index].start - words[index - 1].end
        if pause > 0.7:  # a breath is about half a second
            cost += 2.0 * pause
        if words[index - 1].text.endswith(SENTENCE_END):
            cost += 0.5
            if length > rules.line_length < max(so_far, length - so_far - 1):
                cost += 0.8  # no line can end with the sentence: the next one would begin inside a line
    return cost


def _times(words: list[Word], spans: list[tuple[int, int]], rules: Rules, duration: float) -> list[tuple[float, float]]:
    """Give each cue its times: in with its first word, out when it could be read, before the next one comes."""
    limit = math.floor(duration * 1000) / 1000 if duration > 0 else math.inf
    starts, gap = _spread([words[first].start for first, _ in spans], rules.gap, limit)
    times: list[tuple[float, float]] = []
    for number, (first, last) in enumerate(spans):
        start = starts[number]
        length = len(" ".join(word.text for word in words[first:last]))
        spoken_until = words[last - 1].end
        wish = max(spoken_until, start + rules.shortest, min(start + length / rules.reading_speed, spoken_until + 2.0))
        ceiling = starts[number + 1] - gap if number + 1 < len(spans) else limit
        end = min(wish, ceiling, start + rules.longest)
        if end < ceiling < end + rules.linger and number + 1 < len(spans):
            end = min(ceiling, start + rules.longest)  # a short flash of empty screen disturbs more than a long cue
        times.append((start, max(math.floor(end * 1000 + 1e-6) / 1000, start)))
    return times


def _spread(starts: list[float], gap: float, limit: float) -> tuple[list[float], float]:
    """Move starts apart where the recogniser put too many words into too little time.

    Returns:
        Starts in whole milliseconds, and the gap that could be kept.
    """
    step = max(2 * gap, 0.08)
    if limit < math.inf:
        step = min(step, limit / len(starts))
    gap = min(gap, step / 2)
    spread: list[float] = []
    for start in starts:
        spread.append(max(start, spread[-1] + step if spread else 0.0))
    ceiling = limit
    for index in range(len(spread) - 1, -1, -1):
        ceiling -= step
        spread[index] = max(min(spread[index], ceiling), 0.0)
        ceiling = spread[index]
    return [math.floor(start * 1000 + 0.5) / 1000 for start in spread], gap


def _mean_confidence(words: Sequence[Word]) -> float:
    """Average confidence, each word weighed by how long it is spoken."""
    weights = [max(word.end - word.start, 0.02) for word in words]
    total = sum(word.confidence * weight for word, weight in zip(words, weights, strict=True))
    return round(min(max(total / sum(weights), 0.0), 1.0), 4)
