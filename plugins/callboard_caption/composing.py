"""Composes captions of what was heard: without what was invented, laid out as cues, with evidence, through the gate."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from callboard.glossary import matching
from callboard.timedtext.check import check
from callboard_schemas import Captions, Cue, Repair, Word
from msgspec.structs import replace

from callboard_caption.choosing import Choice
from callboard_caption.cues import lay_out
from callboard_caption.doubt import Spoken, flag, why_invented
from callboard_caption.evidence import Said, attach, compared
from callboard_caption.gate import judge
from callboard_caption.hearing import Hearing, Spans
from callboard_caption.layout import Layout, layout_of
from callboard_caption.sounds import music_in, with_sounds
from callboard_caption.speakers import speakers_of
from callboard_caption.voices import Told, voices_of

if TYPE_CHECKING:
    from callboard.context import Context
    from callboard.media import MediaFacts
    from callboard_schemas import Parameters

_ATTACK: Final = 0.05
"""Seconds by which the speech detector may be late: one and a half of its frames."""
_USUAL: Final = "web"
_DOUBTED: Final = 0.6
"""Confidence of a word under which the glossary may spell it otherwise."""


def compose(context: Context, heard: Hearing, facts: MediaFacts, choice: Choice, parameters: Parameters) -> Captions:
    """Make captions of what was heard."""
    duration = max(facts.duration, heard.end) if not facts.video else facts.duration or heard.end
    code, sure = spoken_language(heard.segments, choice)
    language = "en" if choice.task == "translate" else choice.tag_of(code)
    layout = layout_of(context, facts, language)
    kept, left_out = sorted_out(heard, layout, duration, speech_only=bool(parameters["speech_only"]))
    cues, told = _cues(context, facts, kept, layout, duration)
    if choice.language is None and choice.task == "transcribe":
        cues = [replace(cue, language=_other(cue, kept, choice, language)) for cue in cues]
    cues = attach(cues, kept, heard.spans, told.sure)
    cues = flag(cues, heard.spans, float(parameters["low_confidence"]))  # type: ignore[arg-type]  # the manifest says number
    cues = judge(cues, violations(cues, layout, duration))
    shown = with_sounds(cues, music_in(context), heard.spans, layout, duration) if parameters["sounds"] else cues
    confidence = _overall(cues) if cues else round(min(max(1.0 - heard.likeliest, 0.0), 1.0), 4)
    return Captions(
        language=language,
        cues=tuple(shown),
        confidence=confidence,
        # A model of one language cannot tell which is spoken; how well its words fit is all it can say about that.
        language_confidence=round(min(sure if sure is not None else confidence, 1.0), 4) if cues else 0.0,
        duration=round(duration, 3),
        speech_seconds=round(sum(b - a for a, b in heard.spans), 3),
        left_out=tuple(replace(cue, id=number) for number, cue in enumerate(left_out, 1)),
        profile=layout.profile.name,
        rate=str(layout.rate or ""),
        task=choice.task,
    )


def _cues(
    context: Context, facts: MediaFacts, kept: list[Said], layout: Layout, duration: float
) -> tuple[list[Cue], Told]:
    """Lay out what was said, with the glossary's spellings; *kept* becomes what the cues' words are of.

    Returns:
        The cues, and who says each word: by channel where there is one for each, else by voice.
    """
    repairs: tuple[Repair, ...] = ()
    if context.glossary is not None:
        written = matching.repair([one.word for one in kept], context.glossary, layout.language, below=_DOUBTED)
        kept[:], repairs = _again(kept, written.words), written.repairs
    words = [one.word for one in kept]
    last = len(kept) - 1
    ends = frozenset(at for at in range(len(kept)) if at == last or kept[at + 1].segment is not kept[at].segment)
    channels = speakers_of(context, facts, words)
    told = Told(channels) if channels else voices_of(context, words, layout.language, ends)
    cues = lay_out(words, layout, duration, ends, told.who)
    return matching.attach(cues, repairs) if repairs else cues, told


def _again(kept: Sequence[Said], words: Sequence[Word]) -> list[Said]:
    """Say where words with the glossary's spellings are from: from what was heard at their time."""
    ends = [one.word.end for one in kept]
    return [
        replace(kept[min(bisect_left(ends, (word.start + word.end) / 2), len(kept) - 1)], word=word) for word in words
    ]


def violations(cues: Sequence[Cue], layout: Layout, duration: float) -> dict[int, list[str]]:
    """Say what of the delivery profile each cue breaks, where a delivery would be refused for it.

    The usual profile is nobody's delivery: there, speech that is faster than its captions are read is only flagged.
    """
    found: dict[int, list[str]] = {}
    rate, shots, language = layout.rate, layout.cuts, layout.language
    for one in check(cues, layout.profile, rate, shots=shots, language=language, duration=duration):
        if one.severity == "error" and (one.rule != "reading-speed" or layout.profile.name != _USUAL):
            found.setdefault(one.cue, []).append(one.message)
    return found


def sorted_out(heard: Hearing, layout: Layout, duration: float, *, speech_only: bool) -> tuple[list[Said], list[Cue]]:
    """Tell what was said from what was invented.

    Returns:
        The words that were said, and cues of the lines that are left out, flagged with the reason.
    """
    kept: list[Said] = []
    left_out: list[Cue] = []
    pairs = [(segment, tighten(_words(segment), heard.spans)) for segment in heard.segments]
    for (segment, words), said in zip(pairs, compared(pairs), strict=True):
        reason = why_invented(segment, heard.spans)
        if reason and (speech_only or not reason.startswith("nobody")):
            left_out.extend(replace(cue, flags=(reason,)) for cue in lay_out(words, layout, duration))
        else:
            kept.extend(said)
    return kept, left_out


def spoken_language(segments: Sequence[Spoken], choice: Choice) -> tuple[str, float | None]:
    """Say which language most is spoken in, and how sure that is; ``None`` where nothing told."""
    if choice.language is not None or not segments:
        return choice.language or "und", None
    seconds: dict[str, float] = {}
    weighed: dict[str, float] = {}
    for one in segments:
        length = max(one.end - one.start, 0.01)
        seconds[one.language] = seconds.get(one.language, 0.0) + length
        weighed[one.language] = weighed.get(one.language, 0.0) + length * one.language_probability
    most = max(seconds, key=lambda code: seconds[code])
    return most, weighed[most] / seconds[most]


def tighten(words: Sequence[Word], spans: Spans) -> list[Word]:
    """Pull the edges of words out of silence: the recogniser often starts the first word of a phrase too early."""
    tight: list[Word] = []
    for word in words:
        start, end = word.start, word.end
        inside = [(a, b) for a, b in spans if a < end and b > start]
        if inside:
            start = max(start, inside[0][0] - _ATTACK)
            end = max(min(end, inside[-1][1] + _ATTACK), start)
        tight.append(replace(word, start=round(start, 3), end=round(end, 3)))
    return tight


def _words(segment: Spoken) -> list[Word]:
    if segment.words:
        found = [
            Word(
                text=str(word["word"]).strip(),
                start=max(word["start"], 0.0),
                end=max(word["end"], word["start"], 0.0),
                confidence=min(max(float(word["probability"]), 0.0), 1.0),
            )
            for word in segment.words
        ]
        return [word for word in found if word.text]
    texts = segment.text.split()
    step = (segment.end - segment.start) / max(len(texts), 1)
    return [
        Word(text=text, start=segment.start + at * step, end=segment.start + (at + 1) * step, confidence=0.0)
        for at, text in enumerate(texts)
    ]


def _other(cue: Cue, kept: Sequence[Said], choice: Choice, language: str) -> str | None:
    """Name the language of a cue where it is another one than the document's."""
    middle = (cue.words[0].start + cue.words[-1].end) / 2 if cue.words else cue.start
    near = min(kept, key=lambda one: abs((one.word.start + one.word.end) / 2 - middle))
    found = choice.tag_of(near.segment.language)
    return found if found != language else None


def _overall(cues: Sequence[Cue]) -> float:
    words = [word for cue in cues for word in cue.words]
    weights = [max(word.end - word.start, 0.02) for word in words]
    mean = sum(word.confidence * weight for word, weight in zip(words, weights, strict=True)) / sum(weights)
    return round(min(max(mean, 0.0), 1.0), 4)


__all__ = ["compose", "sorted_out", "spoken_language", "tighten", "violations"]
