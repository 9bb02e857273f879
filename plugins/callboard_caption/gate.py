"""The gate: which cues must not ship before a person has looked, and which it is worth a look at. Pure.

A cue is never dropped here and never changed: it gets reasons. Those in ``failed`` make its captions wait for a
person; those in ``flags`` are for whoever looks anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from callboard_schemas import Cue
from msgspec import Struct
from msgspec.structs import replace

UNSURE = "words unsure"
DISAGREEMENT = "two decodings disagree"
LOOP = "the same over and over"
NO_VOICE = "hardly a voice here"
FAINT = "faint voice, words unsure"

QUIET = "faint voice"
SOMEWHAT_UNSURE = "a word is unsure"
SOMEWHAT_DIFFERENT = "a second decoding differs"


class Limits(Struct, frozen=True, kw_only=True):
    """From where a cue fails. ``bench/captions.py --gate`` measures what they let through and what they stop."""

    confidence: float = 0.6
    """Mean confidence of its words under which a cue fails."""
    doubtful: float = 0.75
    """Mean confidence under which *disagreement* fails a cue."""
    disagreement: float = 0.2
    compression: float = 2.4
    """Whisper's own limit for text that loops (https://github.com/openai/whisper, transcribe.py)."""
    repetition: float = 0.6
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
    for cue in cues:
        failed = [*why_failed(cue, limits), *(violations or {}).get(cue.id, ())]
        flags = [*cue.flags, *(one for one in _worth_a_look(cue, limits) if one not in cue.flags)]
        judged.append(replace(cue, failed=tuple(dict.fromkeys([*cue.failed, *failed])), flags=tuple(flags)))
    return judged


def why_failed(cue: Cue, limits: Limits = USUAL) -> list[str]:
    """Say what of a cue's evidence must not go unseen; empty when it may ship."""
    heard = cue.heard
    if heard is None:
        return []
    reasons = []
    disagreement = heard.disagreement or 0.0
    if heard.quiet and (cue.confidence < limits.faint_confidence or disagreement > limits.faint_disagreement):
        reasons.append(FAINT)
    if cue.confidence < limits.confidence:
        reasons.append(UNSURE)
    if disagreement >= limits.disagreement and cue.confidence < limits.doubtful:
        reasons.append(DISAGREEMENT)
    if heard.compression > limits.compression or heard.repetition >= limits.repetition:
        reasons.append(LOOP)
    if heard.voiced < limits.voiced or (cue.no_speech > limits.no_speech and cue.confidence < limits.doubtful):
        reasons.append(NO_VOICE)
    return reasons


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
    return flags


__all__ = ["USUAL", "Limits", "judge", "why_failed"]
