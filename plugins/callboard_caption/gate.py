"""The gate: which cues must not ship before a person has looked, and which it is worth a look at. Pure.

A cue is never dropped here and never changed: it gets reasons. Those in ``failed`` make its captions wait for a
person; those in ``flags`` are for whoever looks anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from callboard_schemas import Cue, Heard
from msgspec import Struct
from msgspec.structs import replace

from callboard_caption.doubt import REPETITION
from callboard_caption.evidence import loops

UNSURE = "words unsure"
DISAGREEMENT = "two decodings disagree"
LOOP = "the same over and over"
AGAIN = "the same twice, and doubtful"
NO_VOICE = "hardly a voice here"
FAINT = "faint voice, words unsure"

QUIET = "faint voice"
SOMEWHAT_UNSURE = "a word is unsure"
SOMEWHAT_DIFFERENT = "a second decoding differs"


class Limits(Struct, frozen=True, kw_only=True):
    """From where a cue fails. ``bench/caption_gate.py`` measures what they let through and what they stop."""

    confidence: float = 0.6
    """Mean confidence of its words under which a cue fails."""
    doubtful: float = 0.75
    """Mean confidence under which *disagreement* fails a cue."""
    disagreement: float = 0.2
    contradiction: float = 0.4
    """Disagreement above which a cue fails however sure its words are."""
    compression: float = 2.4
    """Whisper's own limit for text that loops (https://github.com/openai/whisper, transcribe.py)."""
    repetition: float = 0.6
    """Share of its words in phrases said three times in a row."""
    again: float = 0.15
    """Share of its words that say again what was said just before from which it is pointed at, and with any other doubt
    fails: people say things twice, and so do recognisers that lost the thread."""
    speed: float = 25.0
    """Characters a second above which it is doubtful that words were said: 250 words a minute of six characters, the
    pace of auctioneers."""
    half_voiced: float = 0.5
    """Voiced share under which repetition is doubtful."""
    voiced: float = 0.25
    no_speech: float = 0.8
    faint_confidence: float = 0.7
    """For cues that were only found when listened for again."""
    faint_disagreement: float = 0.3
    word: float = 0.25
    """Confidence of a single word under which it is pointed at."""


USUAL = Limits()


def judge(
    cues: Sequence[Cue], violations: Mapping[int, Sequence[str]] | None = None, limits: Limits = USUAL
) -> list[Cue]:
    """Give each cue the reasons for which it must be looked at before it ships.

    Args:
        cues: With evidence. One without ``heard`` is judged by its violations alone.
        violations: Id of a cue to what of the delivery profile it breaks, in words.
        limits: From where a cue fails.

    Returns:
        The same cues, with ``failed``, and ``flags`` for what is no more than worth a look.
    """
    judged: list[Cue] = []
    for cue, looping in zip(cues, loops(cues), strict=True):
        failed = [*why_failed(cue, limits, looping), *(violations or {}).get(cue.id, ())]
        flags = [*cue.flags, *(one for one in _worth_a_look(cue, limits) if one not in cue.flags)]
        judged.append(replace(cue, failed=tuple(dict.fromkeys([*cue.failed, *failed])), flags=tuple(flags)))
    return judged


def why_failed(cue: Cue, limits: Limits = USUAL, looping: float = 0.0) -> list[str]:
    """Say what of a cue's evidence must not go unseen; empty when it may ship.

    Args:
        cue: With evidence; one without has nothing against it.
        limits: From where it fails.
        looping: Share of its words, 0 to 1, that loop; the cues before it tell that too.
    """
    heard = cue.heard
    if heard is None:
        return []
    reasons = []
    disagreement = heard.disagreement or 0.0
    if heard.quiet and (cue.confidence < limits.faint_confidence or disagreement > limits.faint_disagreement):
        reasons.append(FAINT)
    if cue.confidence < limits.confidence:
        reasons.append(UNSURE)
    disputed = disagreement >= limits.disagreement and cue.confidence < limits.doubtful
    if disputed or disagreement > limits.contradiction:
        reasons.append(DISAGREEMENT)
    if heard.compression > limits.compression or looping >= limits.repetition:
        reasons.append(LOOP)
    elif heard.repetition >= limits.again and _doubtful(cue, heard, limits):
        reasons.append(AGAIN)
    if heard.voiced < limits.voiced or (cue.no_speech > limits.no_speech and cue.confidence < limits.doubtful):
        reasons.append(NO_VOICE)
    return reasons


def _doubtful(cue: Cue, heard: Heard, limits: Limits) -> bool:
    """Say whether anything at all speaks against words that are there twice."""
    return (
        heard.quiet
        or cue.confidence < limits.doubtful
        or heard.least_confidence < limits.word
        or (heard.disagreement or 0.0) >= limits.disagreement
        or heard.voiced < limits.half_voiced
        or cue.no_speech > limits.no_speech
        or _speed(cue) > limits.speed
    )


def _speed(cue: Cue) -> float:
    """Give the characters a second at which a cue was said; shown, it may stay longer than that."""
    seconds = cue.words[-1].end - cue.words[0].start if cue.words else cue.end - cue.start
    return len(" ".join(cue.lines)) / max(seconds, 0.001)


def _worth_a_look(cue: Cue, limits: Limits) -> list[str]:
    heard = cue.heard
    if heard is None:
        return []
    flags = []
    if heard.quiet:
        flags.append(QUIET)
    if heard.least_confidence < limits.word:
        flags.append(SOMEWHAT_UNSURE)
    if heard.disagreement:
        flags.append(SOMEWHAT_DIFFERENT)
    if heard.repetition >= limits.again:
        flags.append(REPETITION)
    return flags


__all__ = ["USUAL", "Limits", "judge", "why_failed"]
