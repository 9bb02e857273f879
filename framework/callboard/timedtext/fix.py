"""Mends what a machine may mend: spaces, tags, dots, dashes, line breaks, numbers; and times, within their limits.

No word changes, no cue goes or changes places. A cue's end moves into free room or away from the next cue, both its
times move to their frames, and nothing else moves. A mend is kept if it ends a breach and causes none, so each one
leaves fewer; it is done again until there is none left to do, so that mending what was mended changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from callboard_schemas import Cue
from msgspec import Struct
from msgspec.structs import replace

from callboard.timedtext.check import Setting, faults
from callboard.timedtext.mending import mended_text
from callboard.timedtext.profile import Profile
from callboard.timedtext.rate import Rate
from callboard.timedtext.retiming import Room, offers

_OF_TIME = frozenset({"frame-grid", "past-end", "gap", "overlap", "close-gap", "shortest", "reading-speed"})
"""Rules whose breaches a change of times may end."""

_OF_TWO = frozenset({"gap", "overlap", "close-gap"})
"""Rules that are told of the later cue, and may be mended in the one before."""


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was changed in one cue."""

    cue: int
    index: int
    """Its place in the list, from 0."""
    rules: tuple[str, ...]
    """Whose breaches that ended."""
    before: str
    after: str


def fix(
    cues: Sequence[Cue],
    profile: Profile,
    rate: Rate | None = None,
    *,
    shots: Sequence[float] = (),
    language: str = "",
    duration: float = 0.0,
) -> tuple[list[Cue], list[Change]]:
    """Mend what is safe; what is left over, ``check`` tells.

    Args:
        cues: In the order of their file.
        profile: What the delivery allows.
        rate: Of the picture; without one no time is moved to a frame, and gaps are kept as at 60 frames a second.
        shots: Seconds at which shots begin.
        language: BCP 47, for line breaks; empty takes the profile's.
        duration: Seconds of media; 0 where it is not known.

    Returns:
        As many cues in the same order, and what was changed. Fixing them again changes nothing.
    """
    setting = Setting.of(profile, rate, shots, language, duration)
    now = list(cues)
    while (after := _pass(now, setting)) != now:
        now = after
    return now, list(_changes(cues, now, setting))


def _pass(cues: list[Cue], setting: Setting) -> list[Cue]:
    """Mend every cue once: its number, its text, its times."""
    made = list(cues)
    if len({cue.id for cue in cues}) < len(cues):
        made = [replace(cue, id=number) for number, cue in enumerate(cues, 1)]
    wrong = _by_cue(made, setting)
    for index, cue in enumerate(made):
        if index in wrong:
            made[index] = mended_text(
                cue, lambda one: _alone(one, setting), setting.profile, cue.language or setting.language
            )
    if all(one.start <= two.start for one, two in pairwise(made)):
        _retime(made, setting)
    return made


def _alone(cue: Cue, setting: Setting) -> Counter[str]:
    """Count the breaches of a cue by itself, by rule."""
    return Counter(one.rule for one in faults([cue], setting))


def _retime(cues: list[Cue], setting: Setting) -> None:
    """Move the times of cues that come in order, each where no cue holds another between its times."""
    wrong = _by_cue(cues, setting)
    longest = -1
    """Index of the cue that is the last to end, of those before the one before."""
    for index in range(len(cues)):
        if index >= 2 and (longest < 0 or cues[index - 2].end > cues[longest].end):
            longest = index - 2
        rules = (wrong.get(index, Counter()) + wrong.get(index + 1, Counter())).keys()
        if rules & _OF_TIME:
            cues[index] = _retimed(cues, index, longest, setting)


def _retimed(cues: list[Cue], index: int, longest: int, setting: Setting) -> Cue:
    """Give a cue its best times: those that leave the fewest breaches, and move least."""
    cue = cues[index]
    before = [cues[near] for near in (longest, index - 1) if near >= 0]
    after = cues[index + 1 : index + 2]
    least = max((one.end for one in before), default=0.0)
    most = after[0].end if after else cue.end + setting.profile.longest
    if not least <= cue.end <= most:
        return cue
    old = _around(before, cue, after, setting)
    best = (sum(old.values()), 0.0, cue)
    room = Room(setting.profile, setting.rate, setting.duration, after[0].start if after else None)
    for offered in offers(cue, room):
        if not least <= offered.end <= most or offered.end <= offered.start:
            continue
        new = _around(before, offered, after, setting)
        moved = abs(offered.start - cue.start) + abs(offered.end - cue.end)
        if not new - old and (sum(new.values()), moved) < best[:2]:
            best = (sum(new.values()), moved, offered)
    return best[2]


def _around(before: list[Cue], cue: Cue, after: list[Cue], setting: Setting) -> Counter[tuple[int, str]]:
    """Count the breaches of a cue and of the one after it; those before it do not depend on its times."""
    found = faults([*before, cue, *after], setting, text=False)
    return Counter((one.at, one.rule) for one in found if one.at >= len(before))


def _by_cue(cues: Sequence[Cue], setting: Setting) -> dict[int, Counter[str]]:
    found: dict[int, Counter[str]] = {}
    for one in faults(cues, setting):
        found.setdefault(one.at, Counter())[one.rule] += 1
    return found


def _changes(cues: Sequence[Cue], fixed: Sequence[Cue], setting: Setting) -> Iterator[Change]:
    if list(cues) == list(fixed):
        return
    none: Counter[str] = Counter()
    before, after = _by_cue(cues, setting), _by_cue(fixed, setting)
    for index, (old, new) in enumerate(zip(cues, fixed, strict=True)):
        if old != new:
            ended, later = (before.get(at, none) - after.get(at, none) for at in (index, index + 1))
            rules = tuple(sorted(ended.keys() | (later.keys() & _OF_TWO)))
            yield Change(cue=new.id, index=index, rules=rules, before=_told(old), after=_told(new))


def _told(cue: Cue) -> str:
    return f"{cue.start:.3f} --> {cue.end:.3f} {' / '.join(cue.lines)}"


__all__ = ["Change", "fix"]
