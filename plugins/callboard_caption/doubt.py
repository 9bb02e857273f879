"""Which recognised lines were invented, and why a person should look at a cue.

Whisper writes text for noise, music and silence too: loops, sound descriptions, the sign-offs of its training
videos. Its own figures and a separate speech detector tell most of them apart. The limits 0.6, -1.0 and 2.4 are
those of its reference decoder (https://github.com/openai/whisper, transcribe.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from callboard_schemas import Cue
from msgspec import Struct
from msgspec.structs import replace

NO_SPEECH = 0.6
UNLIKELY = -1.0
FAINT_UNLIKELY = -0.8
"""The same for what was only heard when it was made louder: noise that is raised breeds words."""
BLIND = 0.3
"""Mean confidence of words that the recogniser may as well have guessed: of 150 measured cues of speech, however noisy,
none that it doubted was as low."""
REPETITIVE = 2.4
FASTEST = 20.0
"""Characters a second from which a cue is flagged: the limit for adults in the Netflix guide for English."""

LOW_CONFIDENCE = "low confidence"
FAST = "fast reading speed"
REPETITION = "repetition"
MAYBE_NOT_SPEECH = "maybe not speech"

_SOUND_ONLY = re.compile(r"^[\s\W♪♫]*(?:[\[(*♪♫][^\])*♪♫]*[\])*♪♫][\s\W]*)+$|^[\s\W_♪♫]*$")
_SIGN_OFF = re.compile(
    r"^\W*(thank(s| you)( (so|very) much)?( for (watching|listening))?|please subscribe.*|subscribe.*channel.*"
    r"|see you (in the )?next (time|video)|bye( ?bye)?|you|subtitles by.*|transcribed by.*|.*amara\.org.*)\W*$",
    re.IGNORECASE,
)


class Spoken(Struct, frozen=True):
    """One segment of the recogniser, times in seconds from the start of the media."""

    start: float
    end: float
    text: str
    likelihood: float
    """Mean log probability of its tokens."""
    no_speech: float
    compression: float
    """Length of its text over its zlib-compressed length."""
    words: tuple[dict[str, Any], ...]
    """``word``, ``start``, ``end``, ``probability``; times from the start of the media."""
    language: str = ""
    """As the recogniser names it."""
    language_probability: float = 1.0
    second: str | None = None
    """What another decoding of its window says; ``None`` where the first one left no doubt."""
    window: str = ""
    """Names the window that it was heard in."""
    quiet: bool = False
    """Heard only when a faint stretch was made louder."""


def share_voiced(start: float, end: float, spans: Sequence[tuple[float, float]]) -> float:
    """Say which share of the time from *start* to *end* lies in *spans*, 0 to 1."""
    if end <= start:
        return float(any(a <= start <= b for a, b in spans))
    covered = sum(max(min(end, b) - max(start, a), 0.0) for a, b in spans)
    return min(covered / (end - start), 1.0)


def why_invented(segment: Spoken, spans: Sequence[tuple[float, float]]) -> str:
    """Say why *segment* must not ship as a caption; empty when it may."""
    if _SOUND_ONLY.match(segment.text):
        return "a sound description, not speech"
    voiced = share_voiced(segment.start, segment.end, spans)
    if voiced < 0.05:
        return "nobody speaks here"
    if segment.quiet and (segment.likelihood < FAINT_UNLIKELY or segment.no_speech > NO_SPEECH or voiced < 0.3):
        return "too faint to tell whether this is speech"
    if segment.no_speech > NO_SPEECH and (segment.likelihood < UNLIKELY or _sureness(segment) < BLIND):
        return "the recogniser doubts that this is speech"
    if segment.compression > REPETITIVE and _loops(segment.text):
        return "the recogniser repeats itself"
    if _SIGN_OFF.match(segment.text) and (voiced < 0.4 or segment.no_speech > NO_SPEECH):
        return "a phrase that recognisers invent"
    return ""


def _sureness(segment: Spoken) -> float:
    """Give the mean confidence of its words; 1 where they have none."""
    sure = [float(word["probability"]) for word in segment.words]
    return sum(sure) / len(sure) if sure else 1.0


def _loops(text: str, least: int = 4) -> bool:
    """Say whether the same phrase of one to six words comes *least* times in a row."""
    words = re.findall(r"[\w']+", text.lower())
    for size in range(1, 7):
        run = 1
        for at in range(size, len(words) - size + 1, size):
            run = run + 1 if words[at : at + size] == words[at - size : at] else 1
            if run >= least:
                return True
    return False


def same_line(one: str, other: str) -> bool:
    """Say whether two lines say the same, but for case and punctuation."""
    left, right = (re.findall(r"[\w']+", text.lower()) for text in (one, other))
    return bool(left) and SequenceMatcher(None, left, right).ratio() > 0.9


def flag(cues: Sequence[Cue], spans: Sequence[tuple[float, float]], least_confidence: float) -> list[Cue]:
    """Add to each cue the flags that tell a reviewer where to look."""
    flagged: list[Cue] = []
    before = ""
    for cue in cues:
        text = " ".join(cue.lines)
        flags = [*cue.flags]
        if cue.confidence < least_confidence:
            flags.append(LOW_CONFIDENCE)
        if len(text) > FASTEST * max(cue.end - cue.start, 0.001):
            flags.append(FAST)
        if same_line(text, before) or _loops(text):
            flags.append(REPETITION)
        heard = share_voiced(cue.words[0].start, cue.words[-1].end, spans)
        if heard < 0.5 or cue.no_speech > NO_SPEECH:
            flags.append(MAYBE_NOT_SPEECH)
        flagged.append(replace(cue, flags=tuple(flags)))
        before = text
    return flagged
