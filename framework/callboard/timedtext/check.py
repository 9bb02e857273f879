"""Whether cues keep to a delivery profile: every breach, with what is and what may be.

Every rule looks at what a viewer would see, and none changes anything; ``fix`` mends what is safe. Times come from
files that count in milliseconds, so what is off by less than ``SLACK`` is not a breach.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from callboard_schemas import Cue
from msgspec import Struct

from callboard.timedtext import checktext, checktime
from callboard.timedtext.found import SLACK, Found
from callboard.timedtext.profile import Profile
from callboard.timedtext.rate import Rate

Severity = Literal["error", "warning"]

RULES: Final[dict[str, Severity]] = {
    "times": "error",
    "order": "error",
    "overlap": "error",
    "gap": "error",
    "close-gap": "warning",
    "shortest": "error",
    "longest": "error",
    "reading-speed": "error",
    "past-end": "error",
    "frame-grid": "warning",
    "shot-start": "warning",
    "shot-end": "warning",
    "empty": "error",
    "blank-line": "warning",
    "lines": "error",
    "line-length": "error",
    "line-break": "warning",
    "spaces": "warning",
    "characters": "error",
    "tags": "error",
    "italics": "error",
    "dash": "warning",
    "ellipsis": "warning",
    "brackets": "warning",
    "repeated": "warning",
    "ids": "error",
}
"""Every rule, and how much a breach of it matters: an error is what a delivery is refused for."""


class Violation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One breach of one rule by one cue."""

    cue: int
    """Its id."""
    index: int
    """Its place in the list, from 0: ids may be there twice."""
    time: float
    """Seconds: where it starts."""
    rule: str
    severity: Severity
    message: str
    value: float | None = None
    limit: float | None = None


def check(
    cues: Sequence[Cue],
    profile: Profile,
    rate: Rate | None = None,
    *,
    shots: Sequence[float] = (),
    language: str = "",
    duration: float = 0.0,
) -> list[Violation]:
    """Check cues against a profile.

    Args:
        cues: In the order of their file.
        profile: What the delivery allows.
        rate: Of the picture. Without one the frame grid, the closing of gaps and shot changes are not looked at, and
            only gaps are told that would be too short at 60 frames a second too.
        shots: Seconds at which shots begin.
        language: BCP 47, for line breaks; empty takes the profile's.
        duration: Seconds of media; 0 where it is not known.

    Returns:
        The breaches, by cue and then in the order of ``RULES``.
    """
    found = list(faults(cues, Setting.of(profile, rate, shots, language, duration)))
    ranks = {rule: rank for rank, rule in enumerate(RULES)}
    found.sort(key=lambda one: (one.at, ranks[one.rule], one.line))
    return [
        Violation(
            cue=cues[one.at].id,
            index=one.at,
            time=cues[one.at].start,
            rule=one.rule,
            severity=one.severity or RULES[one.rule],
            message=one.message,
            value=one.value,
            limit=one.limit,
        )
        for one in found
    ]


class Setting(Struct, frozen=True):
    """What cues are checked against, made ready once."""

    profile: Profile
    rate: Rate | None
    shot_frames: tuple[int, ...]
    """In ascending order; none without a rate."""
    language: str
    duration: float

    @classmethod
    def of(cls, profile: Profile, rate: Rate | None, shots: Sequence[float], language: str, duration: float) -> Setting:
        """Make one of the arguments of ``check``."""
        frames = tuple(sorted({rate.frame_at(shot) for shot in shots})) if rate is not None else ()
        return cls(profile, rate, frames, language or profile.language, duration)


def faults(cues: Sequence[Cue], setting: Setting, *, text: bool = True) -> Iterator[Found]:
    """Find what ``check`` tells, in no order; without *text* only what depends on times."""
    for index, cue in enumerate(cues):
        yield from checktime.alone(index, cue, setting.profile, setting.rate, setting.shot_frames, setting.duration)
        if text:
            yield from checktext.alone(index, cue, setting.profile, cue.language or setting.language)
    yield from checktime.between(cues, setting.profile, setting.rate)
    yield from _repeated(cues)
    seen: set[int] = set()
    for index, cue in enumerate(cues):
        if text and cue.id in seen:
            yield Found(index, "ids", f"the number {cue.id} is there before", value=float(cue.id))
        seen.add(cue.id)


def _repeated(cues: Sequence[Cue]) -> Iterator[Found]:
    """Find cues that say again what the one just before them says, without a second between."""
    for index in range(1, len(cues)):
        before, cue = cues[index - 1], cues[index]
        if cue.start - before.end < 1.0 - 1e-9 and (said := checktext.said(cue)) and said == checktext.said(before):
            yield Found(index, "repeated", "says the same as the cue before it")


def summary(violations: Sequence[Violation]) -> dict[str, int]:
    """Count breaches by rule, the most frequent first."""
    return dict(Counter(one.rule for one in violations).most_common())


__all__ = ["RULES", "SLACK", "Setting", "Severity", "Violation", "check", "faults", "summary"]
